"""What every trajectory format is read into, and the rules that its conversation must follow; pure.

A reader makes a `Conversation` of a file; with the task that it is about it is a `Rollout`: one
stage's conversation, or a whole task's with the places where its stages begin. `make_attempt`
refuses what `conversation_flaw` finds and mends nothing: a reader knows how its format says a
thing, and what is still wrong after it, nobody can know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
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
    NotCarried,
    Scaffold,
    SourceFormat,
)
from davinci_agency.schema import cut_short
from davinci_agency.tokens import TokenCounter, horizon

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
class Conversation:
    """What a file says of one run, whoever wrote it; which task it is about may stand elsewhere.

    Attributes:
        messages: the turns, OpenAI-style, tool-call arguments as objects (see `normal_messages`).
        source_format: the format it was read from.
        scaffold, model: who worked.
        tools: the tools that the model was given.
        patch: what the agent changed, as a git patch; empty if the file does not hold it.
        exit_status: how it ended.
        task_id, attempt, stage: the task it is about, if the file says so.
        stages: the conversation's parts, if the file says where a task's stages begin.
        is_one_stage: whether its format has a file for each stage, however often the user speaks.
        verdict: what somebody thinks of it.
        refinements: how often the agent was sent back.
        closing: what answers the calls that the last message left open, if another stage follows.
        not_carried: what the file held and this does not: a phrase in plain words, and how often.
        metadata: what else the file says.
    """

    messages: tuple[JsonObject, ...]
    source_format: SourceFormat
    scaffold: Scaffold
    model: str | None = None
    tools: tuple[JsonObject, ...] = ()
    patch: str = ""
    exit_status: str | None = None
    task_id: str | None = None
    attempt: int | None = None
    stage: int | None = None
    stages: tuple[AttemptStage, ...] | None = None
    is_one_stage: bool = False
    verdict: Verdict = Verdict()
    refinements: int = 0
    closing: tuple[JsonObject, ...] = ()
    not_carried: Mapping[str, int] = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A conversation about one task.

    Attributes:
        task_id: the task it is about.
        attempt: which attempt at the task, from 1.
        stage: the stage it is about, from 1; ``None`` if it holds all stages.
        stages: the conversation's parts, one for each stage that it holds.
        said: the conversation itself.
        source_sha256: the digest of what it was read from.
    """

    task_id: str
    attempt: int
    stage: int | None
    stages: tuple[AttemptStage, ...]
    said: Conversation
    source_sha256: str


def cut_at_user_turns(said: Conversation, count: int) -> tuple[AttemptStage, ...]:
    """Return the parts of a conversation that has one user turn for each of so many stages.

    The patch is what had been changed at the end. Raises `TrajectoryError` if the turns differ.
    """
    end = len(said.messages)
    if count == 1:
        return (AttemptStage(0, end, said.patch, said.exit_status),)
    starts = [place for place, turn in enumerate(said.messages) if turn.get("role") == "user"]
    if len(starts) != count:
        raise TrajectoryError(
            "$.messages",
            f"the task has {count} stages and the conversation {len(starts)} user turns; "
            "say with stages which messages belong to which",
        )
    bounds = [0, *starts[1:], end]
    patches = [""] * (count - 1) + [said.patch]
    return tuple(
        AttemptStage(start, end, patch, said.exit_status)
        for (start, end), patch in zip(pairwise(bounds), patches, strict=True)
    )


def typed(value: Any, kind: type[T]) -> T:
    """Return JSON as a type; raises `TrajectoryError` naming the place where it is another one."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `")
        raise TrajectoryError(place.removesuffix("`") or "$", what) from error


def _with_object_arguments(call: Any, path: str) -> Any:
    """Return a tool call whose arguments are an object, though it came with them as a string.

    Properties that are null are dropped.

    Trainers' chat templates fail on strings or encode them twice. Raises `TrajectoryError` if the
    string is no JSON object: the model wrote nonsense, and nobody can say what it meant.
    """
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        return call
    call = {key: item for key, item in call.items() if item is not None}
    if not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = orjson.loads(function["arguments"] or "{}")
    except orjson.JSONDecodeError as error:
        raise TrajectoryError(
            f"{path}.function.arguments",
            f"the arguments {cut_short(function['arguments'])} are no JSON",
        ) from error
    return {**call, "function": {**function, "arguments": arguments}}


def without_nulls(value: Any) -> Any:
    """Return JSON without the properties that are null: tables fill all rows with all of them."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def normal_messages(raw: Any, left_out: Sequence[str] = ()) -> list[JsonObject]:
    """Return turns with a content that is never null and calls whose arguments are objects.

    Properties ``left_out``, those that are null and empty lists of calls are dropped. Raises
    `TrajectoryError` if there are no turns.
    """
    if not isinstance(raw, list) or not raw:
        raise TrajectoryError("$.messages", "there are no messages")
    messages: list[JsonObject] = []
    for place, message in enumerate(raw):
        path = f"$.messages[{place}]"
        if not isinstance(message, Mapping):
            raise TrajectoryError(path, "a message is no object")
        said = {**message, "content": "" if message.get("content") is None else message["content"]}
        turn = {key: i for key, i in said.items() if i is not None and key not in left_out}
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


def make_attempt(rollout: Rollout, count: TokenCounter | None = None) -> Attempt:
    """Return a whole rollout as an attempt, its tokens counted if there is something to count them.

    Raises `TrajectoryError` if its conversation is bad.
    """
    said = rollout.said
    _refuse(conversation_flaw(said.messages))
    verdict = said.verdict
    assistant = [message for message in said.messages if message["role"] == "assistant"]
    tokens = count.conversation(said.messages, said.tools) if count else None
    return Attempt(
        schema_version=SCHEMA_VERSION,
        attempt_id=content_id(
            "attempt",
            rollout.task_id,
            rollout.attempt,
            said.scaffold,
            said.model,
            said.messages,
            said.tools,
            [
                (part.message_start, part.message_end, part.model_patch, part.exit_status)
                for part in rollout.stages
            ],
        ),
        task_id=rollout.task_id,
        split="train",
        marks=(),
        scaffold=said.scaffold,
        model=said.model,
        source_format=said.source_format,
        source_sha256=rollout.source_sha256,
        exit_status=said.exit_status,
        stages=rollout.stages,
        messages=said.messages,
        tools=said.tools,
        model_patch=rollout.stages[-1].model_patch,
        score=verdict.score,
        judge=Judge(verdict.judge, verdict.rationale) if verdict.judge is not None else None,
        resolved=verdict.resolved,
        refinements=said.refinements,
        num_turns=len(assistant),
        num_tool_calls=sum(len(message.get("tool_calls") or ()) for message in assistant),
        num_tokens=tokens,
        tokenizer=count.name if count else None,
        horizon=None if tokens is None else horizon(tokens),
        not_carried=tuple(NotCarried(what, n) for what, n in sorted(said.not_carried.items())),
        metadata=said.metadata,
    )
