"""Which of several records that say the same stays: the best, never the first that came; pure.

Records are given best first. One goes if a better one that stays says the same; so nothing goes for
the sake of something that goes itself, and what stays has no duplicate left in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from davinci_agency.curate.neighbours import LEAST_NEAR, NEAR_PAIRS, NEAR_WORDS, similar
from davinci_agency.curate.sketches import Sketch


@dataclass(frozen=True, slots=True)
class Copy:
    """One record that says what a better one says.

    Attributes:
        key: the record.
        kept: the better one.
        rule: what they have in common.
        reason: the same for a person.
        measure: how much of it, from 0 to 1, where that is measured.
    """

    key: str
    kept: str
    rule: str
    reason: str
    measure: float | None = None


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


def copies(
    best_first: Sequence[str], groups: Mapping[str, Hashable | None], rule: str, reason: str
) -> Iterator[Copy]:
    """Yield the records that are in the group of a better one; ``None`` is no group."""
    first: dict[Hashable, str] = {}
    for key in best_first:
        group = groups[key]
        if group is not None and first.setdefault(group, key) != key:
            yield Copy(key, first[group], rule, reason)


def near_copies(
    best_first: Sequence[str],
    sketches: Mapping[str, Sketch],
    likeness: Likeness,
    rules: Container[str],
) -> Iterator[Copy]:
    """Yield the records that are near duplicates of a better one, or contain it, or are in it.

    ``rules`` are those that are asked for: ``near-duplicate``, ``contained``.
    """
    large = [key for key in best_first if sketches[key].words.values.size >= likeness.least]
    groups = {key: _whole(sketches[key]) for key in large}
    equal: set[str] = set()
    if "near-duplicate" in rules:
        for copy in copies(large, groups, "near-duplicate", "all of their words are one"):
            equal.add(copy.key)
            yield replace(copy, measure=1.0)
    alike: dict[str, list[Copy]] = defaultdict(list)
    different = [key for key in large if key not in equal]
    for pair in similar({key: sketches[key] for key in different}):
        is_near = pair.is_near and pair.words >= likeness.words and pair.pairs >= likeness.pairs
        if is_near and "near-duplicate" in rules:
            share = min(pair.words, pair.pairs)
            reason = f"{pair.words:.0%} of their words and {pair.pairs:.0%} of their pairs are one"
            rule = "near-duplicate"
        elif pair.is_contained and "contained" in rules:
            share = min(pair.words_inside, pair.pairs_inside)
            reason = f"{share:.0%} of the smaller one stands in the larger one"
            rule = "contained"
        else:
            continue
        for key, other in ((pair.first, pair.second), (pair.second, pair.first)):
            alike[key].append(Copy(key, other, rule, reason, share))
    yield from _greedy(different, alike)


def _whole(sketch: Sketch) -> Hashable:
    """Return what only a text with the same words has."""
    words, pairs = sketch.words, sketch.pairs
    return words.rate, words.values.tobytes(), pairs.rate, pairs.values.tobytes()


def overlapping(
    best_first: Sequence[str], members: Mapping[str, Sequence[str]], least: float
) -> Iterator[Copy]:
    """Yield the chains of which ``least`` or more of the shorter one is in a better chain."""
    holding: dict[str, list[str]] = defaultdict(list)
    alike: dict[str, list[Copy]] = defaultdict(list)
    for key in best_first:
        shared: dict[str, int] = defaultdict(int)
        for member in set(members[key]):
            for other in holding[member]:
                shared[other] += 1
            holding[member].append(key)
        for other, count in shared.items():
            share = count / min(len(set(members[key])), len(set(members[other])))
            if share >= least:
                reason = f"they share {count} pull requests, {share:.0%} of the shorter chain"
                alike[key].append(Copy(key, other, "overlapping-chain", reason, share))
    yield from _greedy(best_first, alike)


def _greedy(best_first: Iterable[str], alike: Mapping[str, Sequence[Copy]]) -> Iterator[Copy]:
    kept: dict[str, int] = {}
    for place, key in enumerate(best_first):
        better = [copy for copy in alike.get(key, ()) if copy.kept in kept]
        if better:
            yield min(better, key=lambda copy: kept[copy.kept])
        else:
            kept[key] = place
