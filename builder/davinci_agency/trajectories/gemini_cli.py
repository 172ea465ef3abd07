"""Reads the logs of Gemini CLI, a file of JSON Lines for a session, and its older documents; pure.

The log is one of changes: a line with the id of an earlier one replaces it, and ``$set`` sets what
it names. Results stand beside the calls and in the user's next message; they are taken once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from davinci_agency.records import Scaffold
from davinci_agency.trajectories.assembling import Turns, text_of
from davinci_agency.trajectories.gemini_parts import add_parts, add_response
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

_SPEAKERS = frozenset({"user", "gemini"})


def fits(value: Any) -> bool:
    """Tell whether the lines of a file, or a document, are a session of Gemini CLI."""
    head = value[0] if isinstance(value, list) and value else value
    return isinstance(head, Mapping) and {"sessionId", "projectHash"} <= head.keys()


def read(value: Any) -> Conversation:
    """Return a session. Raises `TrajectoryError` saying what is wrong with it."""
    turns = Turns()
    model = None
    for message in _messages(value if isinstance(value, list) else [value]).values():
        kind = str(message.get("type"))
        if kind not in _SPEAKERS:
            turns.lost[f"messages of the program's own: {kind[:40]}"] += 1
            continue
        model = message.get("model") or model
        for thought in _listed(message.get("thoughts")):
            turns.think(_thought(thought))
        add_parts(kind, message.get("content"), turns)
        turns.lost["counts of tokens"] += "tokens" in message
        _add_calls(message.get("toolCalls"), turns)
    # Results stand twice in these logs.
    turns.lost.pop("answers to no call, or second ones", None)
    said, rest = turns.done()
    turns.lost["last words that nobody answered"] += len(rest)
    turns.lost["schemas of tools, which the format does not hold"] += any(
        "tool_calls" in turn for turn in said
    )
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="gemini-cli",
        scaffold=Scaffold("gemini-cli", None),
        model=model if isinstance(model, str) else None,
        not_carried=+turns.lost,
    )


def _messages(lines: list[Any]) -> dict[str, Mapping[str, Any]]:
    """Return the messages in order, each as it was last."""
    messages: dict[str, Mapping[str, Any]] = {}
    for place, line in enumerate(lines):
        if not isinstance(line, Mapping):
            raise TrajectoryError(f"$[{place}]", "a line is no object")
        changes = line.get("$set", line)
        whole = changes.get("messages") if isinstance(changes, Mapping) else None
        if isinstance(whole, list):
            messages.clear()
        for message in whole if isinstance(whole, list) else [line] if "type" in line else []:
            if not isinstance(message, Mapping):
                raise TrajectoryError(f"$[{place}]", "a message is no object")
            messages[str(message.get("id"))] = message
    return messages


def _add_calls(calls: Any, turns: Turns) -> None:
    called = [call for call in _listed(calls) if isinstance(call, Mapping)]
    for call in called:
        turns.call(str(call.get("id")), str(call.get("name")), call.get("args") or {})
    for call in called:
        for result in _listed(call.get("result")):
            response = result.get("functionResponse") if isinstance(result, Mapping) else None
            if isinstance(response, Mapping):
                add_response({**response, "id": call.get("id")}, turns)


def _thought(thought: Any) -> str:
    if not isinstance(thought, Mapping):
        return text_of(thought, Turns())
    said = (thought.get("subject"), thought.get("description"))
    return "\n".join(text for text in said if isinstance(text, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
