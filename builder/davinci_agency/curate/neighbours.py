"""Which texts are near duplicates of each other, or the beginning or a part of each other; pure.

Two texts are near duplicates if they share most of their distinct words, and most of their
distinct pairs of neighbouring words: scattered edits spoil the long n-grams of a long text, and a
second attempt at a task uses the words of the first in other company. A text is contained in
another if nearly all of its words and pairs are there.

The join is exact on the sketches and caps nothing. Two sketches that share enough words share some
of the rarest words of each, so only these are looked up, among only these; for a sketch that is
contained in a larger one, a handful among all words of the larger. Only what shares as many of
them as it must is compared word by word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.rarity import (
    LEAST_SHARED,
    Flat,
    Index,
    Rarest,
    by_rarity,
    count_shared,
    flat,
    index_of,
    lookup,
    rarest_of,
    size_at,
    sizes_at,
)
from davinci_agency.curate.sketches import Sketch, Values

NEAR_WORDS, NEAR_PAIRS = 0.65, 0.53
"""The least Jaccard similarity of near duplicates. Between the copies with a tenth of their words
changed (from .73 and .61 on) and the most similar second attempts (up to .70 and .45) of
``tests/benchmarks/corpus.py``."""
CONTAINED = 0.97
"""The least share of a contained text's words, and of its pairs, that are in the larger one."""
LEAST_NEAR, LEAST_CONTAINED = 16, 32
"""So many values there must be to judge by: a text of fewer distinct words is near to none, and a
text that is too short against another is not looked for in it."""

