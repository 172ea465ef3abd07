"""Calibration: how often a judge is wrong about what everybody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from davinci_agency.errors import DataError
from davinci_agency.evaluate.accepting import Acceptance
from davinci_agency.evaluate.battery import KINDS, Case, cases_of
from davinci_agency.evaluation import Evaluation, Submission, Tree, is_cumulative, true_stages
from davinci_agency.files import atomic_file
from davinci_agency.jsonl import RecordFiles, open_records
from davinci_agency.parallel import threaded_map
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import JsonObject, Task
from davinci_agency.repository.carrying import true_states
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import Source
from davinci_agency.repository.states import States
from davinci_agency.stage import stage_output


@dataclass(frozen=True, slots=True)
class Tally:
    """What was thought of the cases of one kind.

    Attributes:
        kind, is_good: the kind, and whether such must be taken.
        cases: how many there were.
        accepted: how many were taken.
        errors: how many nobody could judge; they count as neither.
        scores: the mean score of the others; ``None`` if there are none.
    """

    kind: str
    is_good: bool
    cases: int
    accepted: int
    errors: int
    scores: float | None

    @property
    def judged(self) -> int:
        """How many somebody judged."""
        return self.cases - self.errors

    @property
    def wrong(self) -> int:
        """How many were judged wrongly."""
        return self.judged - self.accepted if self.is_good else self.accepted


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a judge made of all cases.

    Attributes:
        judge, threshold: who judged, and from which score on it took them.
        tallies: by kind.
    """

    judge: str
    threshold: float
    tallies: tuple[Tally, ...]

    def wrong(self, *, is_good: bool) -> tuple[int, int]:
        """Return how many of the goods, or of the bads, were judged wrongly, and of how many."""
        tallies = [tally for tally in self.tallies if tally.is_good == is_good]
        return sum(tally.wrong for tally in tallies), sum(tally.judged for tally in tallies)

    def to_json(self) -> JsonObject:
        """Return it in JSON's types, with the rates."""
        rates = {
            name: {"wrong": wrong, "of": of, "rate": wrong / of if of else None}
            for name, is_good in (("goods_rejected", True), ("bads_accepted", False))
            for wrong, of in [self.wrong(is_good=is_good)]
        }
        kinds = [{**asdict(tally), "wrong": tally.wrong} for tally in self.tallies]
        return {"judge": self.judge, "threshold": self.threshold, **rates, "kinds": kinds}


def calibrate(
    tasks: Sequence[Path],
    out: Path,
    acceptance: Acceptance,
    *,
    clones: Mapping[str, Source] | None = None,
    limit: int = 25,
    workers: int = 1,
    progress: Progress = SILENT,
) -> Calibration:
    """Let a judge decide about known goods and bads, made from the true patches of some tasks.

    At most ``limit`` stages are taken, evenly from all. Where there is a clone, their tests are
    run, too. The report, with every single case, is the JSON file ``out``.

    Raises `DataError` if there is nothing to make cases of.
    """
    with (
        stage_output("judge", out, records=False) as output,
        open_records(tasks, Task, output, progress) as records,
        ExitStack() as stack,
    ):
        output.kept = len(records)
        states = {
            repo: States(stack.enter_context(open_overlay(source)))
            for repo, source in (clones or {}).items()
        }
        cases = list(cases_of(_chosen(records, limit)))
        if not cases:
            raise DataError("no task has a patch to make cases of; are they withheld?")

        def decided(case: Case) -> tuple[Case, Evaluation]:
            return case, acceptance.evaluate(_submission(case, states.get(case.task.repo)))

        pairs = list(
            threaded_map(decided, track(cases, progress, "calibrate", len(cases)), workers)
        )
        calibration = Calibration(acceptance.judge.name, acceptance.threshold, _tallied(pairs))
        report = {**calibration.to_json(), "cases": [_told(*pair) for pair in pairs]}
        with atomic_file(out) as file:
            file.write(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return calibration


def _chosen(records: RecordFiles[Task], limit: int) -> list[tuple[Task, int]]:
    """Return so many stages, evenly from all; those whose patches are withheld are none."""
    stages = [
        (index, place)
        for index, task in enumerate(records)
        for place, stage in enumerate(task.stages)
        if stage.withheld is None
    ]
    count = min(limit, len(stages))
    places = [stages[number * len(stages) // count] for number in range(count)]
    return [(records.read(index), place) for index, place in places]


def _submission(case: Case, states: States | None) -> Submission:
    submission = Submission(case.task, case.place, case.patch)
    if states is None:
        return submission
    truth = true_stages(case.task)[: case.place + 1]
    try:
        before = true_states(states, truth, cumulative=is_cumulative(case.task)).before
    except DataError:
        # There is nothing to run its tests on; the judge can still read it.
        return submission
    tree = states.applied(before, case.patch)
    made = None if tree is None else Tree(states, tree)
    return replace(submission, made=made, applies=tree is not None)


def _tallied(pairs: Sequence[tuple[Case, Evaluation]]) -> tuple[Tally, ...]:
    tallies = []
    for kind, is_good in KINDS.items():
        found = [evaluation for case, evaluation in pairs if case.kind == kind]
        scores = [each.score for each in found if each.score is not None]
        if found:
            tallies.append(
                Tally(
                    kind,
                    is_good,
                    cases=len(found),
                    accepted=sum(each.is_accepted for each in found),
                    errors=sum(each.error is not None for each in found),
                    scores=sum(scores) / len(scores) if scores else None,
                )
            )
    return tuple(tallies)


def _told(case: Case, evaluation: Evaluation) -> JsonObject:
    return {
        "task_id": case.task.task_id,
        "stage": case.place + 1,
        "kind": case.kind,
        "is_good": case.is_good,
        "is_accepted": evaluation.is_accepted,
        "score": evaluation.score,
        "judge": evaluation.judge,
        "execution": evaluation.execution,
        "rationale": evaluation.rationale,
        "error": evaluation.error,
    }
