"""Near duplicates and contained texts: which pairs there are, and that none depends on order."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.curate.neighbours import (
    CONTAINED,
    LEAST_CONTAINED,
    LEAST_NEAR,
    NEAR_PAIRS,
    NEAR_WORDS,
    Pair,
    similar,
)
from davinci_agency.curate.sketches import Sample, Sketch, sketch
from davinci_agency.curate.words import word_hashes


def _text(seed: int, words: int, vocabulary: int = 100_000) -> list[str]:
    chance = random.Random(seed)  # noqa: S311
    return [f"word{chance.randrange(vocabulary)}" for _ in range(words)]


def _sketch(words: list[str]) -> Sketch:
    return sketch(word_hashes(" ".join(words).encode()))


def _edited(words: list[str], share: float, seed: int) -> list[str]:
    chance = random.Random(seed)  # noqa: S311
    return [f"new{chance.random()}" if chance.random() < share else word for word in words]


def _mixed(words: list[str], number: int) -> list[str]:
    return random.Random(2).sample(words, number)  # noqa: S311


@dataclass(frozen=True, slots=True)
class Named:
    """Two texts that have much in common: their names, in order, and that of the smaller one."""

    first: str
    second: str
    smaller: str
    pair: Pair


def _named(sketches: Mapping[str, Sketch]) -> list[Named]:
    """Return all pairs by names; of equal sketches the lowest name stands for all."""
    chosen = {_content(sketches[name]): name for name in sorted(sketches, reverse=True)}
    names = [name for name in sketches if chosen[_content(sketches[name])] == name]
    with tempfile.TemporaryDirectory() as folder:
        pairs = list(similar((sketches[name] for name in names), Path(folder)))
        assert list(Path(folder).iterdir()) == []
    found = []
    for pair in pairs:
        first, second = sorted((names[pair.smaller], names[pair.larger]))
        found.append(Named(first, second, names[pair.smaller], pair))
    return sorted(found, key=lambda named: (named.first, named.second))


def _found(texts: Mapping[str, list[str]]) -> list[Named]:
    return _named({name: _sketch(words) for name, words in texts.items()})


def _shares(one: Sample, other: Sample) -> tuple[float, float, int]:
    """Return Jaccard similarity, the share of the smaller one inside, and the smaller's size."""
    rate = max(one.rate, other.rate)
    ones, others = one.thinned(rate), other.thinned(rate)
    common = np.intersect1d(ones, others).size
    smaller, union = min(ones.size, others.size), ones.size + others.size - common
    return common / max(1, union), common / max(1, smaller), smaller


def _all_pairs(sketches: Mapping[str, Sketch]) -> dict[tuple[str, str], tuple[float, ...]]:
    """Compare every sketch with every other one."""
    found: dict[tuple[str, str], tuple[float, ...]] = {}
    for first, second in combinations(sorted(sketches), 2):
        one, other = sketches[first], sketches[second]
        words, words_inside, size = _shares(one.words, other.words)
        pairs, pairs_inside, pairs_size = _shares(one.pairs, other.pairs)
        near = words >= NEAR_WORDS and pairs >= NEAR_PAIRS and size >= LEAST_NEAR
        contained = min(words_inside, pairs_inside) >= CONTAINED
        contained &= min(size, pairs_size) >= LEAST_CONTAINED
        if near or contained:
            measures = (words, pairs, words_inside, pairs_inside, near, contained)
            found[first, second] = measures
    return found


def _told(named: Named) -> tuple[object, ...]:
    """Return what does not depend on the order: of two equally large ones either is the smaller."""
    return named.first, named.second, _measures(named.pair)


def _measures(pair: Pair) -> tuple[float, ...]:
    return (
        pair.words, pair.pairs, pair.words_inside, pair.pairs_inside,
        pair.is_near, pair.is_contained,
    )  # fmt: skip


