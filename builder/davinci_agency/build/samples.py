"""Which attempts are samples, and what a sample is made of; pure."""

from __future__ import annotations

from davinci_agency.ids import content_id
from davinci_agency.records import (
    SCHEMA_VERSION,
    Attempt,
    Sample,
    SampleJudge,
    SampleStage,
    Task,
    as_stage,
)

Refusal = tuple[str, str, float | None]


def refusal(attempt: Attempt, task: Task, threshold: float) -> Refusal | None:
    """Return why an attempt is no sample: rule, reason and measure; ``None`` if it is one.

    A sample was judged at the threshold or above, is not known to fail the pull request's own
    tests, covers every stage of its task, and ends with the assistant's word.
    """
    if attempt.score is None or attempt.judge is None:
        return "not-judged", "nobody judged it; give it a score and a judge", None
    if attempt.score < threshold:
        reason = f"its score is {attempt.score:g}; at least {threshold:g} is asked for"
        return "below-threshold", reason, attempt.score
    if attempt.resolved is False:
        return "not-resolved", "the pull request's own tests fail after it", None
    if len(attempt.stages) != len(task.stages):
        reason = f"it covers {len(attempt.stages)} of {len(task.stages)} stages"
        return "incomplete", reason, float(len(attempt.stages))
    if attempt.messages[-1].get("role") != "assistant":
        return "unfinished", "it does not end with the assistant's word", None
    return None


def sample_id(attempt: Attempt) -> str:
    """Return the id of the sample that an attempt would make."""
    return content_id("sample", attempt.task_id, attempt.attempt_id)


def make_sample(task: Task, attempt: Attempt, threshold: float) -> Sample:
    """Return the sample that an accepted attempt makes with its task."""
    if attempt.score is None or attempt.judge is None:
        raise ValueError(f"{attempt.attempt_id} was not judged")
    return Sample(
        schema_version=SCHEMA_VERSION,
        sample_id=sample_id(attempt),
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
