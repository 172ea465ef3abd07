"""What stays and what goes, from what was seen of all records; pure.

Rules about single records speak first, in the order of `RULES`; then what follows from them (a task
whose pull request went, an attempt whose task went); then duplicates among what is left. So a
second curation of what stays finds nothing: no rule looks at what a later one took out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from davinci_agency.curate.duplicates import (
    PATCHES,
    QUERIES,
    RUNS,
    Copy,
    copies,
    near_copies,
    overlapping,
)
from davinci_agency.curate.grams import contamination
from davinci_agency.curate.rules import Choice
from davinci_agency.curate.splits import Member, SplitOptions, Splits, assign_splits
from davinci_agency.curate.views import AttemptView, PullView, Reason, TaskView
from davinci_agency.records import Attempt, PullRequest, RecordName, Split, Task

_PULL, _TASK, _ATTEMPT = PullRequest.RECORD, Task.RECORD, Attempt.RECORD
_NEAR = frozenset({"near-duplicate"})
_LEAST_OVERLAP = 0.5
"""From half of the shorter chain on, two chains are one piece of work told twice."""


@dataclass(frozen=True, slots=True)
class Struck:
    """That a record goes by a rule, and in favour of which one."""

    rule: str
    reason: str
    measure: float | None
    kept: str | None


@dataclass(slots=True)
class Decision:
    """What goes, what is marked, and where the rest belongs.

    Attributes:
        struck: what goes and why, by kind of record and key.
        marks: the rules that what stays broke.
        splits: the split and the group of pull requests and tasks.
    """

    struck: dict[RecordName, dict[str, Struck]] = field(default_factory=dict)
    marks: dict[RecordName, dict[str, set[str]]] = field(default_factory=dict)
    splits: Splits = field(default_factory=lambda: Splits({}, {}, frozenset()))

    def goes(self, record: RecordName, key: str) -> bool:
        """Tell whether a record goes."""
        return key in self.struck.get(record, ())


@dataclass(frozen=True, slots=True)
class Views:
    """What was seen of all records."""

    pulls: Sequence[PullView]
    tasks: Sequence[TaskView]
    attempts: Sequence[AttemptView]

    def redacted(self) -> Iterator[Mapping[str, int]]:
        """Yield what was replaced in each record."""
        yield from (view.redacted for view in self.pulls)
        yield from (view.redacted for view in self.tasks)
        yield from (view.redacted for view in self.attempts)


def decide(
    views: Views,
    choice: Choice,
    most_common: int,
    published: Mapping[str, Split],
    splits: SplitOptions,
) -> Decision:
    """Return what stays and what goes.

    ``most_common`` is the number of pull requests from which on a run of words is everybody's.
    """
    ledger = _Ledger(views, choice)
    for pull in views.pulls:
        ledger.strike_first(_PULL, pull.key, pull.reasons)
    for task in views.tasks:
        ledger.strike_first(_TASK, task.key, task.reasons)
    ledger.follow()
    for attempt in views.attempts:
        ledger.strike_first(_ATTEMPT, attempt.key, attempt.reasons)
    ledger.strike_benchmark_texts(most_common)
    ledger.strike_duplicate_pulls()
    ledger.strike_duplicate_tasks()
    ledger.strike_duplicate_attempts()
    while True:
        before = ledger.count()
        # What is common, and what ties records together, is judged by what stays.
        ledger.strike_benchmark_texts(most_common)
        if splits.is_asked_for or published:
            ledger.assign(published, splits)
        if ledger.count() == before:
            return ledger.decision


class _Ledger:
    """Who is left, while rule after rule strikes records."""

    def __init__(self, views: Views, choice: Choice) -> None:
        self._views = views
        self._choice = choice
        self._alike: dict[str, list[str]] = defaultdict(list)
        self.decision = Decision({_PULL: {}, _TASK: {}, _ATTEMPT: {}})

    def _strike(self, record: RecordName, key: str, struck: Struck) -> None:
        if self._choice.drops(struck.rule):
            self.decision.struck[record].setdefault(key, struck)
        elif struck.rule in self._choice.marking:
            self.decision.marks.setdefault(record, {}).setdefault(key, set()).add(struck.rule)

    def strike_first(self, record: RecordName, key: str, reasons: Iterable[Reason]) -> None:
        """Strike a record by the first of some rules, and mark it by those that only mark."""
        for rule, reason, measure in reasons:
            self._strike(record, key, Struck(rule, reason, measure, None))

    def _strike_copies(self, record: RecordName, found: Iterable[Copy]) -> None:
        for copy in list(found):
            # What is kept in spite of it belongs together.
            self._alike[copy.key].append(copy.kept)
            self._strike(record, copy.key, Struck(copy.rule, copy.reason, copy.measure, copy.kept))

    @property
    def pulls(self) -> list[PullView]:
        """The pull requests that are left."""
        return [view for view in self._views.pulls if not self.decision.goes(_PULL, view.key)]

    @property
    def tasks(self) -> list[TaskView]:
        """The tasks that are left."""
        return [view for view in self._views.tasks if not self.decision.goes(_TASK, view.key)]

    @property
    def attempts(self) -> list[AttemptView]:
        """The attempts that are left."""
        return [view for view in self._views.attempts if not self.decision.goes(_ATTEMPT, view.key)]

    def follow(self) -> None:
        """Strike the tasks of pull requests that went, and the attempts at tasks that went."""
        gone = self.decision.struck[_PULL]
        for task in self.tasks:
            lost = next((member for member in task.members if member in gone), None)
            if lost is not None:
                struck = Struck("pull-left-out", f"{lost} went: {gone[lost].reason}", None, None)
                self._strike(_TASK, task.key, struck)
        for attempt in self.attempts:
            lost_task = self.decision.struck[_TASK].get(attempt.task_id)
            if lost_task is not None:
                reason = f"its task went: {lost_task.reason}"
                self._strike(_ATTEMPT, attempt.key, Struck("task-left-out", reason, None, None))

    def strike_benchmark_texts(self, most_common: int) -> None:
        """Strike what holds runs of words of a benchmark that are not everybody's."""
        sources = _by_source(self.pulls, self.tasks)
        common = contamination(sources, most_common).common
        for record, views in ((_PULL, self.pulls), (_TASK, self.tasks)):
            for view in views:
                if hits := len(set(view.grams) - common):
                    reason = f"{hits} runs of words stand in a benchmark's text"
                    struck = Struck("benchmark-text", reason, float(hits), None)
                    self._strike(record, view.key, struck)
        self.follow()

    def count(self) -> int:
        """Return how many records went so far."""
        return sum(map(len, self.decision.struck.values()))

    def strike_duplicate_pulls(self) -> None:
        """Strike pull requests that an earlier one made already."""
        best = [view.key for view in sorted(self.pulls, key=_pull_rank)]
        known = set(best)
        for view in self.pulls:
            original = f"{view.repo}#{view.backport_of}"
            if view.backport_of is not None and original in known and original != view.key:
                self._alike[view.key].append(original)
                reason = f"it brings {original} to another branch"
                self._strike(_PULL, view.key, Struck("backport", reason, None, original))
        best = [key for key in best if not self.decision.goes(_PULL, key)]
        ids = {view.key: view.patch_id for view in self.pulls}
        self._strike_copies(_PULL, copies(best, ids, "backport", "its patch-id is the same"))
        best = [key for key in best if not self.decision.goes(_PULL, key)]
        sketches = {view.key: view.sketch for view in self.pulls}
        self._strike_copies(_PULL, near_copies(best, sketches, PATCHES, _NEAR))
        self.follow()

    def strike_duplicate_tasks(self) -> None:
        """Strike tasks that a better one of the same kind asks already."""
        for kind in sorted({view.kind for view in self.tasks}):
            self._strike_duplicates_of_a_kind([v for v in self.tasks if v.kind == kind])
        self.follow()

    def _strike_duplicates_of_a_kind(self, views: Sequence[TaskView]) -> None:
        def left() -> list[str]:
            return [view.key for view in ranked if not self.decision.goes(_TASK, view.key)]

        ranked = sorted(views, key=_task_rank)
        digests = {view.key: view.digest for view in views}
        reason = "it asks for the same change in the same words"
        self._strike_copies(_TASK, copies(left(), digests, "exact-duplicate", reason))
        ids = {view.key: _whole_id(view) for view in views}
        reason = "its changes have the same patch-ids"
        self._strike_copies(_TASK, copies(left(), ids, "backport", reason))
        if ranked and len(ranked[0].members) > 1:
            members = {view.key: view.members for view in views}
            self._strike_copies(_TASK, overlapping(left(), members, _LEAST_OVERLAP))
        patches = {view.key: view.patches for view in views}
        self._strike_copies(_TASK, near_copies(left(), patches, PATCHES, _NEAR))
        queries = {view.key: view.queries for view in views if view.queries is not None}
        asked = [key for key in left() if key in queries]
        self._strike_copies(_TASK, near_copies(asked, queries, QUERIES, _NEAR))

    def strike_duplicate_attempts(self) -> None:
        """Strike attempts that say what a better one says."""

        def left() -> list[str]:
            return [view.key for view in sorted(self.attempts, key=_attempt_rank)]

        digests = {view.key: view.digest for view in self.attempts}
        reason = "the same was said in the same order"
        self._strike_copies(_ATTEMPT, copies(left(), digests, "exact-duplicate", reason))
        skeletons = {view.key: (view.task_id, view.skeleton) for view in self.attempts}
        reason = "they differ in numbers and temporary names alone"
        self._strike_copies(_ATTEMPT, copies(left(), skeletons, "differs-in-noise", reason))
        sketches = {view.key: view.sketch for view in self.attempts}
        rules = self._choice.on & {"near-duplicate", "contained"}
        self._strike_copies(_ATTEMPT, near_copies(left(), sketches, RUNS, rules))

    def assign(self, published: Mapping[str, Split], options: SplitOptions) -> None:
        """Give every pull request and task its split; strike those that would join two."""
        members = [
            *(_pull_member(view, self._alike[view.key]) for view in self.pulls),
            *(_task_member(view, self._alike[view.key]) for view in self.tasks),
        ]
        self.decision.splits = assign_splits(members, published, options)
        for record, views in ((_PULL, self.pulls), (_TASK, self.tasks)):
            for view in views:
                if view.key in self.decision.splits.joining:
                    reason = "it ties records together that were published in different splits"
                    self._strike(record, view.key, Struck("joins-splits", reason, None, None))
        self.follow()


