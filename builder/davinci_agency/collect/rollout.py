"""What every trajectory format is read into, and the rules that its conversation must follow; pure.

A `Rollout` is one stage's conversation, or a whole task's with the places where its stages begin.
`make_attempt` refuses what `conversation_flaw` finds and mends nothing: a reader knows how its
format says a thing, and what is still wrong after it, nobody can know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import orjson

from davinci_agency.conversation import Flaw, call_flaw, conversation_flaw
from davinci_agency.ids import content_id
from davinci_agency.records import (
    SCHEMA_VERSION,
    Attempt,
    AttemptStage,
    JsonObject,
    Judge,
    Scaffold,
    SourceFormat,
)
from davinci_agency.schema import cut_short

T = TypeVar("T")


class TrajectoryError(Exception):
    """A trajectory can't be used; says where in it the fault is, and what it is."""

    def __init__(self, json_path: str, reason: str) -> None:
        super().__init__(reason)
        self.json_path = json_path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody thinks of a rollout; all ``None`` when nobody looked."""

    score: float | None = None
    judge: str | None = None
    rationale: str | None = None
    resolved: bool | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """One conversation about one task.

    Attributes:
        task_id: the task it is about.
        attempt: which attempt at the task, from 1.
        stage: the stage it is about, from 1; ``None`` if it holds all stages.
        messages: the turns, OpenAI-style, tool-call arguments as objects.
        stages: the conversation's parts, one for each stage that it holds.
        tools: the tools that the model was given.
        scaffold, model: who worked.
        source_format, source_sha256: what it was read from.
        exit_status: how it ended.
        verdict: what somebody thinks of it.
        refinements: how often the agent was sent back.
        metadata: what else the source says.
        closing: what answers the calls that the last message left open, if another stage follows.
    """

    task_id: str
    attempt: int
    stage: int | None
    messages: tuple[JsonObject, ...]
    stages: tuple[AttemptStage, ...]
    tools: tuple[JsonObject, ...]
    scaffold: Scaffold
    model: str | None
    source_format: SourceFormat
    source_sha256: str
    exit_status: str | None = None
    verdict: Verdict = Verdict()
    refinements: int = 0
    metadata: JsonObject = field(default_factory=dict)
    closing: tuple[JsonObject, ...] = ()


def typed(value: Any, kind: type[T]) -> T:
    """Return JSON as a type; raises `TrajectoryError` naming the place where it is another one."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `")
        raise TrajectoryError(place.removesuffix("`") or "$", what) from error


def _with_object_arguments(call: Any, path: str) -> Any:
    """Return a tool call whose arguments are an object, though it came with them as a string.

    Trainers' chat templates fail on strings or encode them twice. Raises `TrajectoryError` if the
    string is no JSON object: the model wrote nonsense, and nobody can say what it meant.
    """
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = orjson.loads(function["arguments"] or "{}")
    except orjson.JSONDecodeError as error:
        raise TrajectoryError(
            f"{path}.function.arguments",
            f"the arguments {cut_short(function['arguments'])} are no JSON",
        ) from error
    return {**call, "function": {**function, "arguments": arguments}}


def normal_messages(raw: Any, left_out: Sequence[str] = ()) -> list[JsonObject]:
    """Return turns with a content that is never null and calls whose arguments are objects.

    Properties ``left_out`` and empty lists of calls are dropped. Raises `TrajectoryError` if there
    are no turns.
    """
    if not isinstance(raw, list) or not raw:
        raise TrajectoryError("$.messages", "there are no messages")
    messages: list[JsonObject] = []
    for place, message in enumerate(raw):
        path = f"$.messages[{place}]"
        if not isinstance(message, Mapping):
            raise TrajectoryError(path, "a message is no object")
        turn = {key: item for key, item in message.items() if key not in left_out}
        turn["content"] = "" if turn.get("content") is None else turn["content"]
        calls = turn.pop("tool_calls", None)
        if calls:
            turn["tool_calls"] = _normal_calls(calls, f"{path}.tool_calls")
        if "tool_call_id" in turn and not isinstance(turn["tool_call_id"], str):
            raise TrajectoryError(f"{path}.tool_call_id", "the id of the call is no text")
        messages.append(turn)
    return messages


def _normal_calls(calls: Any, path: str) -> list[Any]:
    if not isinstance(calls, list):
        raise TrajectoryError(path, "the calls of tools are no list")
    normal = [_with_object_arguments(call, f"{path}[{n}]") for n, call in enumerate(calls)]
    for place, call in enumerate(normal):
        _refuse(call_flaw(call, f"{path}[{place}]"))
    return normal


def _refuse(flaw: Flaw | None) -> None:
    if flaw is not None:
        raise TrajectoryError(flaw.json_path, flaw.reason)


def make_attempt(rollout: Rollout) -> Attempt:
    """Return a whole rollout as an attempt. Raises `TrajectoryError` if its conversation is bad."""
    _refuse(conversation_flaw(rollout.messages))
    verdict = rollout.verdict
    assistant = [message for message in rollout.messages if message["role"] == "assistant"]
    return Attempt(
        schema_version=SCHEMA_VERSION,
        attempt_id=content_id(
            "attempt",
            rollout.task_id,
            rollout.attempt,
            rollout.scaffold,
            rollout.model,
            rollout.messages,
            rollout.tools,
            rollout.stages,
        ),
        task_id=rollout.task_id,
        split="train",
        marks=(),
        scaffold=rollout.scaffold,
        model=rollout.model,
        source_format=rollout.source_format,
        source_sha256=rollout.source_sha256,
        exit_status=rollout.exit_status,
        stages=rollout.stages,
        messages=rollout.messages,
        tools=rollout.tools,
        model_patch=rollout.stages[-1].model_patch,
        score=verdict.score,
        judge=Judge(verdict.judge, verdict.rationale) if verdict.judge is not None else None,
        resolved=verdict.resolved,
        refinements=rollout.refinements,
        num_turns=len(assistant),
        num_tool_calls=sum(len(message.get("tool_calls") or ()) for message in assistant),
        num_tokens=None,
        metadata=rollout.metadata,
    )
