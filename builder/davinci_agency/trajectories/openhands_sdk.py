"""Reads conversations of OpenHands from 1.0 on, as its SDK keeps them in a folder; pure.

``base_state.json`` says who worked; ``events/`` holds a file for each event, in the order of their
names. Every call is answered by an observation, a refusal of the person, or an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.assembling import Turns, text_of
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

Event = Mapping[str, Any]
_STATE = "base_state.json"


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
    names = sorted(name for name in files if str(name).startswith("events/"))
    turns = Turns()
    tools: tuple[JsonObject, ...] = ()
    for name in names:
        event = files[name]
        if not isinstance(event, Mapping):
            raise TrajectoryError(f"$[{name!r}]", "an event is no object")
        if event.get("kind") == "SystemPromptEvent":
            tools = _tools(event.get("tools"), turns)
        _add(event, turns)
    said, rest = turns.done()
    turns.lost["last words that nobody answered"] += sum(turn["role"] != "tool" for turn in rest)
    state = files.get(_STATE)
    state = state if isinstance(state, Mapping) else {}
    agent = state.get("agent")
    llm = agent.get("llm") if isinstance(agent, Mapping) else None
    model = llm.get("model") if isinstance(llm, Mapping) else None
    status = state.get("execution_status", state.get("agent_status"))
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="openhands",
        scaffold=Scaffold("openhands", None),
        model=model if isinstance(model, str) else None,
        tools=tools,
        exit_status=status if isinstance(status, str) else None,
        closing=tuple(turn for turn in rest if turn["role"] == "tool"),
        not_carried=+turns.lost,
    )


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
        observation = event.get("observation")
        content = observation.get("content") if isinstance(observation, Mapping) else observation
        turns.answer(str(event.get("tool_call_id")), text_of(content, turns))
    elif kind == "UserRejectObservation":
        turns.answer(str(event.get("tool_call_id")), str(event.get("rejection_reason")))
    elif kind == "AgentErrorEvent":
        turns.answer(str(event.get("tool_call_id")), str(event.get("error")))
    else:
        turns.lost[f"events of the program's own: {str(kind)[:40]}"] += 1


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


def _tools(tools: Any, turns: Turns) -> tuple[JsonObject, ...]:
    """Return the tools that are told as OpenAI has them; the SDK's own form has no schema."""
    given = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    plain = [tool for tool in given if isinstance(tool.get("function"), dict)]
    turns.lost["schemas of tools, which the format does not hold"] += len(given) - len(plain)
    return tuple(plain)
