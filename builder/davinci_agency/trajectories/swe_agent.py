"""Reads SWE-agent's ``.traj``; pure.

Its ``history`` is the conversation as the model saw it. One file is one run, hence one stage; its
``environment`` names the instance.

Changed on the way, since the format does it otherwise:

- arguments of tool calls, which are strings, become objects;
- a content of text parts becomes their text;
- ``tool_call_ids`` becomes ``tool_call_id``, one turn for each call;
- ``thought`` and ``action`` are left out where content and calls say the same, and so are marks for
  caches and what kind of message a turn is;
- the last observation, if nobody spoke after it, is no turn: it answers the last call where another
  stage follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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

_LEFT_OUT = ("agent", "message_type", "thought", "action", "cache_control", "is_demo", "tags")


class _Info(msgspec.Struct):
    exit_status: str | None = None
    submission: str | None = None
    swe_agent_version: str | None = None
    model_stats: Any = None


class _Whole(msgspec.Struct):
    history: list[dict[str, Any]]
    trajectory: list[Any] = msgspec.field(default_factory=list)
    info: _Info = msgspec.field(default_factory=_Info)
    replay_config: str | dict[str, Any] | None = None
    environment: str | None = None


def fits(value: Any) -> bool:
    """Tell whether a JSON document is a run of SWE-agent."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("history"), list)
        and isinstance(value.get("trajectory"), list)
    )


def read(value: Any) -> Conversation:
    """Return one file's run. Raises `TrajectoryError` saying what is wrong with it."""
    whole = typed(value, _Whole)
    lost: Counter[str] = Counter()
    main = [turn for turn in whole.history if turn.get("agent", "main") == "main"]
    lost["turns of other agents"] = len(whole.history) - len(main)
    lost["states and times of steps"] = len(whole.trajectory)
    turns = [part for turn in main for part in _turns(turn)]
    if any(turn.get("tool_calls") for turn in turns):
        lost["schemas of tools, which the format does not hold"] = 1
    messages = normal_messages(turns, _LEFT_OUT)
    spoken = len(messages)
    while spoken and messages[spoken - 1].get("role") != "assistant":
        spoken -= 1
    if not spoken:
        raise TrajectoryError("$.history", "the assistant never speaks")
    rest = tuple(messages[spoken:])
    closing = tuple(turn for turn in rest if turn.get("role") == "tool")
    lost["last words that nobody answered"] = len(rest) - len(closing)
    info = whole.info
    patch = info.submission or ""
    return Conversation(
        messages=tuple(messages[:spoken]),
        source_format="swe-agent",
        scaffold=Scaffold("swe-agent", info.swe_agent_version),
        model=_model(whole.replay_config),
        patch=patch if patch.startswith("diff --git ") else "",
        exit_status=info.exit_status,
        task_id=None,
        is_one_stage=True,
        closing=closing,
        not_carried=+lost,
        metadata={"model_stats": info.model_stats, "environment": whole.environment},
    )


def _turns(turn: Mapping[str, Any]) -> list[JsonObject]:
    """Return a turn as OpenAI has it: of an answer to several calls one for each."""
    plain = {**turn, "content": _text(turn.get("content"))}
    ids = plain.pop("tool_call_ids", None)
    if turn.get("role") != "tool":
        return [plain]
    if not isinstance(ids, list) or not ids:
        # Without a call to answer it is what the environment says.
        return [{**plain, "role": "user"}]
    return [
        {**plain, "tool_call_id": call_id, "content": plain["content"] if n == 0 else ""}
        for n, call_id in enumerate(ids)
    ]


def _text(content: Any) -> Any:
    """Return a content of nothing but text as that text."""
    if not isinstance(content, list) or not content:
        return content
    parts: Sequence[Any] = content
    if all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts):
        return "\n".join(str(part.get("text", "")) for part in parts)
    return content


def _model(config: str | dict[str, Any] | None) -> str | None:
    """Return the model that a run's configuration names."""
    if isinstance(config, str):
        try:
            config = orjson.loads(config)
        except orjson.JSONDecodeError:
            return None
    found: Any = config
    for name in ("agent", "model", "name"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None