@st.composite
def corpora(draw: st.DrawFn) -> dict[str, list[str]]:
    """Texts of all lengths, some of them made of others: edited, cut, extended, shuffled."""
    texts: list[list[str]] = []
    for seed in range(draw(st.integers(2, 14))):
        length = draw(st.sampled_from([3, 15, 20, 60, 400, 1500, 6000]))
        if not texts or draw(st.booleans()):
            texts.append(_text(seed, length, draw(st.sampled_from([40, 2000, 100_000]))))
            continue
        source = draw(st.sampled_from(texts))
        made = _edited(source, draw(st.sampled_from([0.0, 0.02, 0.1, 0.2, 0.3])), seed)
        made = made[: draw(st.integers(len(made) // 3, len(made)))]
        texts.append(made + _text(seed, draw(st.sampled_from([0, 0, 10, 300]))))
        if draw(st.integers(0, 5)) == 0:
            random.Random(seed).shuffle(texts[-1])  # noqa: S311
    return {f"text-{place:02d}": words for place, words in enumerate(texts)}


@settings(max_examples=40, deadline=None)
@given(corpora())
def test_the_join_finds_exactly_what_comparing_all_pairs_finds(
    texts: dict[str, list[str]],
) -> None:
    sketches = {name: _sketch(words) for name, words in texts.items()}
    distinct = {_content(sketches[name]): name for name in sorted(texts, reverse=True)}.values()
    wanted = _all_pairs({name: sketches[name] for name in distinct})
    found = _named(sketches)
    assert {(named.first, named.second): _measures(named.pair) for named in found} == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize("postings", [1, 64])
def test_what_is_sorted_in_parts_finds_the_same(
    postings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"text-{n}": _edited(_text(n // 3, 600), 0.05, n) for n in range(30)}
    whole = _found(texts)
    assert len(whole) == 30
    monkeypatch.setattr("davinci_agency.curate.postings._PART_POSTINGS", postings)
    monkeypatch.setattr("davinci_agency.curate.join._TEXTS_AT_ONCE", 4)
    assert _found(texts) == whole


def _content(one: Sketch) -> tuple[object, ...]:
    words, pairs = one.words, one.pairs
    return words.rate, words.values.tobytes(), pairs.rate, pairs.values.tobytes()


@settings(max_examples=15, deadline=None)
@given(corpora(), st.randoms(use_true_random=False))
def test_the_order_of_texts_changes_nothing(
    texts: dict[str, list[str]], chance: random.Random
) -> None:
    names = list(texts)
    chance.shuffle(names)
    mixed = _found({name: texts[name] for name in names})
    assert list(map(_told, mixed)) == list(map(_told, _found(texts)))


def _common_words(words: list[str], texts: int) -> dict[str, list[str]]:
    """Return texts that make words common: each holds some of them, and words of its own."""
    return {f"other-{n}": _mixed(words, len(words) // 3) + _text(n, 60) for n in range(texts)}


def test_two_are_found_that_share_none_of_their_rarest_words() -> None:
    # What they share everybody has, and what nobody else has they don't share.
    shared = [f"shared{number}" for number in range(80)]
    near = {
        "one": [*shared, *(f"one{number}" for number in range(20))],
        "other": [*shared, *(f"other{number}" for number in range(20))],
    }
    (named,) = _found({**near, **_common_words(shared, 30)})
    assert (named.first, named.second, named.pair.is_near) == ("one", "other", True)
    assert named.pair.words == 80 / 120


def test_a_part_is_found_by_words_that_everybody_has() -> None:
    part = [f"part{number}" for number in range(195)]
    texts = {"part": [*part, "p1", "p2", "p3", "p4", "p5"], "whole": [*part, *_text(1, 180)]}
    (named,) = _found({**texts, **_common_words(part, 30)})
    assert (named.smaller, named.pair.is_contained, named.pair.is_near) == ("part", True, False)
    assert named.pair.words_inside == 195 / 200


def test_scattered_edits_leave_a_near_duplicate() -> None:
    whole = _text(1, 8000, vocabulary=2500)
    (named,) = _found({"whole": whole, "edited": _edited(whole, 0.05, 2)})
    assert named.pair.is_near
    assert not named.pair.is_contained


def test_the_same_words_in_another_order_are_no_duplicate() -> None:
    whole = _text(1, 3000)
    shuffled = _mixed(whole, len(whole))
    assert _found({"whole": whole, "shuffled": shuffled}) == []


def test_a_truncated_run_is_contained_in_the_whole() -> None:
    whole = _text(1, 20_000, vocabulary=8000)
    (named,) = _found({"whole": whole, "begun": whole[:7000]})
    assert (named.smaller, named.pair.is_contained, named.pair.is_near) == ("begun", True, False)
    assert (named.pair.words_inside, named.pair.pairs_inside) == (1.0, 1.0)


def test_a_text_whose_words_are_all_in_another_but_not_side_by_side_is_not_contained() -> None:
    whole = _text(1, 20_000, vocabulary=8000)
    assert _found({"whole": whole, "mixed": _mixed(whole, 7000)}) == []


def test_a_text_of_few_words_is_near_to_none() -> None:
    few = [f"word{number}" for number in range(LEAST_NEAR - 1)]
    assert _found({"a": few * 9, "b": [*few[:-1], "other"] * 9}) == []
    enough = [*few, "one"]
    assert len(_found({"a": enough * 9, "b": [*enough, "other"] * 9})) == 1


def test_a_text_too_short_against_another_is_not_looked_for_in_it() -> None:
    whole = _text(1, 100_000)
    assert _found({"whole": whole, "short": whole[:60]}) == []


def test_nothing_is_similar_in_nothing() -> None:
    assert _found({}) == []
    assert _found({"a": []}) == []
