"""Samples of words: what is in them, how large they get, how they thin."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from davinci_agency.curate.sketches import MOST, sketch
from davinci_agency.curate.words import Hashes, word_hashes


def _numbered(*numbers: int) -> Hashes:
    return word_hashes(b" ".join(b"w%d" % number for number in numbers))


def _lowest(hashes: Hashes, rate: int) -> NDArray[np.uint32]:
    """Return the sample of the set at a rate, the plain way."""
    values = np.unique(hashes >> np.uint64(32))
    return values[values < 1 << (32 - rate)].astype(np.uint32)


@settings(deadline=None, max_examples=40)  # The first call compiles.
@given(st.integers(0, 6000), st.integers(0, 2**32))
def test_a_sample_is_all_values_at_the_lowest_rate_that_fits(size: int, start: int) -> None:
    hashes = _numbered(*range(start, start + size))
    words = sketch(hashes).words
    assert words.values.tolist() == _lowest(hashes, words.rate).tolist()
    assert words.values.size <= MOST
    assert words.rate == 0 or _lowest(hashes, words.rate - 1).size > MOST


@settings(deadline=None, max_examples=40)  # The first call compiles.
@given(st.integers(0, 3000), st.integers(0, 100), st.integers(0, 4))
def test_a_thinned_sample_is_the_sample_at_that_rate(size: int, start: int, more: int) -> None:
    hashes = _numbered(*range(start, start + size))
    words = sketch(hashes).words
    rate = words.rate + more
    assert words.thinned(rate).tolist() == _lowest(hashes, rate).tolist()


@settings(deadline=None, max_examples=40)  # The first call compiles.
@given(st.integers(0, 2**32), st.integers(1, 2000))
def test_words_are_sampled_whatever_their_order_and_number(seed: int, size: int) -> None:
    once = sketch(_numbered(*range(size))).words
    numbers = list(range(size)) * 2
    random.Random(seed).shuffle(numbers)  # noqa: S311
    again = sketch(_numbered(*numbers)).words
    assert (once.rate, once.values.tolist()) == (again.rate, again.values.tolist())


def test_pairs_know_the_order_of_words() -> None:
    one, other = sketch(_numbered(1, 2, 3)).pairs, sketch(_numbered(3, 2, 1)).pairs
    assert one.values.size == other.values.size == 2
    assert not set(one.values.tolist()) & set(other.values.tolist())


def test_the_same_pair_is_sampled_in_different_texts() -> None:
    one, other = sketch(_numbered(1, 2, 3)).pairs, sketch(_numbered(9, 2, 3, 8)).pairs
    assert len(set(one.values.tolist()) & set(other.values.tolist())) == 1


def test_a_text_without_words_has_an_empty_sketch() -> None:
    empty = sketch(word_hashes(b" ,;\n"))
    assert (empty.words.rate, empty.words.values.size, empty.pairs.values.size) == (0, 0, 0)


def test_a_long_text_takes_no_more_than_a_short_one() -> None:
    assert sketch(_numbered(*range(100_000))).nbytes <= 2 * 4 * MOST
