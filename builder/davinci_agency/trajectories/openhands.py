"""Reads OpenHands' streams of events, as it kept them up to 1.0, and its evaluations; pure.

A stream is a list of events, or a folder with one file for each; a line of an evaluation's
``output.jsonl`` holds one as ``history``, in older ones as pairs. Where an event came of a model's
answer, that answer is the turn, taken once; an action that no answer is kept of becomes a call of
its own. What a tool said is as the model was shown it: with how a command ended, or that an action
failed. What no call asked for is the user's, as it was to the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.assembling import Turns, parts_of, text_of
from davinci_agency.trajectories.openhands_parts import (
    mapping,
    patch_of,
    terminal_text,
    text,
    tools_of,
    truth,
)
from davinci_agency.trajectories.rollout import (
    Conversation,
    TrajectoryError,
    Verdict,
    normal_messages,
)

Event = Mapping[str, Any]
_BOOKKEEPING = ("thought", "blocking", "keep_prompt", "hidden", "confirmation_state", "is_input",
                "security_risk", "is_static", "cwd")  # fmt: skip
"""Arguments of an action that are no part of what was called."""
_OWN_ACTIONS = ("recall", "condensation", "change_agent_state", "null")
_OWN_OBSERVATIONS = ("agent_state_changed", "recall", "null", "loop_detection")
_SETTINGS = ("agent_class", "max_iterations", "git_commit")
"""What of an evaluation's settings is kept: its model has a place of its own, keys have none."""
_CARRIED = ("history", "instance_id", "metadata", "test_result", "git_patch", "report", "error")


def fits(value: Any) -> bool:
    """Tell whether a value is a stream of events, or an evaluation that holds one."""
    events = value.get("history") if isinstance(value, Mapping) else value
    return isinstance(events, list) and any(
        isinstance(event, Mapping)
        and "source" in event
        and ("action" in event or "observation" in event)
        for event in _flat(events[:50])
    )


def read(value: Any) -> Conversation:
    """Return the conversation of a stream. Raises `TrajectoryError` saying what is wrong."""
    whole = value if isinstance(value, Mapping) else {"history": value}
    events = whole.get("history")
    events = _flat(events) if isinstance(events, list) else [None]
    if not all(isinstance(event, Mapping) for event in events):
        raise TrajectoryError("$.history", "there is no list of events")
    stream = _Stream()
    for event in events:
        stream.add(event)
    said, rest = stream.turns.done()
    lost = stream.turns.lost
    lost["last words that nobody answered"] += sum(turn["role"] != "tool" for turn in rest)
    settings, result = mapping(whole.get("metadata")), mapping(whole.get("test_result"))
    lost["settings of the evaluation"] += len(settings.keys() - {*_SETTINGS, "llm_config"})
    heard = {turn["content"] for turn in said if turn["role"] == "user"}
    for key, part in {**result, **whole}.items():
        if part and key not in _CARRIED and (not isinstance(part, str) or part not in heard):
            lost[f"parts of the evaluation: {key[:40]}"] += 1
    report = mapping(whole.get("report") or result.get("report"))
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="openhands",
        scaffold=Scaffold("openhands", stream.version),
        model=stream.model or text(mapping(settings.get("llm_config")).get("model")),
        tools=stream.tools,
        patch=patch_of(result.get("git_patch")),
        exit_status=stream.ended or text(whole.get("error")),
        task_id=text(whole.get("instance_id")),
        verdict=Verdict(resolved=truth(report.get("resolved"))),
        closing=tuple(turn for turn in rest if turn["role"] == "tool"),
        not_carried=+lost,
        metadata={key: settings[key] for key in _SETTINGS if key in settings},
    )


def _flat(events: list[Any]) -> list[Any]:
    """Return events one by one: older evaluations hold pairs of an action and what came of it."""
    return [each for event in events for each in (event if isinstance(event, list) else [event])]


