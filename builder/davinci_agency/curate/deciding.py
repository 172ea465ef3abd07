"""What stays and what goes, from what was seen of all records.

Rules about single records speak first, in the order of `RULES`; then what follows from them (a task
whose pull request went, an attempt whose task went); then duplicates among what is left. So a
second curation of what stays finds nothing: no rule looks at what a later one took out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from davinci_agency.curate.duplicates import (
    PATCHES,
    QUERIES,
    RUNS,
    Peers,
    copies,
    near_copies,
    overlapping,
)
from davinci_agency.curate.grams import contamination
from davinci_agency.curate.register import Register, Struck
from davinci_agency.curate.rules import Choice
from davinci_agency.curate.splits import SplitOptions, assign_splits
from davinci_agency.records import Attempt, PullRequest, RecordName, Task

_PULLS, _ATTEMPTS = Peers(PullRequest.RECORD), Peers(Attempt.RECORD)
_NEAR = frozenset({"near-duplicate"})
_LEAST_OVERLAP = 0.5
"""From half of the shorter chain on, two chains are one piece of work told twice."""


def decide(register: Register, choice: Choice, most_common: int, splits: SplitOptions) -> None:
    """Strike what goes and place what stays, in the register.

    ``most_common`` is the number of pull requests from which on a run of words is everybody's.
    """
    deciding = _Deciding(register, choice)
    deciding.strike_by_themselves(PullRequest.RECORD)
    deciding.strike_by_themselves(Task.RECORD)
    deciding.follow()
    deciding.strike_by_themselves(Attempt.RECORD)
    deciding.strike_benchmark_texts(most_common)
    deciding.strike_duplicate_pulls()
    deciding.strike_duplicate_tasks()
    deciding.strike_duplicate_attempts()
    while True:
        before = register.count("struck")
        # What is common, and what ties records together, is judged by what stays.
        deciding.strike_benchmark_texts(most_common)
        if splits.is_asked_for or register.count("published"):
            register.strike(choice, assign_splits(register, splits))
            deciding.follow()
        if register.count("struck") == before:
            return


class _Deciding:
    """One rule after the other strikes records of a register."""

    def __init__(self, register: Register, choice: Choice) -> None:
        self._register = register
        self._choice = choice

    def strike_by_themselves(self, record: RecordName) -> None:
        """Strike records by what each of them breaks by itself."""
        rows = self._register.rows(
            "SELECT id, rule, reason, measure FROM reason JOIN record USING (id)"
            " WHERE record = ? ORDER BY reason.rowid",
            record,
        )
        self._register.strike(self._choice, (Struck(*row) for row in rows))

    def follow(self) -> None:
        """Strike the tasks of pull requests that went, and the attempts at tasks that went."""
        # Of a task's pull requests the first speaks.
        tasks = self._register.rows(
            "SELECT staying.id, lost.key, struck.reason, min(position) FROM struck"
            " JOIN record AS lost USING (id) JOIN member ON pull = lost.key"
            " JOIN staying ON staying.id = member.id WHERE lost.record = ? GROUP BY staying.id",
            PullRequest.RECORD,
        )
        self._register.strike(
            self._choice,
            (Struck(own, "pull-left-out", f"{lost} went: {why}") for own, lost, why, _ in tasks),
        )
        attempts = self._register.rows(
            "SELECT staying.id, reason FROM staying JOIN struck ON struck.id = task"
        )
        self._register.strike(
            self._choice,
            (Struck(own, "task-left-out", f"its task went: {why}") for own, why in attempts),
        )

    def strike_benchmark_texts(self, most_common: int) -> None:
        """Strike what holds runs of words of a benchmark that are not everybody's."""
        common = contamination(self._grams_by_source, most_common).common
        rows = self._register.rows(
            "SELECT id, gram FROM gram JOIN staying USING (id) ORDER BY id, gram"
        )
        self._register.strike(self._choice, _contaminated(rows, common))
        self.follow()

    def _grams_by_source(self) -> Iterator[tuple[int, ...]]:
        """Yield the runs of words in each pull request, however many records tell of it."""
        rows = self._register.rows(
            "SELECT DISTINCT source, gram FROM gram JOIN staying USING (id) ORDER BY source, gram"
        )
        for _, held in groupby(rows, key=itemgetter(0)):
            yield tuple(gram for _, gram in held)

    def strike_duplicate_pulls(self) -> None:
        """Strike pull requests that an earlier one made already."""
        rows = self._register.rows(
            "SELECT copy.id, copy.original FROM staying AS copy JOIN staying AS first"
            " ON first.record = copy.record AND first.key = copy.original"
            " WHERE copy.record = ? AND first.id != copy.id",
            PullRequest.RECORD,
        )
        self._strike_alike(
            Struck(own, "backport", f"it brings {original} to another branch", None, original)
            for own, original in rows
        )
        same_id = "its patch-id is the same"
        self._strike_alike(copies(self._register, _PULLS, "loose", "backport", same_id))
        self._strike_alike(near_copies(self._register, _PULLS, "sketch", PATCHES, _NEAR))
        self.follow()

    def strike_duplicate_tasks(self) -> None:
        """Strike tasks that a better one of the same kind asks already."""
        kinds = self._register.rows(
            "SELECT kind, max(members) FROM staying WHERE record = ? GROUP BY kind ORDER BY kind",
            Task.RECORD,
        )
        for kind, members in list(kinds):
            peers = Peers(Task.RECORD, kind)
            reason = "it asks for the same change in the same words"
            self._strike_alike(copies(self._register, peers, "exact", "exact-duplicate", reason))
            reason = "its changes have the same patch-ids"
            self._strike_alike(copies(self._register, peers, "loose", "backport", reason))
            if members > 1:
                self._strike_alike(overlapping(self._register, peers, _LEAST_OVERLAP))
            self._strike_alike(near_copies(self._register, peers, "sketch", PATCHES, _NEAR))
            self._strike_alike(near_copies(self._register, peers, "query_sketch", QUERIES, _NEAR))
        self.follow()

    def strike_duplicate_attempts(self) -> None:
        """Strike attempts that say what a better one says."""
        reason = "the same was said in the same order"
        self._strike_alike(copies(self._register, _ATTEMPTS, "exact", "exact-duplicate", reason))
        reason = "they differ in numbers and temporary names alone"
        self._strike_alike(copies(self._register, _ATTEMPTS, "loose", "differs-in-noise", reason))
        rules = self._choice.on & {"near-duplicate", "contained"}
        self._strike_alike(near_copies(self._register, _ATTEMPTS, "sketch", RUNS, rules))

    def _strike_alike(self, found: Iterator[Struck]) -> None:
        self._register.strike(self._choice, found, is_alike=True)


def _contaminated(rows: Iterator[tuple[int, int]], common: frozenset[int]) -> Iterator[Struck]:
    for own, held in groupby(rows, key=itemgetter(0)):
        hits = sum(gram not in common for _, gram in held)
        if hits:
            reason = f"{hits} runs of words stand in a benchmark's text"
            yield Struck(own, "benchmark-text", reason, float(hits))