def _by_source(pulls: Iterable[PullView], tasks: Iterable[TaskView]) -> list[tuple[int, ...]]:
    """Return the runs of words in each pull request, however many records tell of it."""
    grams: dict[str, set[int]] = {}
    for pull in pulls:
        grams.setdefault(pull.key, set()).update(pull.grams)
    for task in tasks:
        grams.setdefault(task.members[0], set()).update(task.grams)
    return [tuple(sorted(held)) for held in grams.values()]


def _whole_id(view: TaskView) -> tuple[str, ...] | None:
    ids = tuple(patch_id for patch_id in view.patch_ids if patch_id is not None)
    return ids if len(ids) == len(view.patch_ids) else None


def _pull_rank(view: PullView) -> tuple[object, ...]:
    """Return what makes a pull request better: an original, with fewer gaps, older."""
    return (view.backport_of is not None, view.gaps, view.merged_at, view.repo, view.number)


def _task_rank(view: TaskView) -> tuple[object, ...]:
    """Return what makes a task better: longer, older."""
    return (-len(view.members), view.merged_at, view.key)


def _attempt_rank(view: AttemptView) -> tuple[object, ...]:
    """Return what makes an attempt better: score, tests, stages."""
    return (*(-value for value in view.rank), view.key)


def _pull_member(view: PullView, alike: Sequence[str]) -> Member:
    issues = (f"issue:{issue.lower()}" for issue in view.issues)
    others = (view.backport_of, view.stacked_on)
    pulls = (f"{view.repo}#{number}" for number in others if number is not None)
    return Member(view.key, view.repo, view.merged_at, (*issues, *pulls, *alike))


def _task_member(view: TaskView, alike: Sequence[str]) -> Member:
    return Member(view.key, view.repo, view.merged_at, (*view.members, *alike), is_task=True)
