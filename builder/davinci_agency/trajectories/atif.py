"""Reads Harbor's agent trajectory interchange format (ATIF) 1.x; pure.

One document is one run. Steps that only copy a context are passed over, and so are subagents. What
an observation says without naming its call answers the calls of its step in order; what is left of
it then is said by the user, as converters write down feedback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.assembling import Turns, text_of
from davinci_agency.trajectories.rollout import (
    Conversation,
    TrajectoryError,
    normal_messages,
    typed,
)

_ROLES = {"system": "system", "user": "user", "agent": "assistant"}


class _Agent(msgspec.Struct):
    name: str = "unknown"
    version: str | None = None
    model_name: str | None = None
    tool_definitions: list[dict[str, Any]] | None = None


class _Step(msgspec.Struct):
    source: str
    message: Any = None
    model_name: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    observation: dict[str, Any] | None = None
    is_copied_context: bool | None = None
    metrics: Any = None


class _Whole(msgspec.Struct):
    schema_version: str
    steps: list[_Step]
    agent: _Agent = msgspec.field(default_factory=_Agent)
    final_metrics: Any = None


def fits(value: Any) -> bool:
    """Tell whether a JSON document is in this format."""
    return isinstance(value, Mapping) and str(value.get("schema_version", "")).startswith("ATIF-v")


def read(value: Any) -> Conversation:
    """Return one run. Raises `TrajectoryError` saying what is wrong with it."""
    whole = typed(value, _Whole)
    turns = Turns()
    model = whole.agent.model_name
    for place, step in enumerate(whole.steps):
        if step.is_copied_context:
            turns.lost["steps that copy a context"] += 1
            continue
        role = _ROLES.get(step.source)
        if role is None:
            raise TrajectoryError(f"$.steps[{place}].source", "nobody knows who speaks")
        model = model or step.model_name
        turns.lost["measures of steps"] += step.metrics is not None
        turns.think(step.reasoning_content or "")
        text = text_of(step.message, turns)
        if text or role != "assistant":
            turns.say(role, text)
        waiting = _call(step, turns, place)
        _observe(step.observation or {}, waiting, turns)
    said, rest = turns.done()
    closing = tuple(turn for turn in rest if turn["role"] == "tool")
    turns.lost["last words that nobody answered"] += len(rest) - len(closing)
    tools: list[JsonObject] = whole.agent.tool_definitions or []
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="atif",
        scaffold=Scaffold(whole.agent.name, whole.agent.version),
        model=model,
        tools=tuple(tools),
        closing=closing,
        not_carried=+turns.lost,
        metadata={"final_metrics": whole.final_metrics, "format": whole.schema_version},
    )


def _call(step: _Step, turns: Turns, place: int) -> list[str]:
    """Add the calls of a step, and return their ids."""
    ids: list[str] = []
    for number, call in enumerate(step.tool_calls or ()):
        call_id = call.get("tool_call_id") or f"call_{place}_{number}"
        name = call.get("function_name")
        if not isinstance(call_id, str) or not isinstance(name, str):
            path = f"$.steps[{place}].tool_calls[{number}]"
            raise TrajectoryError(path, "a call has no id, or no name")
        turns.call(call_id, name, call.get("arguments") or {})
        ids.append(call_id)
    return ids


def _observe(observation: Mapping[str, Any], waiting: list[str], turns: Turns) -> None:
    results = observation.get("results")
    for result in results if isinstance(results, list) else []:
        if not isinstance(result, Mapping):
            turns.lost["results that are no objects"] += 1
            continue
        turns.lost["runs of subagents"] += "subagent_trajectory_ref" in result
        text = text_of(result.get("content"), turns)
        named = result.get("source_call_id")
        if isinstance(named, str) and named in waiting:
            waiting.remove(named)
            turns.answer(named, text)
        elif waiting:
            turns.answer(waiting.pop(0), text)
        else:
            turns.say("user", text)
