"""One attempt at a task: stage after stage, each judged, sent back with feedback, carried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from davinci_agency.collect.rounds import Handed, Request, hand_in
from davinci_agency.collect.session import Session
from davinci_agency.evaluation import (
    Evaluation,
    Evaluator,
    Submission,
    Tree,
    is_cumulative,
    true_stages,
)
from davinci_agency.records import Attempt, AttemptStage, Round, RoundMode, Task
from davinci_agency.repository.carrying import stage_start
from davinci_agency.repository.states import States
from davinci_agency.tokens import TokenCounter
from davinci_agency.trajectories import Rollout, TrajectoryError, join_stages, make_attempt
from davinci_agency.trajectories.rollout import Verdict

CONFLICT = "carry-conflict"


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works, who judges, and by which rules.

    Attributes:
        session: the scaffold, its sandbox and its model.
        evaluator: who decides about what is handed in.
        count: what counts tokens; ``None`` to count none.
        refinements: how often an agent is sent back at a stage.
        refine: whether it then goes on with the conversation, or starts over.
    """

    session: Session
    evaluator: Evaluator
    count: TokenCounter | None = None
    refinements: int = 3
    refine: RoundMode = "continue"


@dataclass(slots=True)
class Outcome:
    """What came of a task.

    Attributes:
        attempts: the attempts, those that were rejected too.
        problem: why there is none, or not all that there should be.
    """

    attempts: list[Attempt] = field(default_factory=list)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Tried:
    """A go at a stage, and what was thought of it."""

    mode: RoundMode
    handed: Handed
    evaluation: Evaluation


def attempt_task(
    crew: Crew,
    states: States,
    task: Task,
    number: int,
    above: Path,
    should_stop: Callable[[], bool] = lambda: False,
    judged: Callable[[Evaluation], None] = lambda _: None,
) -> Outcome:
    """Let an agent attempt a task for the ``number``-th time; ``above`` keeps what it does.

    ``judged`` is told of every go, when somebody has decided about it.
    Raises `BudgetError` if the run's money is gone; what was done is kept.
    """
    outcome = Outcome()
    truth = true_stages(task)
    done: list[Rollout] = []
    made = ""
    for place in range(len(task.stages)):
        start = stage_start(states, truth[: place + 1], made, cumulative=is_cumulative(task))
        if start.tree is None:
            outcome.problem = start.conflict
            if done:
                done[-1] = replace(done[-1], said=replace(done[-1].said, exit_status=CONFLICT))
            break
        folder = above / task.task_id / f"attempt-{number}" / f"stage-{place + 1}"
        tries = _try_stage(crew, states, task, place, start.tree, folder, should_stop, judged)
        last = tries[-1]
        if last.evaluation.error is not None or last.handed.said is None:
            outcome.problem = last.evaluation.error or last.handed.problem
            return outcome
        rollouts = [
            _rollout(task, number, place + 1, start.tree, tries[: n + 1]) for n in range(len(tries))
        ]
        if crew.refine == "restart":
            # Each go is a conversation of its own, so those that were rejected are attempts, too.
            for rollout in rollouts[:-1]:
                _add(outcome, [*done, rollout], crew.count)
        done.append(rollouts[-1])
        if not last.evaluation.is_accepted:
            break
        made = last.handed.ended.tree
    if done:
        _add(outcome, done, crew.count)
    return outcome


def _try_stage(
    crew: Crew,
    states: States,
    task: Task,
    place: int,
    start: str,
    folder: Path,
    should_stop: Callable[[], bool],
    judged: Callable[[Evaluation], None],
) -> list[_Tried]:
    """Return the goes at a stage: until one is accepted, can't be judged, or is the last."""
    tries: list[_Tried] = []
    base = task.stages[0].base_commit
    request = Request(task.stages[place].query, base, start)
    for _ in range(crew.refinements + 1):
        handed = hand_in(crew.session, states, request, folder, should_stop)
        said = handed.said
        status = handed.ended.exit_status or (said.exit_status if said else None)
        made = Tree(states, handed.ended.tree)
        submission = Submission(
            task, place, handed.ended.patch, said.messages if said else (), status, made
        )
        evaluation = (
            crew.evaluator.evaluate(submission)
            if said is not None
            else Evaluation(False, None, "", "", error=handed.problem)
        )
        tries.append(_Tried(request.mode, handed, evaluation))
        judged(evaluation)
        is_hopeless = evaluation.is_spoilt and crew.refine == "continue"
        if evaluation.is_accepted or evaluation.error is not None or is_hopeless:
            break
        request = replace(request, mode=crew.refine, feedback=evaluation.feedback, before=handed)
    return tries


def _rollout(task: Task, number: int, stage: int, start: str, tries: Sequence[_Tried]) -> Rollout:
    last = tries[-1]
    said, ended, evaluation = last.handed.said, last.handed.ended, last.evaluation
    if said is None:
        raise ValueError("a go without a conversation is no part of an attempt")
    verdict = Verdict(
        evaluation.score,
        evaluation.judge,
        evaluation.rationale,
        {"passed": True, "failed": False}.get(evaluation.execution or ""),
    )
    status = ended.exit_status or said.exit_status
    part = AttemptStage(
        message_start=0,
        message_end=len(said.messages),
        model_patch=ended.patch,
        exit_status=status,
        score=evaluation.score,
        start_tree=start,
        rounds=tuple(_round(each) for each in tries),
    )
    said = replace(
        said, verdict=verdict, refinements=len(tries) - 1, exit_status=status, patch=ended.patch
    )
    return Rollout(task.task_id, number, stage, (part,), said, last.handed.sha256)


def _round(tried: _Tried) -> Round:
    ended, evaluation = tried.handed.ended, tried.evaluation
    said = tried.handed.said
    return Round(
        mode=tried.mode,
        model_patch=ended.patch,
        exit_status=ended.exit_status or (said.exit_status if said else None),
        score=evaluation.score,
        rationale=evaluation.rationale,
        feedback=evaluation.feedback,
        execution=evaluation.execution,
        steps=ended.usage.steps,
        prompt_tokens=ended.usage.prompt_tokens,
        completion_tokens=ended.usage.completion_tokens,
        cost=ended.usage.cost,
        seconds=ended.seconds,
    )


def _add(outcome: Outcome, rollouts: Sequence[Rollout], count: TokenCounter | None) -> None:
    try:
        outcome.attempts.append(make_attempt(join_stages(rollouts), count))
    except TrajectoryError as error:
        outcome.problem = f"its conversation is none ({error.json_path}: {error})"