class _Stream:
    """A stream under way: turns, and what it says besides."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.model: str | None = None
        self.version: str | None = None
        self.ended: str | None = None
        self.tools: tuple[JsonObject, ...] = ()
        self._told: dict[str, Event] = {}
        self._answers: set[str] = set()
        self._called: set[str] = set()

    def add(self, event: Event) -> None:
        """Add what an event says, unless it was told before."""
        if "id" in event:
            name = str(event["id"])
            if self._told.get(name) == event:
                self.turns.lost["events that are told twice"] += 1
                return
            self._told[name] = event
        args = mapping(event.get("args"))
        action, source = event.get("action"), event.get("source")
        images = args.get("image_urls") or mapping(event.get("extras")).get("image_urls")
        self.turns.lost["images"] += len(images) if isinstance(images, list) else 0
        if "observation" in event:
            self._observe(event, str(event["observation"]))
        elif action == "system":
            self.turns.say("system", str(args.get("content") or event.get("message") or ""))
            self.tools = tools_of(args.get("tools"), self.turns)
            self.version = text(args.get("openhands_version"))
        elif action == "message" and source == "user":
            self.turns.say("user", str(args.get("content") or ""))
        elif action == "run" and source == "user":
            self.turns.say("user", f"User executed the command:\n{args.get('command')}")
        elif source == "agent" and action is not None and action not in _OWN_ACTIONS:
            self._act(event, str(action), args)
        else:
            self._pass_over(event)

    def _pass_over(self, event: Event) -> None:
        kind = str(event.get("action") or event.get("observation") or "other")[:40]
        self.turns.lost[f"events of the program's own: {kind}"] += 1

    def _act(self, event: Event, action: str, args: Event) -> None:
        metadata = mapping(event.get("tool_call_metadata"))
        if metadata.get("model_response"):
            self._answer(mapping(metadata["model_response"]))
            return
        said = args.get("content") if action == "message" else args.get("final_thought")
        if isinstance(thought := args.get("thought") or said, str) and thought:
            self.turns.say("assistant", thought)
        if action not in ("message", "finish"):
            call = {key: item for key, item in args.items() if key not in _BOOKKEEPING}
            self._called.add(f"event-{event.get('id')}")
            self.turns.call(f"event-{event.get('id')}", action, call)

    def _answer(self, response: Event) -> None:
        """Add a model's answer, once, though several events came of it."""
        name = str(response.get("id") or response)
        if name in self._answers:
            return
        self._answers.add(name)
        self.model = text(response.get("model")) or self.model
        choices = response.get("choices")
        choice = mapping(choices[0]) if isinstance(choices, list) and choices else {}
        message = mapping(choice.get("message"))
        self.turns.think(text(message.get("reasoning_content")) or "")
        if said := text_of(message.get("content"), self.turns):
            self.turns.say("assistant", said)
        for call in parts_of(message.get("tool_calls")):
            function = mapping(mapping(call).get("function"))
            call_id, called = mapping(call).get("id"), function.get("name")
            if not isinstance(call_id, str) or not isinstance(called, str):
                raise TrajectoryError("$.tool_calls", "a call has no id, or no name")
            self.turns.call(call_id, called, function.get("arguments") or {})

    def _observe(self, event: Event, kind: str) -> None:
        extras, metadata = mapping(event.get("extras")), mapping(event.get("tool_call_metadata"))
        if kind == "agent_state_changed":
            self.ended = text(extras.get("agent_state")) or self.ended
        cause = f"event-{event.get('cause')}"
        if "tool_call_id" in metadata:
            # The action may be missing where the stream was cut; its answer is kept here, too.
            self._answer(mapping(metadata.get("model_response")))
            self.turns.answer(str(metadata["tool_call_id"]), _shown(event, kind, extras))
        elif kind in _OWN_OBSERVATIONS:
            self._pass_over(event)
        elif cause in self._called:
            self.turns.answer(cause, _shown(event, kind, extras))
        else:
            self.turns.say("user", _shown(event, kind, extras))


def _shown(event: Event, kind: str, extras: Event) -> str:
    """Return what a tool said as the model was shown it."""
    said = text(event.get("content")) or ""
    if kind == "run":
        return terminal_text(said, extras.get("metadata") or extras)
    if kind == "error":
        return f"{said}\n[Error occurred in processing last action]"
    if kind == "user_rejected":
        return f"OBSERVATION:\n{said}\n[Last action has been rejected by the user]"
    return said


def fits_names(names: Any) -> bool:
    """Tell by the names of its files whether a folder is a stream of events."""
    return (
        isinstance(names, Mapping)
        and "base_state.json" not in names
        and any(_number(str(name)) is not None for name in names)
    )


def read_files(files: Any) -> Conversation:
    """Return the conversation of a folder of events, in the order of their numbers."""
    if not isinstance(files, Mapping):
        raise TrajectoryError("$", "there are no files of events")
    numbers = {name: _number(str(name)) for name in files}
    names = sorted((n for n in files if numbers[n] is not None), key=lambda n: numbers[n] or 0)
    return read([files[name] for name in names])


def _number(name: str) -> int | None:
    """Return the number of an event by the name of its file: ``events/12.json``."""
    stem = name.removeprefix("events/").removesuffix(".json")
    is_event = name.startswith("events/") and stem.isascii() and stem.isdigit()
    return int(stem) if is_event and len(stem) < 10 else None