# With a Jaccard similarity of j, sets of m <= n members have 2j/(1+j) * m in common, or more, and
# j * n.
_NEAR_SHARE = 2 * NEAR_WORDS / (1 + NEAR_WORDS)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that have much in common.

    Attributes:
        first, second: their names, in order.
        smaller: the one that has fewer distinct words.
        words, pairs: Jaccard similarity of their words, and of their pairs of words: from 0 to 1.
        words_inside, pairs_inside: the share of those of the one that has fewer that the other has.
        is_near: whether they are near duplicates.
        is_contained: whether the smaller one is contained in the larger one.
    """

    first: str
    second: str
    smaller: str
    words: float
    pairs: float
    words_inside: float
    pairs_inside: float
    is_near: bool
    is_contained: bool


def similar(sketches: Mapping[str, Sketch]) -> list[Pair]:
    """Return all pairs of texts that are near duplicates or contained, sorted by their names.

    It is a function of names and texts, not of their order. Of texts whose sketches are equal,
    the one with the lowest name is compared with others, and each of the rest with it alone.
    Holds some 15 kB a text.
    """
    groups = _equal(sketches)
    names = [group[0] for group in groups]
    found = [_equals(group[0], name) for group in groups for name in group[1:]]
    found += _join(names, [sketches[name] for name in names])
    return sorted(found, key=lambda pair: (pair.first, pair.second))


def _equal(sketches: Mapping[str, Sketch]) -> list[list[str]]:
    """Return the names of large enough texts, those with equal sketches together; all sorted."""
    groups: dict[tuple[int, bytes, int, bytes], list[str]] = {}
    for name in sorted(sketches):
        words, pairs = sketches[name].words, sketches[name].pairs
        if words.values.size >= LEAST_NEAR:
            key = words.rate, words.values.tobytes(), pairs.rate, pairs.values.tobytes()
            groups.setdefault(key, []).append(name)
    return list(groups.values())


def _equals(first: str, second: str) -> Pair:
    return Pair(first, second, second, 1.0, 1.0, 1.0, 1.0, is_near=True, is_contained=True)


class _Found(NamedTuple):
    """The texts that one text is smaller than and similar to, with the measures of each pair."""

    texts: NDArray[np.int64]
    measures: NDArray[np.float64]
    is_near: NDArray[np.bool_]
    is_contained: NDArray[np.bool_]


def _join(names: Sequence[str], sketches: Sequence[Sketch]) -> Iterator[Pair]:
    if len(names) < 2:
        return
    words = flat(one.words for one in sketches)
    pairs = flat(one.pairs for one in sketches)
    holders = index_of(words.values, np.diff(words.starts))
    ordered = by_rarity(words.starts, holders.counts)
    size = len(names)
    shared, others = np.zeros(size, np.int32), np.empty(size, np.int64)
    found = _Found(
        np.empty(size, np.int64), np.empty((size, 4)), np.empty(size, bool), np.empty(size, bool)
    )
    # Two samples meet at the higher of their rates.
    for rate in np.unique(words.rates).tolist():
        sizes = sizes_at(words, rate, LEAST_NEAR)
        rarest = rarest_of(words, ordered, sizes, rate, NEAR_WORDS)
        near = index_of(words.values[rarest.places], rarest.ends - rarest.starts)
        for one in np.flatnonzero(sizes).tolist():
            number = _find(
                one, rate, sizes, words, pairs, holders, rarest, near, shared, others, found
            )
            yield from _pairs(one, number, names, found)


def _pairs(one: int, number: int, names: Sequence[str], found: _Found) -> Iterator[Pair]:
    columns = found.texts, found.measures, found.is_near, found.is_contained
    for other, (words, pairs, words_inside, pairs_inside), is_near, is_contained in zip(
        *(column[:number].tolist() for column in columns), strict=True
    ):
        first, second = sorted((names[one], names[other]))
        yield Pair(
            first,
            second,
            names[one],
            words,
            pairs,
            words_inside,
            pairs_inside,
            is_near=is_near,
            is_contained=is_contained,
        )


@kernel
def _find(
    one: int,
    rate: int,
    sizes: NDArray[np.int64],
    words: Flat,
    pairs: Flat,
    holders: Index,
    rarest: Rarest,
    near: Index,
    shared: NDArray[np.int32],
    others: NDArray[np.int64],
    found: _Found,
) -> int:
    """Find the larger texts that a text is similar to at a rate; return how many they are."""
    start = rarest.starts[one]
    end = start + lookup(sizes[one], _NEAR_SHARE)
    among = count_shared(near, np.arange(start, end), shared, others, 0)
    # What contains a text may hold the text's rarest words among its own common ones.
    end = start + lookup(sizes[one], CONTAINED)
    among = count_shared(holders, rarest.places[start:end], shared, others, among)
    number = 0
    own = words.values[words.starts[one] : words.starts[one] + sizes[one]]
    for other in others[:among]:
        enough = shared[other] >= LEAST_SHARED
        shared[other] = 0
        larger = sizes[other]
        if (
            enough
            and (larger > sizes[one] or (larger == sizes[one] and other > one))
            and max(words.rates[other], words.rates[one]) == rate
        ):
            theirs = words.values[words.starts[other] : words.starts[other] + larger]
            number += _compare(one, other, own, theirs, pairs, found, number)
    return number


@kernel
def _compare(
    one: int, other: int, own: Values, theirs: Values, pairs: Flat, found: _Found, number: int
) -> int:
    """Write down a pair if it is similar; return whether it is, as a number."""
    common = _common(own, theirs)
    inside = common / own.size
    words = common / (own.size + theirs.size - common)
    if words < NEAR_WORDS and inside < CONTAINED:
        return 0
    rate = max(pairs.rates[one], pairs.rates[other])
    own_pairs = pairs.values[pairs.starts[one] : pairs.starts[one + 1]]
    their_pairs = pairs.values[pairs.starts[other] : pairs.starts[other + 1]]
    size, larger = size_at(own_pairs, rate), size_at(their_pairs, rate)
    common = _common(own_pairs[:size], their_pairs[:larger])
    pairs_inside = common / max(1, min(size, larger))
    alike = common / max(1, size + larger - common)
    is_near = words >= NEAR_WORDS and alike >= NEAR_PAIRS
    is_contained = (
        inside >= CONTAINED
        and pairs_inside >= CONTAINED
        and own.size >= LEAST_CONTAINED
        and min(size, larger) >= LEAST_CONTAINED
    )
    found.texts[number] = other
    found.measures[number, 0], found.measures[number, 1] = words, alike
    found.measures[number, 2], found.measures[number, 3] = inside, pairs_inside
    found.is_near[number], found.is_contained[number] = is_near, is_contained
    return int(is_near or is_contained)


@kernel
def _common(ones: Values, others: Values) -> int:
    """Return how many values two ascending arrays have in common."""
    one, other, common = 0, 0, 0
    # Nobody can guess which is next, so no branch asks.
    while one < ones.size and other < others.size:
        mine, theirs = ones[one], others[other]
        common += mine == theirs
        one += mine <= theirs
        other += theirs <= mine
    return common
