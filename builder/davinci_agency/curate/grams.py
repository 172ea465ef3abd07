"""Which runs of thirteen words of a benchmark stand in a text, and which of them mean anything.

What is found is what a set of tuples of thirteen words would find. A rolling hash is looked up in
a bitmap, which lets one in sixteen pass at most by chance; what passes is confirmed word by word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.words import Hashes, word_hashes

GRAM_WORDS = 13
"""The words of a gram, as decontamination has counted them since GPT-3."""
LEAST_WORDS = 8
"""A text shorter than a gram is one as a whole if it has so many words, else it is not looked for:
it would be found everywhere."""

Grams = NDArray[np.int32]
"""Numbers of grams of a list."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_BITS_A_GRAM = 16
_PLACES_A_GRAM = 2


class _Table(NamedTuple):
    """Grams by their hashes.

    Attributes:
        words: the hashes of the words of all texts, one text behind the other.
        starts, lengths, sums: of each gram its place in ``words``, its words, its hash.
        places: an open hash table of numbers of grams; -1 where there is none.
        bits: a bitmap, eight bits a byte, set for each gram's hash.
    """

    words: Hashes
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    sums: Hashes
    places: Grams
    bits: NDArray[np.uint8]


class GramList:
    """The distinct grams of a list of texts, numbered from 0 in the order of the texts.

    Holds about 40 bytes a gram.

    >>> grams = GramList([b"fix the parser so that it accepts empty lines", b"too short"])
    >>> grams.hits(word_hashes(b"Please fix the parser so that it accepts empty lines."))
    array([0], dtype=int32)
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        hashes = [word_hashes(text) for text in texts]
        self._ends = np.cumsum([one.size for one in hashes], dtype=np.int64)
        spans = [_spans(one.size) for one in hashes]
        most = sum(count for count, _ in spans)
        self._table = _Table(
            words=np.concatenate([np.empty(0, np.uint64), *hashes]),
            starts=np.empty(most, dtype=np.int64),
            lengths=np.empty(most, dtype=np.int64),
            sums=np.empty(most, dtype=np.uint64),
            places=np.full(_power_of_two(_PLACES_A_GRAM * most), -1, dtype=np.int32),
            bits=np.zeros(_power_of_two(_BITS_A_GRAM * most) // 8, dtype=np.uint8),
        )
        self._number = 0
        for end, (count, length) in zip(self._ends.tolist(), spans, strict=True):
            if count:
                start = end - (count + length - 1)
                self._number = _add(start, end, length, self._table, self._number)
        self._lengths = np.unique(self._table.lengths[: self._number])

    def __len__(self) -> int:
        return self._number

    def hits(self, hashes: Hashes) -> Grams:
        """Return the numbers of the grams that a text holds, each once, ascending.

        ``hashes`` are those of the text's words. Safe to call from several threads.
        """
        found = [_search(hashes, int(length), self._table) for length in self._lengths]
        return np.unique(np.concatenate([np.empty(0, np.int32), *found]))

    def text_of(self, gram: int) -> int:
        """Return which of the texts, from 0, a gram comes from: the first that holds it."""
        start = self._table.starts[: self._number][gram]
        return int(np.searchsorted(self._ends, start, side="right"))


def _spans(words: int) -> tuple[int, int]:
    """Return how many grams a text of so many words has, and how many words each of them."""
    if words >= GRAM_WORDS:
        return words - GRAM_WORDS + 1, GRAM_WORDS
    return (1, words) if words >= LEAST_WORDS else (0, GRAM_WORDS)


def _power_of_two(least: int) -> int:
    return 1 << max(10, (least - 1).bit_length())


@kernel
def _add(start: int, end: int, length: int, table: _Table, number: int) -> int:
    """Put the grams of one text into the table; return how many there are now."""
    words = table.words
    power = _power(length)
    total = np.uint64(0)
    for place in range(start, end):
        total = total * _BASE + words[place]
        first = place - length + 1
        if first > start:
            total -= words[first - 1] * power
        if first < start:
            continue
        slot, known = _look_up(words, first, length, total, table)
        if known < 0:
            table.starts[number], table.lengths[number] = first, length
            table.sums[number], table.places[slot] = total, number
            bit = _bit(total, table)
            table.bits[bit >> np.uint64(3)] |= np.uint8(1) << np.uint8(bit & np.uint64(7))
            number += 1
    return number


@kernel
def _search(hashes: Hashes, length: int, table: _Table) -> Grams:
    """Return the grams of one length that stand in a text, in order, some of them repeatedly."""
    found = np.empty(max(0, hashes.size - length + 1), dtype=np.int32)
    power = _power(length)
    number = 0
    total = np.uint64(0)
    for place in range(min(length - 1, hashes.size)):
        total = total * _BASE + hashes[place]
    before = np.uint64(0)
    for first in range(found.size):
        start = np.uint64(first)
        total = total * _BASE + (hashes[start + np.uint64(length - 1)] - before * power)
        before = hashes[start]
        bit = _bit(total, table)
        if table.bits[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7)) & np.uint8(1):
            _, gram = _look_up(hashes, first, length, total, table)
            if gram >= 0:
                found[number] = gram
                number += 1
    return found[:number]


@kernel
def _power(length: int) -> np.uint64:
    power = np.uint64(1)
    for _ in range(length):
        power *= _BASE
    return power


@kernel
def _bit(total: np.uint64, table: _Table) -> np.uint64:
    """Return a gram's place in the bitmap."""
    mixed = total * _BASE
    return (mixed ^ (mixed >> np.uint64(32))) & np.uint64(8 * table.bits.size - 1)


@kernel
def _look_up(
    words: Hashes, first: int, length: int, total: np.uint64, table: _Table
) -> tuple[np.uint64, int]:
    """Return the slot where a gram is or belongs, and its number, -1 if it is not there."""
    last = np.uint64(table.places.size - 1)
    slot = total & last
    while table.places[slot] >= 0:
        gram = int(table.places[slot])
        if table.sums[gram] == total and table.lengths[gram] == length:
            start = table.starts[gram]
            same = 0
            while same < length and words[first + same] == table.words[start + same]:
                same += 1
            if same == length:
                return slot, gram
        slot = (slot + np.uint64(1)) & last
    return slot, -1


@dataclass(frozen=True, slots=True)
class Contamination:
    """Whose text the hits are.

    Attributes:
        documents: the documents, from 0, that hold a gram which is not common; ascending.
        common: the grams that are everybody's: a licence, a template.
    """

    documents: tuple[int, ...]
    common: frozenset[int]


def contamination(hits: Callable[[], Iterable[Collection[int]]], most: int) -> Contamination:
    """Tell a benchmark's own text from what everybody writes.

    ``hits`` are the grams found in each document, each once; it is asked for them repeatedly.
    Common is what more than ``most`` documents hold of those that hold nothing else. With each
    document that goes for another gram, its grams get rarer; so once all that hold one that is not
    common are gone, to ask again finds none. Held are a count of each gram, and what goes.
    """
    counts = Counter(gram for found in hits() for gram in found)
    gone: set[int] = set()
    before = -1
    while before < len(gone):
        before = len(gone)
        for document, found in enumerate(hits()):
            if document not in gone and any(counts[gram] <= most for gram in found):
                gone.add(document)
                counts.subtract(found)
    common = frozenset(gram for gram, count in counts.items() if count > most)
    return Contamination(tuple(sorted(gone)), common)
