"""Reads what SII-CLI's Python SDK yields; pure.

A stream is the SDK's messages in order, as objects, by their Python fields or as its bridge sends
them; what the user said stands between them as ``{"role": "user", "content": …}``, since the SDK
does not yield it. A document holds one under ``stream``, beside ``info``. Text and calls of a turn
come one by one, and are put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from davinci_agency.records import Scaffold
from davinci_agency.trajectories.assembling import Turns, parts_of
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

FORMAT = "sii-sdk-1"
"""What ``trajectory_format`` says of a document."""
_TYPES = frozenset({"status", "tool_result", "completed"})
"""Messages that come one by one in no other format."""


def fits(value: Any) -> bool:
    """Tell whether a value is such a stream, or a document that holds one."""
    if isinstance(value, Mapping):
        return value.get("trajectory_format") == FORMAT
    if not isinstance(value, list):
        return False
    types = [message.get("type") for message in value if isinstance(message, Mapping)]
    known = [each for each in types if isinstance(each, str) and each in _TYPES]
    has_status = any(isinstance(m, Mapping) and "available_tools" in m for m in value)
    return has_status and bool(known)


def read(value: Any) -> Conversation:
    """Return one session. Raises `TrajectoryError` saying what is wrong with it."""
    document = value if isinstance(value, Mapping) else {"stream": value}
    stream = document.get("stream")
    if not isinstance(stream, list):
        raise TrajectoryError("$.stream", "there is no list of messages")
    turns = Turns()
    ended: str | None = None
    for place, message in enumerate(stream):
        if not isinstance(message, Mapping):
            raise TrajectoryError(f"$.stream[{place}]", "a message is no object")
        ended = _add(message, turns) or ended
    about = document.get("info")
    info = about if isinstance(about, Mapping) else {}
    ended = _text(info.get("exit_status")) or ended
    said, rest = turns.done()
    if not said:
        raise TrajectoryError("$.stream", f"the assistant never speaks; it ended with {ended}")
    if not any(turn["role"] == "user" for turn in said):
        raise TrajectoryError(
            "$.stream",
            'what the user said is not there; put {"role": "user", "content": …} before its answer',
        )
    turns.lost["last words that nobody answered"] += sum(turn["role"] != "tool" for turn in rest)
    turns.lost["the system prompt and the tools' schemas, which the SDK does not tell"] += 1
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="sii-sdk",
        scaffold=Scaffold("sii-cli", _text(info.get("sdk_version"))),
        model=_text(info.get("model")),
        exit_status=ended,
        closing=tuple(turn for turn in rest if turn["role"] == "tool"),
        not_carried=+turns.lost,
    )


def _add(message: Mapping[str, Any], turns: Turns) -> str | None:
    """Add a message to the turns; return how the session ended, if it says so."""
    kind, role = message.get("type"), message.get("role")
    if role == "user":
        turns.say("user", _as_text(message.get("content")))
    elif role == "assistant" or kind == "assistant_message":
        for block in parts_of(message.get("content")):
            _add_block(block, turns)
    elif kind == "tool_call":
        turns.call(str(message.get("tool_call_id")), str(message.get("tool_name")), _args(message))
    elif kind == "tool_result":
        turns.answer(str(message.get("tool_use_id")), _as_text(message.get("content")))
        if message.get("is_error"):
            turns.lost["marks that a tool failed"] += 1
    elif kind in ("completed", "error"):
        turns.lost[f"what it says when it has ended: {kind}"] += 1
        return str(kind)
    else:
        turns.lost[f"messages: {str(kind)[:40]}"] += 1
    return None


def _add_block(block: Any, turns: Turns) -> None:
    kind = block.get("type") if isinstance(block, Mapping) else None
    if kind == "text":
        turns.say("assistant", _as_text(block.get("text")))
    elif kind == "tool_use":
        turns.call(str(block.get("id")), str(block.get("name")), _args(block))
    else:
        turns.lost[f"parts of a content: {str(kind)[:40]}"] += 1


def _args(message: Mapping[str, Any]) -> Any:
    given = message.get("input", message.get("args"))
    return {} if given is None else given


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
