"""Which texts are near duplicates of each other, or the beginning or a part of each other.

Two texts are near duplicates if they share most of their distinct words, and most of their
distinct pairs of neighbouring words: scattered edits spoil the long n-grams of a long text, and a
second attempt at a task uses the words of the first in other company. A text is contained in
another if nearly all of its words and pairs are there.

The join (`join`) is exact on the sketches and caps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from davinci_agency.curate.join import (
    Found,
    Limits,
    find,
    index_all,
    index_rarest,
    room,
    sizes_at,
)
from davinci_agency.curate.laying import lay_out
from davinci_agency.curate.sketches import Sketch

NEAR_WORDS, NEAR_PAIRS = 0.65, 0.53
"""The least Jaccard similarity of near duplicates. Between the copies with a tenth of their words
changed (from .73 and .61 on) and the most similar second attempts (up to .70 and .45) of
``tests/benchmarks/corpus.py``."""
CONTAINED = 0.97
"""The least share of a contained text's words, and of its pairs, that are in the larger one."""
LEAST_NEAR, LEAST_CONTAINED = 16, 32
"""So many values there must be to judge by: a text of fewer distinct words is near to none, and a
text that is too short against another is not looked for in it."""

_LIMITS = Limits(
    near_words=NEAR_WORDS,
    near_pairs=NEAR_PAIRS,
    # Of sets of m <= n members with a Jaccard similarity of j, 2j/(1+j) * m are common, or more.
    near_share=2 * NEAR_WORDS / (1 + NEAR_WORDS),
    contained=CONTAINED,
    least_near=LEAST_NEAR,
    least_contained=LEAST_CONTAINED,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that have much in common.

    Attributes:
        smaller, larger: their places; the first has fewer distinct words, or as many.
        words, pairs: Jaccard similarity of their words, and of their pairs of words: from 0 to 1.
        words_inside, pairs_inside: the share of those of the one that has fewer that the other has.
        is_near: whether they are near duplicates.
        is_contained: whether the smaller one is contained in the larger one.
    """

    smaller: int
    larger: int
    words: float
    pairs: float
    words_inside: float
    pairs_inside: float
    is_near: bool
    is_contained: bool


def similar(sketches: Iterable[Sketch], folder: Path) -> Iterator[Pair]:
    """Yield all pairs of texts that are near duplicates or contained, each once.

    Which they are doesn't depend on the order of texts. No two sketches may be equal. On disk, in
    a folder, lie some 15 kB a text while this runs; in memory some bytes.
    """
    texts = lay_out(sketches, folder)
    holders = index_all(texts.words, folder)
    found = room(texts.words.rates.size)
    # Two samples meet at the higher of their rates.
    for rate in np.unique(texts.words.rates).tolist():
        sizes = sizes_at(texts.words, rate, LEAST_NEAR)
        near = index_rarest(texts, sizes, rate, NEAR_WORDS, folder)
        for one in np.flatnonzero(sizes).tolist():
            number = find(one, rate, sizes, texts, holders, near, _LIMITS, found)
            yield from _pairs(one, number, found)


def _pairs(one: int, number: int, found: Found) -> Iterator[Pair]:
    columns = found.texts, found.measures, found.is_near, found.is_contained
    for other, (words, pairs, words_inside, pairs_inside), is_near, is_contained in zip(
        *(column[:number].tolist() for column in columns), strict=True
    ):
        yield Pair(
            one,
            other,
            words,
            pairs,
            words_inside,
            pairs_inside,
            is_near=is_near,
            is_contained=is_contained,
        )
