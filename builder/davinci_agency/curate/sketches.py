"""What is kept of a text to compare it with others: samples of its words and neighbouring words.

A word is in the sample if its hash is among the lowest 2^-rate of all hashes, whatever the text
(FracMinHash). So two samples hold the same words where the texts do, a sample at a low rate can be
thinned to that of a higher one, and shares of words in common are estimated without bias, also
between texts of very different length. The same holds for pairs of words that follow each other.
A text of any length keeps at most twice `MOST` numbers of four bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.words import Hashes

MOST = 384
"""So many values a sample holds at most, and half as many at least if its text has them. Enough to
tell the shares in common to some hundredths."""

Values = NDArray[np.uint32]
"""The sampled hashes of a text, each once, ascending: a thinner sample is the beginning of it."""

_PLACES = 2048
"""Of the hash table: a power of two, some times `MOST`, so that few values meet."""
_PIECE = 512
"""So many words are compared with one limit, in a row."""
_BEFORE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The hashes below 2^(32 - rate) of a set."""

    values: Values
    rate: int

    def thinned(self, rate: int) -> Values:
        """Return the sample at a rate that is as high as this one's or higher."""
        return self.values[: np.searchsorted(self.values, 1 << (32 - rate))]


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """The samples of a text: its distinct words, and its distinct pairs of neighbouring words."""

    words: Sample
    pairs: Sample

    def __reduce__(self) -> tuple[Callable[..., Sketch], tuple[bytes, int, bytes, int]]:
        return sketch_of, self.stored

    @property
    def stored(self) -> tuple[bytes, int, bytes, int]:
        """Its values and their rates, of words and of pairs."""
        words, pairs = self.words, self.pairs
        return words.values.tobytes(), words.rate, pairs.values.tobytes(), pairs.rate

    @property
    def nbytes(self) -> int:
        """The bytes that its numbers take."""
        return self.words.values.nbytes + self.pairs.values.nbytes


def sketch_of(words: bytes, words_rate: int, pairs: bytes, pairs_rate: int) -> Sketch:
    """Return a sketch as it was stored."""
    return Sketch(
        Sample(np.frombuffer(words, np.uint32), words_rate),
        Sample(np.frombuffer(pairs, np.uint32), pairs_rate),
    )


def sketch(hashes: Hashes) -> Sketch:
    """Return the sketch of a text, given the hashes of its words in order."""
    return Sketch(_sample(hashes, of_pairs=False), _sample(hashes, of_pairs=True))


def _sample(hashes: Hashes, *, of_pairs: bool) -> Sample:
    table = np.zeros(_PLACES, dtype=np.uint32)
    rate = _collect(hashes, table, MOST, of_pairs)
    return Sample(np.sort(table[table > 0]), rate)


@kernel
def _collect(hashes: Hashes, table: Values, most: int, of_pairs: bool) -> int:
    """Put the lowest values into a hash table; return the rate.

    The rate is the lowest at which at most ``most`` distinct values are left. It depends on the
    set alone, as a value that comes again changes nothing.
    """
    rate, held = 0, 0
    limit = np.uint64(1) << np.uint64(32)
    low = np.empty(_PIECE, dtype=np.uint32)
    for begin in range(1 if of_pairs else 0, hashes.size, _PIECE):
        end = min(begin + _PIECE, hashes.size)
        for number in range(_pick(hashes, begin, end, limit, of_pairs, low)):
            value = low[np.uint64(number)]
            # The limit may be lower by now.
            if value < limit:
                held += _insert(table, value)
            while held > most:
                rate += 1
                limit >>= np.uint64(1)
                held = _thin(table, limit)
    return rate


@kernel
def _pick(
    hashes: Hashes, begin: int, end: int, limit: np.uint64, of_pairs: bool, low: Values
) -> int:
    """Write the values below a limit, in order; return how many there are."""
    count = np.uint64(0)
    factor = _BEFORE if of_pairs else np.uint64(0)
    for step in range(begin, end):
        place = np.uint64(step)
        # The first word of all has none before it, and is asked for alone.
        before = hashes[place - np.uint64(step > 0)] * factor
        value = (hashes[place] ^ before) >> np.uint64(32)
        # Always written, and kept if it is low: cheaper than a branch. Zero marks an empty place of
        # the table; one value in four billion is never sampled.
        low[count] = np.uint32(value)
        count += np.uint64(value - np.uint64(1) < limit - np.uint64(1))
    return int(count)


@kernel
def _insert(table: Values, value: np.uint32) -> int:
    """Put a value into the table; return whether it was not there, as a number."""
    last = np.uint32(table.size - 1)
    place = value & last
    while table[place] != 0:
        if table[place] == value:
            return 0
        place = (place + np.uint32(1)) & last
    table[place] = value
    return 1


@kernel
def _thin(table: Values, limit: np.uint64) -> int:
    """Leave only values below a limit in the table; return how many there are."""
    values = table[table > 0]
    table[:] = 0
    held = 0
    for value in values:
        if value < limit:
            held += _insert(table, value)
    return held
