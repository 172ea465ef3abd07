"""Which texts hold a value of a sample, and which values of a text the fewest others hold.

Of two sets that have enough members in common, the rarest of these are among the rarest of each:
whoever looks those up finds all sets that are similar, and reads few that are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.sketches import Sample, Values

LEAST_SHARED = 8
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
            size = size_at(words.values[words.starts[one] : words.starts[one + 1]], rate)
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
        last = end + lookup(sizes[one], share)
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
        numbers[one] = lookup(sizes[one], share)
    return numbers


@kernel
def lookup(size: int, share: float) -> int:
    """Return of how many of the rarest members enough are common, if ``share`` of ``size`` are."""
    return min(size, size - int(np.ceil(share * size - 1e-9)) + LEAST_SHARED)


@kernel
def count_shared(
    index: Index,
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
def size_at(values: Values, rate: int) -> int:
    """Return how many values of a sample stay at a rate."""
    return int(np.searchsorted(values, np.uint64(1) << np.uint64(32 - rate)))
