"""Decontamination: the hits are those of a plain set, and what is common is asked of who stays."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.curate.grams import (
    GRAM_WORDS,
    LEAST_WORDS,
    GramList,
    contamination,
)
from davinci_agency.curate.words import word_hashes

Gram = tuple[bytes, ...]

# Few different words, so that grams come again and texts share some.
words = st.sampled_from(["a", "b", "the", "größe", "x_1", "日本", "zwei"])
separators = st.sampled_from([" ", "\n", ", ", "(", " — "])
some_texts = st.lists(st.tuples(words, separators), max_size=40).map(
    lambda parts: "".join(word + separator for word, separator in parts).encode()
)
texts = st.one_of(some_texts, st.binary(max_size=60))


def _words(text: bytes) -> list[bytes]:
    # Beyond ASCII every byte is part of a word: the dash too.
    return re.findall(rb"[A-Za-z0-9_\x80-\xff]+", text)


def _grams(found: list[bytes], length: int) -> list[Gram]:
    return [tuple(found[at : at + length]) for at in range(len(found) - length + 1)]


def _plain_list(listed: list[bytes]) -> dict[Gram, int]:
    """Number the grams of texts as a person would."""
    known: dict[Gram, int] = {}
    for text in listed:
        found = _words(text)
        if len(found) >= LEAST_WORDS:
            for gram in _grams(found, min(len(found), GRAM_WORDS)):
                known.setdefault(gram, len(known))
    return known


def _plain_hits(text: bytes, known: dict[Gram, int]) -> list[int]:
    lengths = {len(gram) for gram in known}
    grams = (gram for length in lengths for gram in _grams(_words(text), length))
    return sorted({known[gram] for gram in grams if gram in known})


@settings(deadline=None)
@given(st.lists(texts, max_size=5), st.lists(texts, max_size=4))
def test_the_hits_are_those_of_a_set_of_tuples(listed: list[bytes], others: list[bytes]) -> None:
    grams, known = GramList(listed), _plain_list(listed)
    assert len(grams) == len(known)
    for text in (*others, *listed, b" ".join(listed + others)):
        assert grams.hits(word_hashes(text)).tolist() == _plain_hits(text, known)


def test_a_text_inside_another_is_hit_as_a_whole() -> None:
    text = b" ".join(b"w%d" % number for number in range(40))
    grams = GramList([text])
    assert grams.hits(word_hashes(b"before " + text + b" after")).tolist() == list(range(28))


def test_a_gram_is_not_hit_if_its_last_word_is_another() -> None:
    text = b" ".join(b"w%d" % number for number in range(GRAM_WORDS))
    grams = GramList([text])
    assert grams.hits(word_hashes(text)).tolist() == [0]
    assert grams.hits(word_hashes(text + b"x")).tolist() == []


def test_equal_hashes_of_other_words_are_no_hit() -> None:
    # The rolling hash is a sum of multiples, so another sum with the same value can be made.
    base = np.uint64(0x9E3779B97F4A7C15)
    text = b" ".join(b"w%d" % number for number in range(GRAM_WORDS))
    forged = word_hashes(text).copy()
    forged[-2:-1] += np.uint64(1)
    forged[-1:] -= base
    assert GramList([text]).hits(forged).tolist() == []


@pytest.mark.parametrize(("count", "grams"), [(7, 0), (8, 1), (12, 1), (13, 1), (14, 2)])
def test_a_short_text_is_one_gram_if_it_has_eight_words(count: int, grams: int) -> None:
    listed = GramList([b" ".join(b"w%d" % number for number in range(count))])
    assert len(listed) == grams


def test_a_gram_comes_from_the_first_text_that_holds_it() -> None:
    one = b"one two three four five six seven eight"
    other = b"eins zwei drei vier fuenf sechs sieben acht neun"
    grams = GramList([b"", one, b"short", other, one])
    assert len(grams) == 2
    assert [grams.text_of(gram) for gram in range(2)] == [1, 3]
    with pytest.raises(IndexError):
        grams.text_of(2)


def test_a_list_of_nothing_hits_nothing() -> None:
    assert GramList([]).hits(word_hashes(b"a b c d e f g h i j k l m n")).tolist() == []


def test_what_many_hold_is_common() -> None:
    hits = [[1], [1], [1, 2], [3], []]
    assert contamination(lambda: hits, 1).documents == (2, 3)
    assert contamination(lambda: hits, 1).common == {1}


def test_what_was_common_only_through_documents_that_go_is_not() -> None:
    # The third and fourth go for grams of their own; then only two hold the first gram.
    found = contamination(lambda: [[1], [1], [1, 2], [1, 3]], 2)
    assert found.documents == (0, 1, 2, 3)
    assert not found.common


@given(
    st.lists(st.lists(st.integers(0, 8), max_size=5, unique=True), max_size=25), st.integers(0, 4)
)
def test_to_ask_again_of_what_stays_finds_nothing(hits: list[list[int]], most: int) -> None:
    found = contamination(lambda: hits, most)
    stay = [held for place, held in enumerate(hits) if place not in found.documents]
    assert contamination(lambda: stay, most).documents == ()
    assert contamination(lambda: stay, most).common == found.common
    assert {gram for held in stay for gram in held} == found.common
