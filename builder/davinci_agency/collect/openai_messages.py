"""Reads plain OpenAI-style conversations, one JSON object a line; pure.

A line needs ``task_id`` and ``messages``, and may have ``tools``, ``attempt``, ``model``,
``scaffold`` (a name, or {name, version}), ``model_patch``, ``exit_status``, ``score``, ``judge`` (a
name, or {name, rationale}), ``resolved``, ``refinements``, ``metadata``, and for a task of several
stages ``stages``: a list of {message_start, message_end, model_patch, exit_status}. Without
``stages``, a conversation with one user turn for each stage is cut at those turns.

Changed on the way: arguments of tool calls that are strings become objects, and a content of
``null`` becomes the empty string. Properties not named here are kept in ``metadata``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from davinci_agency.collect.rollout import Rollout, TrajectoryError, Verdict, normal_messages, typed
from davinci_agency.records import AttemptStage, JsonObject, Judge, Scaffold


class _Stage(msgspec.Struct):
    message_start: int
    message_end: int
    model_patch: str = ""
    exit_status: str | None = None


class _Line(msgspec.Struct):
    task_id: str
    messages: list[Any]
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


def read_rollout(value: Any, number_of_stages: int, sha256: str) -> Rollout:
    """Return one line's conversation about a task of so many stages.

    Raises `TrajectoryError` saying what is wrong with it.
    """
    line = typed(_completed(value), _Line)
    messages = normal_messages(line.messages)
    scaffold, judge = line.scaffold or "unknown", line.judge
    judge = Judge(judge, None) if isinstance(judge, str) else judge
    other = {key: item for key, item in value.items() if key not in _Line.__struct_fields__}
    return Rollout(
        task_id=line.task_id,
        attempt=line.attempt or 1,
        stage=None,
        messages=tuple(messages),
        stages=_stages(line, messages, number_of_stages),
        tools=tuple(line.tools or ()),
        scaffold=Scaffold(scaffold, None) if isinstance(scaffold, str) else scaffold,
        model=line.model,
        source_format="openai-messages",
        source_sha256=sha256,
        exit_status=line.exit_status,
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


def _stages(line: _Line, messages: Sequence[JsonObject], count: int) -> tuple[AttemptStage, ...]:
    if line.stages:
        return _said_stages(line.stages, len(messages))
    patch = line.model_patch or ""
    if count == 1:
        return (AttemptStage(0, len(messages), patch, line.exit_status),)
    starts = [place for place, message in enumerate(messages) if message.get("role") == "user"]
    if len(starts) != count:
        raise TrajectoryError(
            "$.messages",
            f"the task has {count} stages and the conversation {len(starts)} user turns; "
            "say with stages which messages belong to which",
        )
    bounds = [0, *starts[1:], len(messages)]
    patches = [""] * (count - 1) + [patch]
    return tuple(
        AttemptStage(start, end, stage_patch, line.exit_status)
        for (start, end), stage_patch in zip(pairwise(bounds), patches, strict=True)
    )


def _said_stages(stages: Sequence[_Stage], count: int) -> tuple[AttemptStage, ...]:
    bounds = [(stage.message_start, stage.message_end) for stage in stages]
    apart = all(before[1] <= after[0] for before, after in pairwise(bounds))
    if not apart or any(not 0 <= start < end <= count for start, end in bounds):
        raise TrajectoryError("$.stages", f"the stages overlap or leave the {count} messages")
    return tuple(
        AttemptStage(stage.message_start, stage.message_end, stage.model_patch, stage.exit_status)
        for stage in stages
    )
