"""Which of several records that say the same stays: the best, never the first that came.

One goes if a better one that stays says the same; so nothing goes for the sake of something that
goes itself, and what stays has no duplicate left in it. All of it is asked of a `Register`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from davinci_agency.curate.neighbours import (
    LEAST_CONTAINED,
    LEAST_NEAR,
    NEAR_PAIRS,
    NEAR_WORDS,
    Pair,
    similar,
)
from davinci_agency.curate.register import Register, Sketched, Struck
from davinci_agency.records import Kind, RecordName

Alike = tuple[int, int, str, str, float]
"""Places of two among those that are ranked, the worse one first; a rule, the reason, how much."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much alike two texts must be.

    Attributes:
        words, pairs: the least Jaccard similarity of their words and of their pairs of words; what
            `neighbours` asks of any two texts is asked for in any case.
        least: of so many sampled words at least.
    """

    words: float
    pairs: float
    least: int


RUNS = Likeness(NEAR_WORDS, NEAR_PAIRS, LEAST_NEAR)
"""Two runs of some ten thousand words that are as much alike are one, edited."""
PATCHES = Likeness(0.9, 0.85, 64)
"""Changes to siblings (two macros, two sockets) are as much alike as edited copies of long texts;
what is left from here on is one change made twice. A line or two says too little."""
QUERIES = Likeness(0.9, 0.85, LEAST_NEAR)
"""Questions about one part of a program share most of their words."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Records that are compared: those of one kind that stay."""

    record: RecordName
    kind: Kind | None = None


def copies(
    register: Register, peers: Peers, column: str, rule: str, reason: str
) -> Iterator[Struck]:
    """Yield the records that have the same in a column as a better one; nothing is like nothing."""
    rows = register.rows(
        f"SELECT {column}, key, id FROM staying WHERE record = ? AND kind IS ?"
        f" AND {column} IS NOT NULL ORDER BY {column}, rank",
        peers.record,
        peers.kind,
    )
    return _all_but_first(rows, rule, reason, None)


def _all_but_first(
    rows: Iterator[Sequence[Any]], rule: str, reason: str, measure: float | None
) -> Iterator[Struck]:
    """Yield of each group, the first column, all but the first in favour of that one."""
    for _, alike in groupby(rows, key=itemgetter(0)):
        (_, kept, _), *others = alike
        for _, _, own in others:
            yield Struck(own, rule, reason, measure, kept)


def near_copies(
    register: Register, peers: Peers, table: Sketched, likeness: Likeness, rules: Container[str]
) -> Iterator[Struck]:
    """Yield the records that are near duplicates of a better one, or contain it, or are in it.

    ``rules`` are those that are asked for: ``near-duplicate``, ``contained``.
    """
    if "near-duplicate" in rules:
        yield from _equal(register, peers, table, "near-duplicate", likeness.least, 0)
    elif "contained" in rules:
        yield from _equal(register, peers, table, "contained", likeness.least, LEAST_CONTAINED)
    else:
        return
    # Of those whose sketches are equal the best is compared with others.
    register.rank(
        f"SELECT id, min(rank) AS best FROM staying JOIN {table} USING (id)"
        " WHERE record = ? AND kind IS ? AND length(words) >= ? GROUP BY digest",
        peers.record,
        peers.kind,
        4 * likeness.least,
    )
    found = similar(register.sketches(table), register.folder)
    told = (_told(pair, likeness, rules) for pair in found)
    yield from _greedy(register, (pair for pair in told if pair is not None))


def _equal(
    register: Register, peers: Peers, table: Sketched, rule: str, least_words: int, least: int
) -> Iterator[Struck]:
    rows = register.rows(
        f"SELECT digest, key, id FROM staying JOIN {table} USING (id) WHERE record = ?"
        " AND kind IS ? AND length(words) >= ? AND least >= ? ORDER BY digest, rank",
        peers.record,
        peers.kind,
        4 * least_words,
        least,
    )
    return _all_but_first(rows, rule, "all of their words are one", 1.0)


def _told(pair: Pair, likeness: Likeness, rules: Container[str]) -> Alike | None:
    is_near = pair.is_near and pair.words >= likeness.words and pair.pairs >= likeness.pairs
    better, worse = sorted((pair.smaller, pair.larger))
    if is_near and "near-duplicate" in rules:
        share = min(pair.words, pair.pairs)
        reason = f"{pair.words:.0%} of their words and {pair.pairs:.0%} of their pairs are one"
        return worse, better, "near-duplicate", reason, share
    if pair.is_contained and "contained" in rules:
        share = min(pair.words_inside, pair.pairs_inside)
        reason = f"{share:.0%} of the smaller one stands in the larger one"
        return worse, better, "contained", reason, share
    return None


def overlapping(register: Register, peers: Peers, least: float) -> Iterator[Struck]:
    """Yield the chains of which ``least`` or more of the shorter one is in a better chain."""
    register.rank(
        "SELECT id, rank AS best FROM staying WHERE record = ? AND kind IS ?",
        peers.record,
        peers.kind,
    )
    rows = register.rows(
        "SELECT worse.place, better.place, count(*), min(one.members, other.members)"
        " FROM ranked AS worse JOIN member AS held ON held.id = worse.id"
        " JOIN member AS shared ON shared.pull = held.pull"
        " JOIN ranked AS better ON better.id = shared.id"
        " JOIN record AS one ON one.id = worse.id JOIN record AS other ON other.id = better.id"
        " WHERE better.place < worse.place GROUP BY worse.place, better.place"
    )
    yield from _greedy(
        register,
        (
            (
                worse,
                better,
                "overlapping-chain",
                f"they share {shared} pull requests, {shared / shorter:.0%} of the shorter chain",
                shared / shorter,
            )
            for worse, better, shared, shorter in rows
            if shared / shorter >= least
        ),
    )


def _greedy(register: Register, alike: Iterable[Alike]) -> Iterator[Struck]:
    """Yield what goes: for each the best of those that are like it and don't go."""
    register.change("DELETE FROM pair")
    register.insert("pair", alike)
    goes = bytearray(register.count("ranked"))
    rows = register.rows(
        "SELECT worse, better, one.id, rule, reason, measure, record.key FROM pair"
        " JOIN ranked AS one ON one.place = worse JOIN ranked AS other ON other.place = better"
        " JOIN record ON record.id = other.id ORDER BY worse, better"
    )
    for worse, better, own, rule, reason, measure, kept in rows:
        if not goes[worse] and not goes[better]:
            goes[worse] = True
            yield Struck(own, rule, reason, measure, kept)
