"""Reads ShareGPT's conversations, as LLaMA-Factory and others have them; pure.

``conversations`` is a list of {from, value}: ``human``, ``gpt``, ``system``, ``function_call`` and
``observation``; ``system`` and ``tools`` (JSON as text) may stand beside it, and the task as with
OpenAI-style lines: ``task_id``, ``attempt``, ``model``.

Changed on the way: a ``function_call`` is JSON as text, {name, arguments} or a list of such, and
becomes calls with ids, since the format has none; each ``observation`` answers the oldest open one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.rollout import (
    Conversation,
    TrajectoryError,
    normal_messages,
    typed,
)

_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}
_CALLS = frozenset({"function_call", "tool_call"})
_ANSWERS = frozenset({"observation", "tool", "function_response", "tool_response"})
_KNOWN = frozenset({"conversations", "system", "tools", "task_id", "attempt", "model"})


class _Line(msgspec.Struct):
    conversations: list[dict[str, Any]]
    system: str | None = None
    tools: str | list[dict[str, Any]] | None = None
    task_id: str | None = None
    attempt: int | None = None
    model: str | None = None


def fits(value: Any) -> bool:
    """Tell whether a JSON object is such a conversation."""
    turns = value.get("conversations") if isinstance(value, Mapping) else None
    return (
        isinstance(turns, list)
        and bool(turns)
        and all(isinstance(turn, Mapping) and {"from", "value"} <= turn.keys() for turn in turns)
    )


def read(value: Any) -> Conversation:
    """Return one conversation. Raises `TrajectoryError` saying what is wrong with it."""
    line = typed(value, _Line)
    turns: list[JsonObject] = []
    if line.system:
        turns.append({"role": "system", "content": line.system})
    waiting: deque[str] = deque()
    numbers = iter(range(1, 10**9))
    lost: dict[str, int] = {}
    for place, turn in enumerate(line.conversations):
        path = f"$.conversations[{place}]"
        who, said = turn.get("from"), turn.get("value")
        if not isinstance(said, str):
            raise TrajectoryError(f"{path}.value", "what is said is no text")
        if not isinstance(who, str):
            raise TrajectoryError(f"{path}.from", "who says it is no text")
        for name in turn.keys() - {"from", "value"}:
            lost[f"{name} of turns"[:80]] = lost.get(f"{name} of turns"[:80], 0) + 1
        if who in _CALLS:
            calls = _calls(said, path)
            ids = [f"call_{next(numbers)}" for _ in calls]
            waiting.extend(ids)
            made = [
                {"id": call_id, "type": "function", "function": call}
                for call_id, call in zip(ids, calls, strict=True)
            ]
            turns.append({"role": "assistant", "content": "", "tool_calls": made})
        elif who in _ANSWERS and waiting:
            turns.append({"role": "tool", "tool_call_id": waiting.popleft(), "content": said})
        elif who in _ANSWERS:
            # The call stands in the words before it, as some chat formats write it.
            turns.append({"role": "user", "content": said})
        elif who in _ROLES:
            turns.append({"role": _ROLES[who], "content": said})
        else:
            raise TrajectoryError(f"{path}.from", f"nobody knows who {who[:80]!r} is")
    return Conversation(
        messages=tuple(normal_messages(turns)),
        source_format="sharegpt",
        scaffold=Scaffold("unknown", None),
        model=line.model,
        tools=_tools(line.tools),
        task_id=line.task_id,
        attempt=line.attempt,
        not_carried=lost,
        metadata={key: item for key, item in value.items() if key not in _KNOWN},
    )


def _calls(said: str, path: str) -> list[JsonObject]:
    try:
        value = orjson.loads(said)
    except orjson.JSONDecodeError as error:
        raise TrajectoryError(f"{path}.value", f"the call is no JSON ({error})") from error
    calls = value if isinstance(value, list) else [value]
    if not calls or not all(isinstance(call, dict) for call in calls):
        raise TrajectoryError(f"{path}.value", "the call is no object")
    return calls


def _tools(tools: str | list[dict[str, Any]] | None) -> tuple[JsonObject, ...]:
    if isinstance(tools, str):
        try:
            tools = orjson.loads(tools) if tools.strip() else []
        except orjson.JSONDecodeError as error:
            raise TrajectoryError("$.tools", f"the tools are no JSON ({error})") from error
    if not isinstance(tools or [], list) or not all(isinstance(t, dict) for t in tools or ()):
        raise TrajectoryError("$.tools", "the tools are no list of objects")
    return tuple(tools or ())
