"""Reads plain OpenAI-style conversations, one JSON object a line; pure.

A line needs ``task_id``, or SWE-bench's ``instance_id``, and ``messages``, and may have ``tools``,
``attempt``, ``model``, ``scaffold`` (a name, or {name, version}), ``model_patch``,
``exit_status``, ``score``, ``judge`` (a name, or {name, rationale}), ``resolved``,
``refinements``, ``metadata``, and for a task of several stages ``stages``: a list of
{message_start, message_end, model_patch, exit_status}. Without ``stages``, a conversation with one
user turn for each stage is cut at those turns.

Changed on the way: arguments of tool calls that are strings become objects, a content of ``null``
becomes the empty string, and other properties of turns and tools that are ``null``, as tables fill
them in, are dropped. Properties not named here are kept in ``metadata``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from davinci_agency.records import AttemptStage, Judge, Scaffold
from davinci_agency.trajectories.rollout import (
    Conversation,
    TrajectoryError,
    Verdict,
    normal_messages,
    typed,
    without_nulls,
)


class _Stage(msgspec.Struct):
    message_start: int
    message_end: int
    model_patch: str = ""
    exit_status: str | None = None


class _Line(msgspec.Struct):
    messages: list[Any]
    task_id: str | None = None
    tools: list[dict[str, Any]] | None = None
    attempt: int | None = None
    model: str | None = None
    scaffold: Scaffold | str | None = None
    model_patch: str | None = None
    exit_status: str | None = None
    score: float | None = None
    judge: Judge | str | None = None
    resolved: bool | None = None
    refinements: int = 0
    metadata: dict[str, Any] | None = None
    stages: list[_Stage] | None = None


def fits(value: Any) -> bool:
    """Tell whether a JSON object is such a conversation."""
    messages = value.get("messages") if isinstance(value, Mapping) else None
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(isinstance(turn, Mapping) and "role" in turn for turn in messages)
        and "trajectory_format" not in value
    )


def read(value: Any) -> Conversation:
    """Return one line's conversation. Raises `TrajectoryError` saying what is wrong with it."""
    line = typed(_completed(value), _Line)
    messages = normal_messages(line.messages)
    scaffold, judge = line.scaffold or "unknown", line.judge
    judge = Judge(judge, None) if isinstance(judge, str) else judge
    instance = value.get("instance_id")
    other = {key: item for key, item in value.items() if key not in _Line.__struct_fields__}
    return Conversation(
        messages=tuple(messages),
        source_format="openai-messages",
        scaffold=Scaffold(scaffold, None) if isinstance(scaffold, str) else scaffold,
        model=line.model,
        tools=tuple(without_nulls(line.tools or [])),
        patch=line.model_patch or "",
        exit_status=line.exit_status,
        task_id=line.task_id or (instance if isinstance(instance, str) else None),
        attempt=line.attempt,
        stages=_said_stages(line.stages, len(messages)) if line.stages else None,
        verdict=Verdict(
            line.score,
            judge.name if judge else None,
            judge.rationale if judge else None,
            line.resolved,
        ),
        refinements=line.refinements,
        metadata={**(line.metadata or {}), **other},
    )


def _completed(value: Any) -> Any:
    """Return a line in which a scaffold and a judge have every property, as records want it."""
    if not isinstance(value, Mapping):
        return value
    defaults = {"scaffold": {"version": None}, "judge": {"rationale": None}}
    return {
        key: {**defaults[key], **item} if key in defaults and isinstance(item, Mapping) else item
        for key, item in value.items()
    }


def _said_stages(stages: Sequence[_Stage], count: int) -> tuple[AttemptStage, ...]:
    bounds = [(stage.message_start, stage.message_end) for stage in stages]
    apart = all(before[1] <= after[0] for before, after in pairwise(bounds))
    if not apart or any(not 0 <= start < end <= count for start, end in bounds):
        raise TrajectoryError("$.stages", f"the stages overlap or leave the {count} messages")
    return tuple(
        AttemptStage(stage.message_start, stage.message_end, stage.model_patch, stage.exit_status)
        for stage in stages
    )
