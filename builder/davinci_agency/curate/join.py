"""The join behind `neighbours`: for a sketch all larger ones that it is similar to, exactly.

Of two sets that have enough members in common, the rarest of these are among the rarest of each.
Whoever looks those up, among those alone, finds all sets that are similar and reads few that are
not; for one that is contained in a larger one, a handful among all members of the larger. Only
what shares as many of them as it must is compared member by member.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.laying import Flat, Texts
from davinci_agency.curate.postings import CELL_BITS, Postings, sort_postings
from davinci_agency.curate.sketches import Values

_LEAST_SHARED = 8
"""So many of the rarest values two texts must share to be compared. More means longer lookups and
fewer comparisons; what is found is the same, as long as similar texts share so many at all."""
_TEXTS_AT_ONCE = 2048
_ODD = np.uint64(0x9E3779B1)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_CELL_SHIFT = np.uint64(64 - CELL_BITS)


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
    shared: NDArray[np.uint8]
    others: NDArray[np.int64]


def room(texts: int) -> Found:
    """Return room for what may be found for one of so many texts.

    Of what is never used the system holds nothing.
    """
    return Found(
        texts=np.empty(texts, np.int64),
        measures=np.empty((texts, 4), np.float64),
        is_near=np.empty(texts, np.bool_),
        is_contained=np.empty(texts, np.bool_),
        shared=np.zeros(texts, np.uint8),
        others=np.empty(texts, np.int64),
    )


@kernel
def _mixed(value: np.uint32) -> np.uint64:
    """Return another number of 32 bits, and each for one alone: samples hold low ones only."""
    return (np.uint64(value) * _ODD) & _LOW


def index_all(words: Flat, folder: Path) -> Postings:
    """Return which texts hold each value."""

    def chunks() -> Iterator[NDArray[np.uint64]]:
        for first, end in _runs(words):
            room = np.empty(words.starts[end] - words.starts[first], np.uint64)
            _post(first, end, words, room)
            yield room

    return sort_postings(chunks(), words.values.size, folder)


def index_rarest(
    texts: Texts, sizes: NDArray[np.int16], rate: int, share: float, folder: Path
) -> Postings:
    """Return which texts hold a value among those to be looked up if that share is common."""

    def chunks() -> Iterator[NDArray[np.uint64]]:
        for first, end in _runs(texts.words):
            room = np.empty(texts.words.starts[end] - texts.words.starts[first], np.uint64)
            yield room[: _post_rarest(first, end, rate, sizes, share, texts, room)]

    return sort_postings(chunks(), texts.words.values.size, folder)


def _runs(words: Flat) -> Iterator[tuple[int, int]]:
    texts = words.rates.size
    for first in range(0, texts, _TEXTS_AT_ONCE):
        yield first, min(texts, first + _TEXTS_AT_ONCE)


@kernel
def _post(first: int, end: int, words: Flat, postings: NDArray[np.uint64]) -> None:
    number = 0
    for one in range(first, end):
        for value in words.values[words.starts[one] : words.starts[one + 1]]:
            postings[number] = (_mixed(value) << _HALF) | np.uint64(one)
            number += 1


@kernel
def _post_rarest(
    first: int,
    end: int,
    rate: int,
    sizes: NDArray[np.int16],
    share: float,
    texts: Texts,
    postings: NDArray[np.uint64],
) -> int:
    number = 0
    limit = np.uint64(1) << np.uint64(32 - rate)
    for one in range(first, end):
        left = _lookup(sizes[one], share)
        for value in texts.rare[texts.words.starts[one] : texts.words.starts[one + 1]]:
            if left == 0:
                break
            if value < limit:
                postings[number] = (_mixed(value) << _HALF) | np.uint64(one)
                number += 1
                left -= 1
    return number


@kernel
def sizes_at(words: Flat, rate: int, least: int) -> NDArray[np.int16]:
    """Return how many values each text has at a rate; 0 for one that has fewer than ``least``."""
    sizes = np.zeros(words.rates.size, dtype=np.int16)
    for one in range(sizes.size):
        if words.rates[one] <= rate:
            size = _size(words.values[words.starts[one] : words.starts[one + 1]], rate)
            sizes[one] = size if size >= least else 0
    return sizes


@kernel
def _lookup(size: int, share: float) -> int:
    """Return of how many of the rarest members enough are common, if ``share`` of ``size`` are."""
    return min(size, size - int(np.ceil(share * size - 1e-9)) + _LEAST_SHARED)


@kernel
def find(
    one: int,
    rate: int,
    sizes: NDArray[np.int16],
    texts: Texts,
    holders: Postings,
    near: Postings,
    limits: Limits,
    found: Found,
) -> int:
    """Find the larger texts that a text is similar to at a rate; return how many they are."""
    words, size = texts.words, sizes[one]
    start = words.starts[one]
    rarest = texts.rare[start : words.starts[one + 1]]
    among = _share(near, rarest, rate, _lookup(size, limits.near_share), found, 0)
    # What contains a text may hold the text's rarest words among its own common ones.
    among = _share(holders, rarest, rate, _lookup(size, limits.contained), found, among)
    number = 0
    own = words.values[start : start + size]
    for other in found.others[:among]:
        enough = found.shared[other] >= _LEAST_SHARED
        found.shared[other] = 0
        larger = sizes[other]
        if (
            enough
            and (larger > size or (larger == size and other > one))
            and max(words.rates[other], words.rates[one]) == rate
        ):
            theirs = words.values[words.starts[other] : words.starts[other] + larger]
            number += _compare(one, other, own, theirs, texts.pairs, limits, found, number)
    return number


@kernel
def _share(index: Postings, rarest: Values, rate: int, most: int, found: Found, among: int) -> int:
    """Count for each text how many of so many values it holds, and list these texts."""
    limit = np.uint64(1) << np.uint64(32 - rate)
    for value in rarest:
        if most == 0:
            break
        if value >= limit:
            continue
        most -= 1
        wanted = _mixed(value)
        for place in range(_first(index, wanted), index.held.size):
            posting = index.held[place]
            if posting >> _HALF != wanted:
                break
            other = np.int64(posting & _LOW)
            if found.shared[other] == 0:
                found.others[among] = other
                among += 1
            if found.shared[other] < _LEAST_SHARED:
                found.shared[other] += np.uint8(1)
    return among


@kernel
def _first(index: Postings, wanted: np.uint64) -> int:
    """Return where the postings of a value begin, or would."""
    wanted = wanted << _HALF
    cell = np.int64(wanted >> _CELL_SHIFT)
    low, high = index.begins[cell], index.begins[cell + 1]
    while low < high:
        middle = (low + high) // 2
        if index.held[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return int(low)


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
