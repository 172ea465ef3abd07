"""Words as numbers: which words there are, what makes two equal, what a rerun leaves."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.curate.words import read_words, skeleton_digest, word_hashes

WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
texts = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(alphabet="tmp/ aA1_.-\nü", max_size=200).map(str.encode),
)


def _plain_skeleton(text: bytes) -> list[bytes]:
    """Return what the skeleton is a digest of, read by a regular expression."""
    kept = []
    temporary = [
        match.span(1)
        for match in re.finditer(
            rb"(?<![A-Za-z0-9_\x80-\xff])(?<=/)tmp/([A-Za-z0-9_\x80-\xff.+~-]*)", text
        )
    ]
    for match in WORD.finditer(text):
        inside = any(start <= match.start() < end for start, end in temporary)
        if not (inside or re.match(rb"[0-9]", match[0]) or match[0].startswith(b"tmp")):
            kept.append(match[0])
    return kept


@settings(deadline=None)  # The first call compiles.
@given(texts)
def test_a_word_is_a_longest_run_of_letters_digits_underscores_and_bytes_beyond_ascii(
    text: bytes,
) -> None:
    words = WORD.findall(text)
    hashes = word_hashes(text).tolist()
    assert len(hashes) == len(words)
    assert len(set(zip(words, hashes, strict=True))) == len(set(words)) == len(set(hashes))


@settings(deadline=None)  # The first call compiles.
@given(st.lists(texts, max_size=4))
def test_a_word_has_the_same_hash_wherever_it_stands(parts: list[bytes]) -> None:
    alone = [word_hashes(part) for part in parts]
    together = word_hashes(b"\n".join(parts))
    assert together.tolist() == [value for hashes in alone for value in hashes.tolist()]


@pytest.mark.parametrize("glue", [b" ", b"-", b"", b"/"])
def test_a_text_of_many_pieces_is_read_as_a_whole(glue: bytes) -> None:
    text = glue.join(b"word%d" % number for number in range(30_000))
    assert word_hashes(text).tolist() == [
        word_hashes(word)[0] for word in WORD.findall(text)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"), [(b"Word", b"word"), (b"a b", b"b a"), (b"x" * 64, b"y" * 64)]
)
def test_other_words_have_other_hashes(one: bytes, other: bytes) -> None:
    assert word_hashes(one).tolist() != word_hashes(other).tolist()
    assert skeleton_digest(one) != skeleton_digest(other)


def test_hashes_spread_over_all_numbers() -> None:
    hashes = word_hashes(b" ".join(b"n%d" % number for number in range(20_000)))
    counts = np.bincount((hashes >> np.uint64(58)).astype(np.int64), minlength=64)
    assert counts.min() > 220
    assert counts.max() < 410


@settings(deadline=None)  # The first call compiles.
@given(texts, texts)
def test_two_skeletons_are_equal_if_the_words_are_that_stay(one: bytes, other: bytes) -> None:
    for text in (other, b" ".join(_plain_skeleton(one))):
        same = _plain_skeleton(one) == _plain_skeleton(text)
        assert (skeleton_digest(one) == skeleton_digest(text)) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 passed in 0.31s", "12 passed in 14.07s"),
        ("wrote /tmp/build.KqXz/out.txt", "wrote /tmp/build.oPrS/out.txt"),
        ("opened /tmp/agent-work/log", "opened /tmp/run/log"),
        ("dir tmpabcdefg/x", "dir tmpqrstuvw/x"),
        ("at 0x7f3e8a9b", "at 0x55d0c1e2"),
    ],
)
def test_a_skeleton_does_not_see_times_addresses_and_temporary_names(one: str, other: str) -> None:
    assert skeleton_digest(one.encode()) == skeleton_digest(other.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("opened /tmp/x/alpha", "opened /tmp/x/beta"),
        ("the /tm/alpha", "the /tm/beta"),
        ("my/tmpl/alpha", "my/tmpl/beta"),
        ("ends in atmp/alpha", "ends in atmp/beta"),
        ("tmp alpha", "tmp beta"),
        ("passed", "failed"),
        ("value_1", "value_2"),
    ],
)
def test_a_skeleton_sees_every_other_word(one: str, other: str) -> None:
    assert skeleton_digest(one.encode()) != skeleton_digest(other.encode())


def test_one_reading_gives_both() -> None:
    text = b"assert value_1 == expected"
    words = read_words(text)
    assert words.hashes.tolist() == word_hashes(text).tolist()
    assert words.skeleton == skeleton_digest(text) < 1 << 128
