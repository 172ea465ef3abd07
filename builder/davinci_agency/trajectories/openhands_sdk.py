"""Reads conversations of OpenHands from 1.0 on, as its SDK keeps them in a folder; pure.

``base_state.json`` says who worked and which event is the last; ``events/`` holds a file for each
event, in the order of their names. Events name their parents, and the branch that the last one ends
is the conversation. Every call is answered by an observation, a refusal of the person, or an error,
and the calls of one answer of the model stand in one turn. Answers are as the model was shown them:
with how a command ended, and that a tool failed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.assembling import Turns, text_of
from davinci_agency.trajectories.openhands_parts import mapping, terminal_text, text, tools_of
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

Event = Mapping[str, Any]
_STATE = "base_state.json"
_FAILED = "[An error occurred during execution.]\n"
_BESIDE = ("ConversationStateUpdateEvent", "ConversationErrorEvent")
"""Kinds of events that are no part of the tree."""


def fits(names: Any) -> bool:
    """Tell by the names of its files whether a folder is such a conversation."""
    return (
        isinstance(names, Mapping)
        and _STATE in names
        and any(isinstance(name, str) and name.startswith("events/") for name in names)
    )


def read(files: Any) -> Conversation:
    """Return a folder's conversation. Raises `TrajectoryError` saying what is wrong with it."""
    if not isinstance(files, Mapping):
        raise TrajectoryError("$", "there are no files")
    events = [files[name] for name in sorted(map(str, files)) if name.startswith("events/")]
    if not all(isinstance(event, Mapping) for event in events):
        raise TrajectoryError("$", "an event is no object")
    state = mapping(files.get(_STATE))
    turns = Turns()
    tools: tuple[JsonObject, ...] = ()
    branch = _active(events, text(state.get("leaf_event_id")))
    here = set(map(id, branch))
    for event in events:
        if id(event) not in here and event.get("kind") in _BESIDE:
            _pass_over(event, turns)
        elif id(event) not in here:
            turns.lost["events of branches that were given up"] += 1
    for event in _answers_whole(branch):
        if event.get("kind") == "SystemPromptEvent":
            tools = tools_of(event.get("tools"), turns)
        _add(event, turns)
    said, rest = turns.done()
    turns.lost["last words that nobody answered"] += sum(turn["role"] != "tool" for turn in rest)
    turns.lost["counts of tokens"] += bool(state.get("stats"))
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="openhands",
        scaffold=Scaffold("openhands", None),
        model=text(mapping(mapping(state.get("agent")).get("llm")).get("model")),
        tools=tools,
        exit_status=text(state.get("execution_status", state.get("agent_status"))),
        closing=tuple(turn for turn in rest if turn["role"] == "tool"),
        not_carried=+turns.lost,
    )


def _active(events: Sequence[Event], leaf: str | None) -> list[Event]:
    """Return the events from the first to the last, each one the parent of the next.

    Older ones name no parent: it is the event before. A parent that is not there is none.
    """
    places = {text(event.get("id")): place for place, event in enumerate(events)}
    last = max((n for n, e in enumerate(events) if e.get("kind") not in _BESIDE), default=-1)
    place = places.get(leaf, last) if leaf else last
    branch: list[Event] = []
    seen: set[int] = set()
    while place >= 0 and place not in seen:
        seen.add(place)
        event = events[place]
        branch.append(event)
        parent = text(event.get("parent_id"))
        place = places.get(parent, -1) if parent else place - 1
    return branch[::-1]


def _answers_whole(events: Sequence[Event]) -> Iterator[Event]:
    """Yield events, all calls of one answer of the model at once.

    What is wrong with a call is told before the next call of the same answer is.
    """
    of_answer: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if answer := _answer_of(event):
            of_answer[answer].append(event)
    for event in events:
        answer = _answer_of(event)
        yield from of_answer.pop(answer, ()) if answer else (event,)


def _answer_of(event: Event) -> str | None:
    is_call = event.get("kind") == "ActionEvent"
    return text(event.get("llm_response_id")) if is_call else None


def _pass_over(event: Event, turns: Turns) -> None:
    turns.lost[f"events of the program's own: {str(event.get('kind'))[:40]}"] += 1


def _add(event: Event, turns: Turns) -> None:
    kind = event.get("kind")
    if kind == "SystemPromptEvent":
        parts = [event.get("system_prompt"), event.get("dynamic_context")]
        turns.say("system", text_of([part for part in parts if part is not None], turns))
    elif kind == "MessageEvent":
        _add_message(event, turns)
    elif kind == "ActionEvent":
        _add_action(event, turns)
    elif kind == "ObservationEvent":
        turns.answer(str(event.get("tool_call_id")), _shown(event, turns))
    elif kind == "UserRejectObservation":
        turns.answer(
            str(event.get("tool_call_id")), f"Action rejected: {event.get('rejection_reason')}"
        )
    elif kind == "AgentErrorEvent":
        turns.answer(str(event.get("tool_call_id")), str(event.get("error")))
    else:
        _pass_over(event, turns)


def _shown(event: Event, turns: Turns) -> str:
    """Return an observation as the model was shown it."""
    observation = mapping(event.get("observation"))
    said = text_of(observation.get("content"), turns)
    if "metadata" in observation:
        said = terminal_text(said, observation["metadata"])
    failed = [_FAILED] if observation.get("is_error") is True else []
    more = text_of(event.get("extended_content"), turns)
    return "\n".join([*failed, said, *([more] if more else [])])


def _add_message(event: Event, turns: Turns) -> None:
    message = event.get("llm_message")
    if not isinstance(message, Mapping):
        raise TrajectoryError("$.llm_message", "a message is no object")
    role = "assistant" if message.get("role") == "assistant" else "user"
    if role == "assistant" and isinstance(message.get("reasoning_content"), str):
        turns.think(message["reasoning_content"])
    parts = [message.get("content"), event.get("extended_content") or []]
    text = "\n".join(filter(None, (text_of(part, turns) for part in parts)))
    turns.say(role, text)


def _add_action(event: Event, turns: Turns) -> None:
    call = event.get("tool_call")
    if not isinstance(call, Mapping):
        raise TrajectoryError("$.tool_call", "an action holds no call")
    if isinstance(event.get("reasoning_content"), str):
        turns.think(event["reasoning_content"])
    if thought := text_of(event.get("thought"), turns):
        turns.say("assistant", thought)
    name = call.get("name") or event.get("tool_name")
    call_id = event.get("tool_call_id") or call.get("id")
    turns.call(str(call_id), str(name), call.get("arguments") or {})
    if event.get("thinking_blocks"):
        turns.lost["signed thoughts"] += 1
