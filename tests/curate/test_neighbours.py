"""Near duplicates and contained texts: which pairs there are, and that none depends on order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import combinations

import numpy as np
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


def _found(texts: Mapping[str, list[str]]) -> list[Pair]:
    return similar({name: _sketch(words) for name, words in texts.items()})


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
    found = {(pair.first, pair.second): _measures(pair) for pair in similar(sketches)}
    # Of equal sketches the first stands for all.
    firsts: dict[tuple[object, ...], str] = {}
    stands_for = {name: firsts.setdefault(_content(sketches[name]), name) for name in texts}
    assert found == {
        (first, second): measures
        for (first, second), measures in _all_pairs(sketches).items()
        if stands_for[first] == first and stands_for[second] in (first, second)
    }


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
    assert _found({name: texts[name] for name in names}) == _found(texts)


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
    (pair,) = _found({**near, **_common_words(shared, 30)})
    assert (pair.first, pair.second, pair.is_near) == ("one", "other", True)
    assert pair.words == 80 / 120


def test_a_part_is_found_by_words_that_everybody_has() -> None:
    part = [f"part{number}" for number in range(195)]
    texts = {"part": [*part, "p1", "p2", "p3", "p4", "p5"], "whole": [*part, *_text(1, 180)]}
    (pair,) = _found({**texts, **_common_words(part, 30)})
    assert (pair.smaller, pair.is_contained, pair.is_near) == ("part", True, False)
    assert pair.words_inside == 195 / 200


def test_equal_texts_have_all_in_common() -> None:
    (pair,) = _found({"b": _text(1, 3000), "a": _text(1, 3000)})
    assert (pair.first, pair.second) == ("a", "b")
    assert _measures(pair) == (1.0, 1.0, 1.0, 1.0, True, True)


def test_scattered_edits_leave_a_near_duplicate() -> None:
    whole = _text(1, 8000, vocabulary=2500)
    (pair,) = _found({"whole": whole, "edited": _edited(whole, 0.05, 2)})
    assert pair.is_near
    assert not pair.is_contained


def test_the_same_words_in_another_order_are_no_duplicate() -> None:
    whole = _text(1, 3000)
    shuffled = _mixed(whole, len(whole))
    assert _found({"whole": whole, "shuffled": shuffled}) == []


def test_a_truncated_run_is_contained_in_the_whole() -> None:
    whole = _text(1, 20_000, vocabulary=8000)
    (pair,) = _found({"whole": whole, "begun": whole[:7000]})
    assert (pair.smaller, pair.is_contained, pair.is_near) == ("begun", True, False)
    assert (pair.words_inside, pair.pairs_inside) == (1.0, 1.0)


def test_a_text_whose_words_are_all_in_another_but_not_side_by_side_is_not_contained() -> None:
    whole = _text(1, 20_000, vocabulary=8000)
    assert _found({"whole": whole, "mixed": _mixed(whole, 7000)}) == []


def test_a_text_of_few_words_is_near_to_none() -> None:
    few = [f"word{number}" for number in range(LEAST_NEAR - 1)]
    assert _found({"a": few * 9, "b": few * 9}) == []
    enough = [*few, "one"]
    assert len(_found({"a": enough * 9, "b": enough * 9})) == 1


def test_a_text_too_short_against_another_is_not_looked_for_in_it() -> None:
    whole = _text(1, 100_000)
    assert _found({"whole": whole, "short": whole[:60]}) == []


def test_of_many_equal_texts_each_is_reported_against_the_first() -> None:
    same, near = _sketch(_text(1, 3000)), _sketch(_edited(_text(1, 3000), 0.05, 2))
    texts = {f"text-{number:04d}": same for number in range(5000)} | {"text-near": near}
    found = similar(texts)
    assert len(found) == 5000
    assert {pair.first for pair in found} == {"text-0000"}


def test_nothing_is_similar_in_nothing() -> None:
    assert similar({}) == []
    assert similar({"a": _sketch([])}) == []


def test_two_equal_texts_that_are_too_short_to_contain_anything_do_not() -> None:
    words = [f"word{number}" for number in range(20)]
    (pair,) = _found({"one": words, "other": words})
    assert (pair.is_near, pair.is_contained) == (True, False)
