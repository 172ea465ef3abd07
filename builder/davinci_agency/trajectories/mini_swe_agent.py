"""Reads mini-swe-agent's ``.traj.json``, of mini-swe-agent 2.x (format 1.1) and 1.x; pure.

One file is one run, hence one stage. Top-level ``instance_id``, as mini-swe-agent's own batch
runner writes it, ``attempt``, ``stage``, ``model_patch`` and ``verdict`` {score, judge, rationale,
resolved} are taken where they are there.

Changed on the way, since the format does it otherwise:

- arguments of tool calls, which are strings, become objects;
- a content of ``null`` becomes the empty string;
- ``extra``, ``function_call`` and ``provider_specific_fields`` are left out: how the scaffold
  keeps its books, raw copies of the same text, and what a provider added;
- the last message, whose role is ``exit``, is no turn. Its text answers the call that submitted
  where another stage follows; in the last stage that call stays open;
- the tool ``bash``, which the file does not hold, is supplied where a call names it.

1.x knows no tools: its commands stand in fenced blocks and what they print is the user's. So it
stays, for so the model was asked. What ended the run is the user's last turn, and is no turn here.
The first ones don't say their format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.rollout import (
    Conversation,
    TrajectoryError,
    Verdict,
    normal_messages,
    typed,
)

_LEFT_OUT = ("extra", "function_call", "provider_specific_fields", "timestamp")
_FIRST = ("mini-swe-agent-1", "mini-swe-agent-1.0")
"""The formats of 1.x."""
_BASH: JsonObject = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "Execute a bash command",
        "parameters": {
            "type": "object",
            "properties": {
                "command": {"type": "string", "description": "The bash command to execute"}
            },
            "required": ["command"],
        },
    },
}


class _Model(msgspec.Struct):
    model_name: str | None = None


class _Config(msgspec.Struct):
    model: _Model = msgspec.field(default_factory=_Model)


class _Info(msgspec.Struct):
    exit_status: str | None = None
    submission: str | None = None
    mini_version: str | None = None
    model_stats: Any = None
    config: _Config = msgspec.field(default_factory=_Config)


class _Trajectory(msgspec.Struct):
    info: _Info
    messages: list[Any]
    trajectory_format: str = _FIRST[0]
    instance_id: str | None = None
    attempt: int | None = None
    stage: int | None = None
    model_patch: str | None = None
    verdict: Verdict = msgspec.field(default_factory=Verdict)


def fits(value: Any) -> bool:
    """Tell whether a JSON document is a run of mini-swe-agent."""
    if not isinstance(value, Mapping):
        return False
    info = value.get("info")
    says = isinstance(info, Mapping) and {"exit_status", "submission"} <= info.keys()
    default = _FIRST[0] if says and isinstance(value.get("messages"), list) else ""
    return str(value.get("trajectory_format", default)).startswith("mini-swe-agent")


def read(value: Any) -> Conversation:
    """Return one file's run. Raises `TrajectoryError` saying what is wrong with it."""
    whole = typed(value, _Trajectory)
    if not whole.trajectory_format.startswith("mini-swe-agent-1"):
        reason = f"{whole.trajectory_format[:80]!r} is no format of mini-swe-agent 1 or 2"
        raise TrajectoryError("$.trajectory_format", reason)
    every = normal_messages(whole.messages, _LEFT_OUT)
    messages = [message for message in every if message.get("role") != "exit"]
    exits = [message for message in every if message.get("role") == "exit"]
    lost = 0
    while whole.trajectory_format in _FIRST and messages and messages[-1].get("role") == "user":
        messages.pop()
        lost += 1
    if not messages:
        raise TrajectoryError("$.messages", "there are no messages")
    info = whole.info
    patches = [whole.model_patch or "", info.submission or ""]
    return Conversation(
        messages=tuple(messages),
        source_format="mini-swe-agent",
        scaffold=Scaffold("mini-swe-agent", info.mini_version),
        model=info.config.model.model_name,
        tools=(_BASH,) if any(message.get("tool_calls") for message in messages) else (),
        patch=next((patch for patch in patches if patch.startswith("diff --git ")), ""),
        exit_status=info.exit_status,
        task_id=whole.instance_id,
        attempt=whole.attempt,
        stage=whole.stage,
        is_one_stage=True,
        verdict=whole.verdict,
        closing=_closing_answers(messages[-1], exits),
        not_carried={"words that ended the run": lost} if lost else {},
        metadata={"model_stats": info.model_stats, "format": whole.trajectory_format},
    )


def _closing_answers(last: JsonObject, exits: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    content = str(exits[-1]["content"]) if exits else ""
    return tuple(
        {"role": "tool", "tool_call_id": call.get("id"), "content": content}
        for call in last.get("tool_calls", ())
    )
