"""Reads OpenHands up to 1.0: streams of events, the model's completions, evaluations, rows; pure.

- A stream is a list of events, or a folder with one file for each; a line of an evaluation's
  ``output.jsonl`` holds one as ``history``. Where an event came of a model's answer, that answer is
  the turn, taken once; an action that no answer is kept of becomes a call of its own.
- A completion holds all that was said to the model, and what it answered; the last one of a folder
  is the conversation.
- A row of the published tables holds messages as ``trajectory``, with nulls where others have more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.assembling import Turns, parts_of
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


def fits_events(value: Any) -> bool:
    """Tell whether a value is a stream of events, or an evaluation that holds one."""
    events = value.get("history") if isinstance(value, Mapping) else value
    return isinstance(events, list) and any(
        isinstance(event, Mapping)
        and "source" in event
        and ("action" in event or "observation" in event)
        for event in events[:50]
    )


def read_events(value: Any) -> Conversation:
    """Return the conversation of a stream. Raises `TrajectoryError` saying what is wrong."""
    whole = value if isinstance(value, Mapping) else {"history": value}
    events = whole.get("history")
    if not isinstance(events, list) or not all(isinstance(event, Mapping) for event in events):
        raise TrajectoryError("$.history", "there is no list of events")
    stream = _Stream()
    for event in events:
        stream.add(event)
    said, rest = stream.turns.done()
    stream.turns.lost["last words that nobody answered"] += sum(t["role"] != "tool" for t in rest)
    metadata = _mapping(whole.get("metadata"))
    model = stream.model or _text(_mapping(metadata.get("llm_config")).get("model"))
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="openhands",
        scaffold=Scaffold("openhands", _text(metadata.get("openhands_version"))),
        model=model,
        tools=stream.tools,
        patch=_patch(_mapping(whole.get("test_result")).get("git_patch")),
        exit_status=stream.ended,
        task_id=_text(whole.get("instance_id")),
        verdict=Verdict(resolved=_bool(_mapping(whole.get("report")).get("resolved"))),
        closing=tuple(turn for turn in rest if turn["role"] == "tool"),
        not_carried=+stream.turns.lost,
    )


class _Stream:
    """A stream under way: turns, and what it says besides."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.model: str | None = None
        self.ended: str | None = None
        self.tools: tuple[JsonObject, ...] = ()
        self._answers: set[str] = set()

    def add(self, event: Event) -> None:
        if "observation" in event:
            self._observe(event)
        elif event.get("action") == "system":
            args = _mapping(event.get("args"))
            self.turns.say("system", str(args.get("content") or event.get("message") or ""))
            self.tools = _tools(args.get("tools"))
        elif event.get("action") == "message" and event.get("source") == "user":
            self.turns.say("user", str(_mapping(event.get("args")).get("content") or ""))
        elif event.get("source") == "agent" and event.get("action") is not None:
            self._act(event)
        else:
            self.turns.lost[f"events of the program's own: {_kind(event)}"] += 1

    def _act(self, event: Event) -> None:
        response = _mapping(_mapping(event.get("tool_call_metadata")).get("model_response"))
        if response:
            self._answer_of(response)
            return
        args = _mapping(event.get("args"))
        thought = args.get("thought") or (
            args.get("content") if event["action"] == "message" else args.get("final_thought")
        )
        if isinstance(thought, str) and thought:
            self.turns.say("assistant", thought)
        if event["action"] in ("message", "finish"):
            return
        if event["action"] in ("recall", "condensation", "change_agent_state", "null"):
            self.turns.lost[f"events of the program's own: {_kind(event)}"] += 1
            return
        call = {key: item for key, item in args.items() if key not in _BOOKKEEPING}
        self.turns.call(f"event-{event.get('id')}", str(event["action"]), call)

    def _answer_of(self, response: Event) -> None:
        """Add a model's answer, once, though several events came of it."""
        name = str(response.get("id"))
        if name in self._answers:
            return
        self._answers.add(name)
        self.model = _text(response.get("model")) or self.model
        choices = response.get("choices")
        choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
        message = _mapping(choice.get("message"))
        if isinstance(thought := message.get("reasoning_content"), str):
            self.turns.think(thought)
        if isinstance(text := message.get("content"), str) and text:
            self.turns.say("assistant", text)
        for call in parts_of(message.get("tool_calls")):
            function = _mapping(_mapping(call).get("function"))
            name, arguments = str(function.get("name")), function.get("arguments")
            self.turns.call(str(_mapping(call).get("id")), name, arguments or {})

    def _observe(self, event: Event) -> None:
        if event["observation"] == "agent_state_changed":
            self.ended = _text(_mapping(event.get("extras")).get("agent_state")) or self.ended
        called = _mapping(event.get("tool_call_metadata")).get("tool_call_id")
        content = event.get("content")
        if called is None and event["observation"] in ("agent_state_changed", "recall", "null"):
            self.turns.lost[f"events of the program's own: {_kind(event)}"] += 1
            return
        answered = f"event-{event.get('cause')}" if called is None else str(called)
        self.turns.answer(answered, content if isinstance(content, str) else "")


