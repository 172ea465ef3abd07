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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.sketches import Sample, Sketch, Values

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


_LEAST_SHARED = 8
"""So many of the rarest values two texts must share to be compared. More means longer lookups and
fewer comparisons; what is found is the same. No more than `NEAR_WORDS` of `LEAST_NEAR`."""


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


class _Flat(NamedTuple):
    """Samples one behind the other: that of text n is at [starts[n], starts[n + 1])."""

    values: Values
    starts: NDArray[np.int64]
    rates: NDArray[np.int64]


class _Index(NamedTuple):
    """Which texts hold a value.

    Attributes:
        texts: the texts that hold a value, value after value.
        begins: for each value of each text, where the texts that hold it begin.
        counts: and how many there are.
    """

    texts: NDArray[np.int32]
    begins: NDArray[np.int64]
    counts: NDArray[np.int32]


class _Rarest(NamedTuple):
    """Of each text the places of its rarest values, rarest first: those at [starts[n], ends[n])."""

    places: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class _Found(NamedTuple):
    """The texts that one text is smaller than and similar to, with the measures of each pair."""

    texts: NDArray[np.int64]
    measures: NDArray[np.float64]
    is_near: NDArray[np.bool_]
    is_contained: NDArray[np.bool_]


def _join(names: Sequence[str], sketches: Sequence[Sketch]) -> Iterator[Pair]:
    if len(names) < 2:
        return
    words = _flat(one.words for one in sketches)
    pairs = _flat(one.pairs for one in sketches)
    holders = _index(words.values, np.diff(words.starts))
    by_rarity = _by_rarity(words.starts, holders.counts)
    size = len(names)
    shared, others = np.zeros(size, np.int32), np.empty(size, np.int64)
    found = _Found(
        np.empty(size, np.int64), np.empty((size, 4)), np.empty(size, bool), np.empty(size, bool)
    )
    # Two samples meet at the higher of their rates.
    for rate in np.unique(words.rates).tolist():
        sizes = _sizes(words, rate)
        rarest = _rarest(words, by_rarity, sizes, rate)
        near = _index(words.values[rarest.places], rarest.ends - rarest.starts)
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


def _flat(samples: Iterable[Sample]) -> _Flat:
    held = list(samples)
    starts = np.zeros(len(held) + 1, dtype=np.int64)
    np.cumsum([sample.values.size for sample in held], out=starts[1:])
    values = np.concatenate([sample.values for sample in held])
    return _Flat(values, starts, np.array([sample.rate for sample in held], dtype=np.int64))


def _index(values: Values, sizes: NDArray[np.int64]) -> _Index:
    """Return which texts hold each value, given the values and how many of them each text has."""
    text_at = np.repeat(np.arange(sizes.size, dtype=np.int32), sizes)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    opens = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: ordered.size])
    lengths = np.diff(np.r_[opens, ordered.size])
    begins = np.empty(ordered.size, dtype=np.int64)
    counts = np.empty(ordered.size, dtype=np.int32)
    begins[order] = np.repeat(opens, lengths)
    counts[order] = np.repeat(lengths, lengths)
    return _Index(text_at[order], begins, counts)


@kernel
def _by_rarity(starts: NDArray[np.int64], counts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the places of each text's values, those first that the fewest texts hold."""
    places = np.empty(counts.size, dtype=np.int64)
    for one in range(starts.size - 1):
        start, end = starts[one], starts[one + 1]
        # Stable: of two that are equally rare the lower one comes first, in every text.
        places[start:end] = start + np.argsort(counts[start:end], kind="mergesort")
    return places


@kernel
def _sizes(words: _Flat, rate: int) -> NDArray[np.int64]:
    """Return how many values each text has at a rate; 0 if it has too few, or no such sample."""
    sizes = np.zeros(words.rates.size, dtype=np.int64)
    for one in range(sizes.size):
        if words.rates[one] <= rate:
            size = _size(words.values[words.starts[one] : words.starts[one + 1]], rate)
            sizes[one] = size if size >= LEAST_NEAR else 0
    return sizes


@kernel
def _rarest(
    words: _Flat, by_rarity: NDArray[np.int64], sizes: NDArray[np.int64], rate: int
) -> _Rarest:
    """Return as many of each text's rarest values as one that is near to it can't all lack."""
    starts, ends = np.empty_like(sizes), np.empty_like(sizes)
    places = np.empty(_lookups(sizes, NEAR_WORDS).sum(), dtype=np.int64)
    limit = np.uint64(1) << np.uint64(32 - rate)
    end = 0
    for one in range(sizes.size):
        starts[one] = end
        last = end + _lookup(sizes[one], NEAR_WORDS)
        for place in by_rarity[words.starts[one] : words.starts[one + 1]]:
            if end == last:
                break
            if words.values[place] < limit:
                places[end] = place
                end += 1
        ends[one] = end
    return _Rarest(places, starts, ends)


@kernel
def _lookups(sizes: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    numbers = np.empty_like(sizes)
    for one in range(sizes.size):
        numbers[one] = _lookup(sizes[one], share)
    return numbers


@kernel
def _lookup(size: int, share: float) -> int:
    """Return of how many of the rarest members enough are common, if ``share`` of ``size`` are."""
    return min(size, size - int(np.ceil(share * size - 1e-9)) + _LEAST_SHARED)


@kernel
def _find(
    one: int,
    rate: int,
    sizes: NDArray[np.int64],
    words: _Flat,
    pairs: _Flat,
    holders: _Index,
    rarest: _Rarest,
    near: _Index,
    shared: NDArray[np.int32],
    others: NDArray[np.int64],
    found: _Found,
) -> int:
    """Find the larger texts that a text is similar to at a rate; return how many they are."""
    start = rarest.starts[one]
    end = start + _lookup(sizes[one], _NEAR_SHARE)
    among = _share(near, np.arange(start, end), shared, others, 0)
    # What contains a text may hold the text's rarest words among its own common ones.
    end = start + _lookup(sizes[one], CONTAINED)
    among = _share(holders, rarest.places[start:end], shared, others, among)
    number = 0
    own = words.values[words.starts[one] : words.starts[one] + sizes[one]]
    for other in others[:among]:
        enough = shared[other] >= _LEAST_SHARED
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
def _share(
    index: _Index,
    places: NDArray[np.int64],
    shared: NDArray[np.int32],
    others: NDArray[np.int64],
    among: int,
) -> int:
    """Count for each text how many of the values at some places it holds, and list these texts."""
    for place in places:
        for other in index.texts[index.begins[place] : index.begins[place] + index.counts[place]]:
            if shared[other] == 0:
                others[among] = other
                among += 1
            shared[other] += 1
    return among


@kernel
def _compare(
    one: int, other: int, own: Values, theirs: Values, pairs: _Flat, found: _Found, number: int
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
    size, larger = _size(own_pairs, rate), _size(their_pairs, rate)
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
def _size(values: Values, rate: int) -> int:
    """Return how many values of a sample stay at a rate."""
    return int(np.searchsorted(values, np.uint64(1) << np.uint64(32 - rate)))


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
