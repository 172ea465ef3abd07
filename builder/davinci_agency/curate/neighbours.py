"""Which texts are near duplicates of each other, or the beginning or a part of each other; pure.

Two texts are near duplicates if they share most of their distinct words, and most of their
distinct pairs of neighbouring words: scattered edits spoil the long n-grams of a long text, and a
second attempt at a task uses the words of the first in other company. A text is contained in
another if nearly all of its words and pairs are there.

The join (`join`) is exact on the sketches and caps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from davinci_agency.curate.join import (
    Found,
    Limits,
    by_rarity,
    find,
    flat,
    index_of,
    rarest_of,
    room,
    sizes_at,
)
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
    Holds some 20 kB a text.
    """
    groups = _equal(sketches)
    names = [group[0] for group in groups]
    found = [_equals(group[0], name, sketches[name]) for group in groups for name in group[1:]]
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


def _equals(first: str, second: str, sketch: Sketch) -> Pair:
    judged = min(sketch.words.values.size, sketch.pairs.values.size) >= LEAST_CONTAINED
    return Pair(first, second, second, 1.0, 1.0, 1.0, 1.0, is_near=True, is_contained=judged)


def _join(names: Sequence[str], sketches: Sequence[Sketch]) -> Iterator[Pair]:
    if len(names) < 2:
        return
    words = flat(one.words for one in sketches)
    pairs = flat(one.pairs for one in sketches)
    holders = index_of(words.values, np.diff(words.starts))
    ordered = by_rarity(words.starts, holders.counts)
    found = room(len(names))
    # Two samples meet at the higher of their rates.
    for rate in np.unique(words.rates).tolist():
        sizes = sizes_at(words, rate, LEAST_NEAR)
        rarest = rarest_of(words, ordered, sizes, rate, NEAR_WORDS)
        near = index_of(words.values[rarest.places], rarest.ends - rarest.starts)
        for one in np.flatnonzero(sizes).tolist():
            number = find(one, rate, sizes, words, pairs, holders, rarest, near, _LIMITS, found)
            yield from _pairs(one, number, names, found)


def _pairs(one: int, number: int, names: Sequence[str], found: Found) -> Iterator[Pair]:
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
