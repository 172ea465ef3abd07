"""Which attempts are samples, and what a sample is made of; pure."""

from __future__ import annotations

from dataclasses import dataclass

from davinci_agency.ids import content_id
from davinci_agency.records import (
    SCHEMA_VERSION,
    Attempt,
    Sample,
    SampleJudge,
    SampleStage,
    Split,
    Task,
    as_stage,
)

Refusal = tuple[str, str, float | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What of an attempt decides whether it is a sample.

    Attributes:
        task_id, attempt_id, split: which one it is.
        score: how good it is; ``None`` if nobody judged it.
        resolved: whether the pull request's own tests pass after it; ``None`` if nobody knows.
        stages: how many it covers.
        has_last_word: whether the assistant ends it.
    """

    task_id: str
    attempt_id: str
    split: Split
    score: float | None
    resolved: bool | None
    stages: int
    has_last_word: bool


def candidate_of(attempt: Attempt) -> Candidate:
    """Return what of an attempt decides whether it is a sample."""
    return Candidate(
        attempt.task_id,
        attempt.attempt_id,
        attempt.split,
        None if attempt.judge is None else attempt.score,
        attempt.resolved,
        len(attempt.stages),
        attempt.messages[-1].get("role") == "assistant",
    )


def refusal(candidate: Candidate, stages: int, threshold: float) -> Refusal | None:
    """Return why an attempt is no sample: rule, reason and measure; ``None`` if it is one.

    A sample was judged at the threshold or above, is not known to fail the pull request's own
    tests, covers all ``stages`` of its task, and ends with the assistant's word.
    """
    score = candidate.score
    if score is None:
        return "not-judged", "nobody judged it; give it a score and a judge", None
    if score < threshold:
        reason = f"its score is {score:g}; at least {threshold:g} is asked for"
        return "below-threshold", reason, score
    if candidate.resolved is False:
        return "not-resolved", "the pull request's own tests fail after it", None
    if candidate.stages != stages:
        reason = f"it covers {candidate.stages} of {stages} stages"
        return "incomplete", reason, float(candidate.stages)
    if not candidate.has_last_word:
        return "unfinished", "it does not end with the assistant's word", None
    return None


def sample_id(task_id: str, attempt_id: str) -> str:
    """Return the id of the sample that an attempt at a task would make."""
    return content_id("sample", task_id, attempt_id)


def make_sample(task: Task, attempt: Attempt, threshold: float) -> Sample:
    """Return the sample that an accepted attempt makes with its task."""
    if attempt.score is None or attempt.judge is None:
        raise ValueError(f"{attempt.attempt_id} was not judged")
    return Sample(
        schema_version=SCHEMA_VERSION,
        sample_id=sample_id(attempt.task_id, attempt.attempt_id),
        task_id=task.task_id,
        attempt_id=attempt.attempt_id,
        chain_id=task.chain_id,
        kind=task.kind,
        repo=task.repo,
        license=task.license,
        language=task.language,
        split_group=task.split_group,
        split=task.split,
        marks=tuple(sorted({*task.marks, *attempt.marks})),
        stages=tuple(
            as_stage(
                stage,
                SampleStage,
                message_start=part.message_start,
                message_end=part.message_end,
                model_patch=part.model_patch,
                score=part.score,
                start_tree=part.start_tree,
                rounds=part.rounds,
            )
            for stage, part in zip(task.stages, attempt.stages, strict=True)
        ),
        edges=task.edges,
        messages=attempt.messages,
        tools=attempt.tools,
        model_patch=attempt.model_patch,
        scaffold=attempt.scaffold,
        model=attempt.model,
        source_format=attempt.source_format,
        source_sha256=attempt.source_sha256,
        score=attempt.score,
        judge=SampleJudge(attempt.judge.name, attempt.judge.rationale, threshold),
        resolved=attempt.resolved,
        refinements=attempt.refinements,
        num_turns=attempt.num_turns,
        num_tool_calls=attempt.num_tool_calls,
        num_tokens=attempt.num_tokens,
        tokenizer=attempt.tokenizer,
        horizon=attempt.horizon,
    )
