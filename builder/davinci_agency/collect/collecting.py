"""From tasks to attempts: the stage's main sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from davinci_agency.collect.attempting import Crew, Outcome, attempt_task
from davinci_agency.collect.environments import ready_environment
from davinci_agency.collect.rounds import BudgetError
from davinci_agency.errors import CommandError, DavinciError
from davinci_agency.evaluation import Evaluation
from davinci_agency.files import locked
from davinci_agency.jsonl import open_records
from davinci_agency.parallel import threaded_map
from davinci_agency.progress import SILENT, Progress
from davinci_agency.records import Task
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import Source
from davinci_agency.repository.states import States
from davinci_agency.stage import Quarantined, StageOutput, Summary, stage_output

Noting = Callable[[int, str, str], Quarantined]


def run_tasks(
    tasks: Sequence[Path],
    out: Path,
    crew: Crew,
    clones: Mapping[str, Source],
    runs: Path,
    *,
    attempts: int = 1,
    workers: int = 1,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Let agents attempt the tasks of some files of `Task` records, and write their attempts.

    ``runs`` keeps all that they do: run it again after a kill, and nothing is done or paid twice.
    Counted are the tasks; one of which no attempt came is quarantined with the reason.

    Raises `CommandError` if a repository has no clone, or somebody else works in ``runs``, and
    `RemoteError` if the scaffold can't be installed.
    """
    runs.mkdir(parents=True, exist_ok=True)
    with (
        locked(runs),
        stage_output("collect", out, strict=strict) as output,
        open_records(tasks, Task, output, progress) as records,
        ExitStack() as stack,
    ):
        states: dict[str, States] = {}
        for repo in sorted({task.repo for task in records}):
            if repo not in clones:
                raise CommandError(f"there is no clone of {repo}; name one: --clone {repo}=PATH.")
            overlay = stack.enter_context(open_overlay(clones[repo]))
            states[repo] = States(overlay)

        stopping = threading.Event()
        scaffold = crew.session.scaffold
        ready_environment(scaffold.name, scaffold.pins, progress=progress)

        board = _Board(crew, progress)

        def attempted(pair: tuple[int, Task]) -> tuple[int, Task, Outcome]:
            place, task = pair
            repo_states = states[task.repo]
            outcome = _outcome(crew, repo_states, task, attempts, runs, stopping.is_set, board)
            return place, task, outcome

        early: list[str] = []
        progress.start("collect", len(records))
        for place, task, outcome in threaded_map(
            attempted, enumerate(records), workers, stopping.set
        ):
            _settle(place, task, outcome, output, records.note)
            if outcome.attempts and outcome.problem:
                early.append(f"{task.task_id}: {outcome.problem}")
            progress.advance()
        output.notes.append(board.told())
        if early:
            output.notes.append(f"{len(early)} tasks were not gone through, such as {early[0]}")
    return output.summary()


class _Board:
    """How a run goes, shown after every go; threads tell it."""

    def __init__(self, crew: Crew, progress: Progress) -> None:
        self._crew = crew
        self._progress = progress
        self._lock = threading.Lock()
        self._goes = self._accepted = 0

    def __call__(self, evaluation: Evaluation) -> None:
        with self._lock:
            self._goes += 1
            self._accepted += evaluation.is_accepted
            self._progress.say(self.told())

    def told(self) -> str:
        """Return goes, what was accepted, and what it took."""
        spent = self._crew.session.budget.spent
        cost = "" if spent.cost is None else f", ${spent.cost:,.2f}"
        return (
            f"{self._goes:,} goes, {self._accepted:,} stages accepted, {spent.steps:,} steps, "
            f"{spent.tokens:,} tokens{cost}"
        )


def _outcome(
    crew: Crew,
    states: States,
    task: Task,
    attempts: int,
    runs: Path,
    should_stop: Callable[[], bool],
    board: _Board,
) -> Outcome:
    whole = Outcome()
    if any(stage.withheld is not None for stage in task.stages):
        whole.problem = "its patches are withheld; davinci-agency rehydrate makes them again"
        return whole
    for number in range(1, attempts + 1):
        try:
            outcome = attempt_task(crew, states, task, number, runs, should_stop, board)
        except BudgetError as error:
            whole.problem = str(error)
            break
        except DavinciError as error:
            whole.problem = str(error)
            continue
        whole.attempts += outcome.attempts
        whole.problem = outcome.problem or whole.problem
    return whole


def _settle(place: int, task: Task, outcome: Outcome, output: StageOutput, note: Noting) -> None:
    for attempt in sorted(outcome.attempts, key=lambda attempt: attempt.attempt_id):
        output.write(attempt, "attempts")
    if outcome.attempts:
        output.kept += 1
    else:
        reason = outcome.problem or "nothing came of it"
        output.quarantine(note(place, "$", f"{task.task_id}: {reason}"))
