"""The join behind `neighbours`: for a sketch all larger ones that it is similar to, exactly.

Of two sets that have enough members in common, the rarest of these are among the rarest of each.
Whoever looks those up, among those alone, finds all sets that are similar and reads few that are
not; for one that is contained in a larger one, a handful among all members of the larger. Only
what shares as many of them as it must is compared member by member.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.sketches import Sample, Values

_LEAST_SHARED = 8
"""So many of the rarest values two texts must share to be compared. More means longer lookups and
fewer comparisons; what is found is the same, as long as similar texts share so many at all."""


class Flat(NamedTuple):
    """Samples one behind the other: that of text n is at [starts[n], starts[n + 1])."""

    values: Values
    starts: NDArray[np.int64]
    rates: NDArray[np.int64]


class Index(NamedTuple):
    """Which texts hold a value.

    Attributes:
        texts: the texts that hold a value, value after value.
        begins: for each value of each text, where the texts that hold it begin.
        counts: and how many there are.
    """

    texts: NDArray[np.int32]
    begins: NDArray[np.int64]
    counts: NDArray[np.int32]


class Rarest(NamedTuple):
    """Of each text the places of its rarest values, rarest first: those at [starts[n], ends[n])."""

    places: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Limits(NamedTuple):
    """What makes two texts similar.

    Attributes:
        near_words, near_pairs: the least Jaccard similarity of near duplicates.
        near_share: the least share of the smaller one's words in common that follows from it.
        contained: the least share of a contained text's words, and of its pairs, in the larger one.
        least_near, least_contained: the least number of values to judge by.
    """

    near_words: float
    near_pairs: float
    near_share: float
    contained: float
    least_near: int
    least_contained: int


class Found(NamedTuple):
    """The texts that one text is smaller than and similar to, with the measures of each pair.

    ``shared`` (zero between searches) and ``others`` are room to work in.
    """

    texts: NDArray[np.int64]
    measures: NDArray[np.float64]
    is_near: NDArray[np.bool_]
    is_contained: NDArray[np.bool_]
    shared: NDArray[np.int32]
    others: NDArray[np.int64]


def room(texts: int) -> Found:
    """Return room for what may be found for one of so many texts."""
    return Found(
        texts=np.empty(texts, np.int64),
        measures=np.empty((texts, 4), np.float64),
        is_near=np.empty(texts, np.bool_),
        is_contained=np.empty(texts, np.bool_),
        shared=np.zeros(texts, np.int32),
        others=np.empty(texts, np.int64),
    )


def flat(samples: Iterable[Sample]) -> Flat:
    """Return the samples of texts in one piece."""
    held = list(samples)
    starts = np.zeros(len(held) + 1, dtype=np.int64)
    np.cumsum([sample.values.size for sample in held], out=starts[1:])
    values = np.concatenate([sample.values for sample in held])
    return Flat(values, starts, np.array([sample.rate for sample in held], dtype=np.int64))


def index_of(values: Values, sizes: NDArray[np.int64]) -> Index:
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
    return Index(text_at[order], begins, counts)


@kernel
def by_rarity(starts: NDArray[np.int64], counts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the places of each text's values, those first that the fewest texts hold."""
    places = np.empty(counts.size, dtype=np.int64)
    for one in range(starts.size - 1):
        start, end = starts[one], starts[one + 1]
        # Stable: of two that are equally rare the lower one comes first, in every text.
        places[start:end] = start + np.argsort(counts[start:end], kind="mergesort")
    return places


@kernel
def sizes_at(words: Flat, rate: int, least: int) -> NDArray[np.int64]:
    """Return how many values each text has at a rate; 0 for one that has fewer than ``least``."""
    sizes = np.zeros(words.rates.size, dtype=np.int64)
    for one in range(sizes.size):
        if words.rates[one] <= rate:
            size = _size(words.values[words.starts[one] : words.starts[one + 1]], rate)
            sizes[one] = size if size >= least else 0
    return sizes


