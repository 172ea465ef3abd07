"""Attempts that were made elsewhere, judged: the stage's main sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from davinci_agency.errors import DataError
from davinci_agency.evaluate.accepting import Acceptance
from davinci_agency.evaluation import Evaluation, Submission, Tree, is_cumulative, true_stages
from davinci_agency.jsonl import open_records
from davinci_agency.parallel import threaded_map
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import Attempt, Judge, Task
from davinci_agency.repository.carrying import TrueStage, stage_start
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import Source
from davinci_agency.repository.states import States
from davinci_agency.stage import Summary, stage_output


@dataclass(frozen=True, slots=True)
class _Unjudged:
    """Why an attempt can't be judged."""

    reason: str


def judge_attempts(
    attempts: Sequence[Path],
    tasks: Sequence[Path],
    out: Path,
    acceptance: Acceptance,
    *,
    clones: Mapping[str, Source] | None = None,
    workers: int = 1,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Judge the attempts of some files anew, and write them with the verdict.

    Where there is a clone, the pull requests' own tests are run, too. An attempt that nobody could
    judge is quarantined with the reason. Counted are the attempts.
    """
    with (
        stage_output("judge", out, strict=strict) as output,
        open_records(tasks, Task, output, progress, counted=False) as known,
        open_records(attempts, Attempt, output, progress) as records,
        ExitStack() as stack,
    ):
        states = {
            repo: States(stack.enter_context(open_overlay(source)))
            for repo, source in (clones or {}).items()
        }

        def judged(attempt: Attempt) -> Attempt | _Unjudged:
            place = known.find(attempt.task_id)
            if place is None:
                return _Unjudged(f"its task {attempt.task_id} is not there")
            task = known.read(place)
            return _judged(acceptance, task, attempt, states.get(task.repo))

        accepted = 0
        tracked = track(records, progress, "judge attempts", len(records))
        for place, said in enumerate(threaded_map(judged, tracked, workers)):
            if isinstance(said, _Unjudged):
                output.quarantine(records.note(place, "$", said.reason))
                continue
            is_good = said.score is not None and said.score >= acceptance.threshold
            accepted += is_good and said.resolved is not False
            output.kept += 1
            output.write(said, "attempts")
        output.notes.append(f"{accepted} attempts are accepted, from {acceptance.threshold:g} on")
    return output.summary()


def _judged(
    acceptance: Acceptance, task: Task, attempt: Attempt, states: States | None
) -> Attempt | _Unjudged:
    if len(attempt.stages) > len(task.stages):
        return _Unjudged("it has more stages than its task")
    if len(attempt.stages) > 1 and not any(stage.model_patch for stage in attempt.stages[:-1]):
        return _Unjudged("it does not say what was changed at which stage")
    if any(stage.withheld is not None for stage in task.stages):
        return _Unjudged("its patches are withheld; davinci-agency rehydrate makes them again")
    evaluations = []
    for submission in _submissions(task, attempt, states):
        evaluation = acceptance.evaluate(submission)
        if evaluation.error is not None:
            return _Unjudged(f"nobody could judge it: {evaluation.error}")
        evaluations.append(evaluation)
    return _with_verdict(attempt, evaluations)


def _submissions(task: Task, attempt: Attempt, states: States | None) -> Iterator[Submission]:
    """Yield what was handed in at each stage; where there is a clone, with what it made."""
    truth = true_stages(task)
    before: str | None = ""
    for place, stage in enumerate(attempt.stages):
        said = attempt.messages[stage.message_start : stage.message_end]
        submission = Submission(task, place, stage.model_patch, said, stage.exit_status)
        start = None
        if states is not None and before is not None:
            start = _start(states, task, truth[: place + 1], before)
        before = None
        if states is not None and start is not None:
            before = states.applied(start, stage.model_patch)
            made = None if before is None else Tree(states, before)
            submission = replace(submission, made=made, applies=made is not None)
        yield submission


def _start(states: States, task: Task, truth: Sequence[TrueStage], before: str) -> str | None:
    """Return what a stage started from; ``None`` if that can't be made again."""
    try:
        return stage_start(states, truth, before, cumulative=is_cumulative(task)).tree
    except DataError:
        return None


def _with_verdict(attempt: Attempt, evaluations: Sequence[Evaluation]) -> Attempt:
    """Return an attempt with the verdict on it: as good as its worst stage."""
    scores = [each.score for each in evaluations if each.score is not None]
    executions = {each.execution for each in evaluations}
    reasons = [each.rationale for each in evaluations]
    if len(reasons) > 1:
        reasons = [f"Stage {number}: {reason}" for number, reason in enumerate(reasons, start=1)]
    stages = tuple(
        replace(stage, score=each.score)
        for stage, each in zip(attempt.stages, evaluations, strict=True)
    )
    return replace(
        attempt,
        stages=stages,
        score=min(scores),
        judge=Judge(", ".join(sorted({each.judge for each in evaluations})), "\n".join(reasons)),
        resolved=False
        if "failed" in executions
        else True
        if executions == {"passed"}
        else attempt.resolved,
    )