def fits_event_names(names: Any) -> bool:
    """Tell by the names of its files whether a folder is a stream of events."""
    return (
        isinstance(names, Mapping)
        and "base_state.json" not in names
        and any(_number(str(name)) is not None for name in names)
    )


def read_event_files(files: Any) -> Conversation:
    """Return the conversation of a folder of events, in the order of their numbers."""
    if not isinstance(files, Mapping):
        raise TrajectoryError("$", "there are no files of events")
    numbers = {name: _number(str(name)) for name in files}
    names = sorted((n for n in files if numbers[n] is not None), key=lambda n: numbers[n] or 0)
    return read_events([files[name] for name in names])


def _number(name: str) -> int | None:
    """Return the number of an event by the name of its file: ``events/12.json``."""
    stem = name.removeprefix("events/").removesuffix(".json")
    is_event = name.startswith("events/") and stem.isascii() and stem.isdigit()
    return int(stem) if is_event and len(stem) < 10 else None


def fits_completion(value: Any) -> bool:
    """Tell whether a document is a completion, as OpenHands logs it."""
    return (
        isinstance(value, Mapping)
        and "response" in value
        and isinstance(value.get("fncall_messages", value.get("messages")), list)
    )


def read_completion(value: Any) -> Conversation:
    """Return the conversation of a completion. Raises `TrajectoryError` if it is bad."""
    whole = _mapping(value)
    given = whole.get("fncall_messages") or whole.get("messages")
    response = _mapping(whole.get("fncall_response") or whole.get("response"))
    choices = response.get("choices")
    if not isinstance(given, list) or not isinstance(choices, list) or not choices:
        raise TrajectoryError("$.response", "there is no answer of a model")
    last = _mapping(_mapping(choices[0]).get("message"))
    messages = [_plain(message) for message in (*given, last)]
    return Conversation(
        messages=tuple(normal_messages(messages)),
        source_format="openhands",
        scaffold=Scaffold("openhands", None),
        model=_text(response.get("model")),
        tools=_tools(_mapping(whole.get("kwargs")).get("tools")),
    )


def fits_completion_names(names: Any) -> bool:
    """Tell by the names of its files whether a folder holds completions."""
    return (
        isinstance(names, Mapping)
        and bool(names)
        and all(isinstance(name, str) and name.startswith("completions/") for name in names)
    )


def read_completion_files(files: Any) -> Conversation:
    """Return the conversation of a folder of completions: the longest one holds all others."""
    found = [value for value in _mapping(files).values() if fits_completion(value)]
    if not found:
        raise TrajectoryError("$", "there is no completion")
    longest = max(found, key=lambda v: len(v.get("fncall_messages") or v.get("messages") or ()))
    said = read_completion(longest)
    earlier = Counter({"earlier completions, which the last one holds": len(found) - 1})
    return replace(said, not_carried=+earlier)


def fits_row(value: Any) -> bool:
    """Tell whether a row of a table is one of its published trajectories."""
    messages = value.get("trajectory") if isinstance(value, Mapping) else None
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(isinstance(m, Mapping) and "role" in m and "content" in m for m in messages)
    )


def read_row(value: Any) -> Conversation:
    """Return the conversation of a row. Raises `TrajectoryError` if it is bad."""
    row = _mapping(value)
    messages = row.get("trajectory")
    if not isinstance(messages, list):
        raise TrajectoryError("$.trajectory", "there are no messages")
    patch = row.get("model_patch") or row.get("git_patch")
    return Conversation(
        messages=tuple(normal_messages([_plain(message) for message in messages])),
        source_format="openhands",
        scaffold=Scaffold("openhands", None),
        model=_text(row.get("model")),
        tools=_tools(row.get("tools")),
        patch=_patch(patch),
        exit_status=_text(row.get("exit_status")),
        task_id=_text(row.get("instance_id")),
        verdict=Verdict(resolved=_bool(row.get("resolved"))),
    )


def _plain(message: Any) -> JsonObject:
    """Return a message without nulls, its parts as one text."""
    whole = without_nulls(_mapping(message))
    plain: JsonObject = whole if isinstance(whole, dict) else {}
    content = plain.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        plain["content"] = "\n".join(text for text in texts if isinstance(text, str))
    return {key: plain[key] for key in plain if key not in ("cache_control", "function_call")}


def without_nulls(value: Any) -> Any:
    """Return JSON without the properties that are null: tables fill all rows with all of them."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _tools(value: Any) -> tuple[JsonObject, ...]:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise TrajectoryError("$.tools", "the tools are no JSON") from error
    tools = without_nulls(value) if isinstance(value, list) else []
    return tuple(tool for tool in tools if isinstance(tool, dict))


def _kind(event: Event) -> str:
    return str(event.get("action") or event.get("observation") or "other")[:40]


def _patch(value: Any) -> str:
    return value if isinstance(value, str) and value.startswith("diff --git ") else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _bool(value: Any) -> bool | None:
    return None if value is None or isinstance(value, str) else bool(value)