@kernel
def rarest_of(
    words: Flat,
    places_by_rarity: NDArray[np.int64],
    sizes: NDArray[np.int64],
    rate: int,
    share: float,
) -> Rarest:
    """Return as many of each text's rarest values as must be looked up, if that share is common."""
    starts, ends = np.empty_like(sizes), np.empty_like(sizes)
    places = np.empty(_lookups(sizes, share).sum(), dtype=np.int64)
    limit = np.uint64(1) << np.uint64(32 - rate)
    end = 0
    for one in range(sizes.size):
        starts[one] = end
        last = end + _lookup(sizes[one], share)
        for place in places_by_rarity[words.starts[one] : words.starts[one + 1]]:
            if end == last:
                break
            if words.values[place] < limit:
                places[end] = place
                end += 1
        ends[one] = end
    return Rarest(places, starts, ends)


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
def find(
    one: int,
    rate: int,
    sizes: NDArray[np.int64],
    words: Flat,
    pairs: Flat,
    holders: Index,
    rarest: Rarest,
    near: Index,
    limits: Limits,
    found: Found,
) -> int:
    """Find the larger texts that a text is similar to at a rate; return how many they are."""
    start = rarest.starts[one]
    end = start + _lookup(sizes[one], limits.near_share)
    among = _share(near, np.arange(start, end), found, 0)
    # What contains a text may hold the text's rarest words among its own common ones.
    end = start + _lookup(sizes[one], limits.contained)
    among = _share(holders, rarest.places[start:end], found, among)
    number = 0
    own = words.values[words.starts[one] : words.starts[one] + sizes[one]]
    for other in found.others[:among]:
        enough = found.shared[other] >= _LEAST_SHARED
        found.shared[other] = 0
        larger = sizes[other]
        if (
            enough
            and (larger > sizes[one] or (larger == sizes[one] and other > one))
            and max(words.rates[other], words.rates[one]) == rate
        ):
            theirs = words.values[words.starts[other] : words.starts[other] + larger]
            number += _compare(one, other, own, theirs, pairs, limits, found, number)
    return number


@kernel
def _share(index: Index, places: NDArray[np.int64], found: Found, among: int) -> int:
    """Count for each text how many of the values at some places it holds, and list these texts."""
    for place in places:
        for other in index.texts[index.begins[place] : index.begins[place] + index.counts[place]]:
            if found.shared[other] == 0:
                found.others[among] = other
                among += 1
            found.shared[other] += 1
    return among


@kernel
def _compare(
    one: int,
    other: int,
    own: Values,
    theirs: Values,
    pairs: Flat,
    limits: Limits,
    found: Found,
    number: int,
) -> int:
    """Write down a pair if it is similar; return whether it is, as a number."""
    common = _common(own, theirs)
    inside = common / own.size
    words = common / (own.size + theirs.size - common)
    if words < limits.near_words and inside < limits.contained:
        return 0
    rate = max(pairs.rates[one], pairs.rates[other])
    own_pairs = pairs.values[pairs.starts[one] : pairs.starts[one + 1]]
    their_pairs = pairs.values[pairs.starts[other] : pairs.starts[other + 1]]
    size, larger = _size(own_pairs, rate), _size(their_pairs, rate)
    common = _common(own_pairs[:size], their_pairs[:larger])
    pairs_inside = common / max(1, min(size, larger))
    alike = common / max(1, size + larger - common)
    is_near = words >= limits.near_words and alike >= limits.near_pairs
    is_contained = (
        inside >= limits.contained
        and pairs_inside >= limits.contained
        and own.size >= limits.least_contained
        and min(size, larger) >= limits.least_contained
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


@kernel
def _size(values: Values, rate: int) -> int:
    """Return how many values of a sample stay at a rate."""
    return int(np.searchsorted(values, np.uint64(1) << np.uint64(32 - rate)))
