"""The words of a text as numbers, and a digest of those that a rerun would not change.

A word is a longest run of ASCII letters, digits, underscores and bytes from 0x80 on, so any letter
outside ASCII is part of a word; case counts. Each byte moves a small automaton and one hash on,
without a branch: that is what makes it fast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel

Hashes = NDArray[np.uint64]
"""A hash of each word of a text, in order."""

_Lane = tuple[np.uint64, np.uint64, np.uint8, np.uint64]
_Fold = tuple[np.uint64, np.uint64, np.uint64]

_PIECE = 32_768
_PRIME = np.uint64(0x100000001B3)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_FOLD_1 = np.uint64(0x9E3779B97F4A7C15)
_FOLD_2 = np.uint64(0xD6E8FEB86659FD93)

# Where in a text a byte stands. Bit 7: in a word; bit 6: in one that is no part of the
# skeleton.
_OUTSIDE, _SLASH, _IN_TEMPORARY = 0, 8, 16
_T, _TM, _WORD, _SLASH_T, _SLASH_TM = 128, 136, 144, 152, 160
_LEFT_OUT, _SLASH_TMP, _TEMPORARY_WORD = 192, 200, 208
_IS_LEFT_OUT = np.uint8(64)

# What a byte is to the automaton.
_OTHER, _AFTER_SLASH, _JOINS, _LETTER, _DIGIT, _IS_T, _IS_M, _IS_P = range(8)


@dataclass(frozen=True, slots=True)
class Words:
    """What one reading of a text gives.

    Attributes:
        hashes: a hash of each word, in order.
        skeleton: a digest, of 128 bits, of the words in order without those that begin with
            a digit or ``tmp``, or stand in the name right behind ``/tmp/``: equal for two texts
            that differ in times, sizes, addresses and temporary files alone.
    """

    hashes: Hashes
    skeleton: int


def read_words(text: bytes) -> Words:
    """Return the words of a text, in one reading."""
    data = np.frombuffer(text, dtype=np.uint8)
    hashes, high, low = _read(data, _CLASSES, _STEPS, _MASKS)
    return Words(hashes, int(high) << 64 | int(low))


def word_hashes(text: bytes) -> Hashes:
    """Return a hash of each word of a text, in order.

    >>> one, two, three = word_hashes(b"tmp/x, tmp")
    >>> (one == three, one == two)
    (np.True_, np.False_)
    """
    return read_words(text).hashes


def skeleton_digest(text: bytes) -> int:
    """Return the digest of what a rerun would not change; see `Words.skeleton`.

    >>> skeleton_digest(b"ran 0.31s in /tmp/x.Kq/log") == skeleton_digest(b"ran 2s in /tmp/y/log")
    True
    """
    return read_words(text).skeleton


def _classes() -> NDArray[np.uint8]:
    classes = np.full(256, _OTHER, dtype=np.uint8)
    classes[0x80:] = _LETTER
    for byte in range(0x80):
        if chr(byte).isalpha() or byte == ord("_"):
            classes[byte] = _LETTER
    classes[ord("0") : ord("9") + 1] = _DIGIT
    classes[[ord(joint) for joint in ".-+~"]] = _JOINS
    for letter, kind in (("/", _AFTER_SLASH), ("t", _IS_T), ("m", _IS_M), ("p", _IS_P)):
        classes[ord(letter)] = kind
    return classes


def _steps() -> NDArray[np.uint8]:
    """Return the automaton: the next state, at the sum of a state and a byte's class."""
    steps = np.zeros(256, dtype=np.uint8)

    def put(state: int, letter: int, **others: int) -> None:
        row = {"slash": _SLASH, "joins": _OUTSIDE, "digit": _LEFT_OUT} | others
        row = {"t": letter, "m": letter, "p": letter} | row
        kinds = (_AFTER_SLASH, _JOINS, _DIGIT, _IS_T, _IS_M, _IS_P)
        steps[state + _LETTER] = letter
        for name, kind in zip(("slash", "joins", "digit", "t", "m", "p"), kinds, strict=True):
            steps[state + kind] = row[name]

    put(_OUTSIDE, _WORD, t=_T)
    put(_SLASH, _WORD, t=_SLASH_T)
    put(_T, _WORD, m=_TM, digit=_WORD)
    put(_TM, _WORD, p=_LEFT_OUT, digit=_WORD)
    put(_WORD, _WORD, digit=_WORD)
    put(_LEFT_OUT, _LEFT_OUT)
    put(_SLASH_T, _WORD, m=_SLASH_TM, digit=_WORD)
    put(_SLASH_TM, _WORD, p=_SLASH_TMP, digit=_WORD)
    put(_SLASH_TMP, _LEFT_OUT, slash=_IN_TEMPORARY)
    for state in (_IN_TEMPORARY, _TEMPORARY_WORD):
        put(state, _TEMPORARY_WORD, digit=_TEMPORARY_WORD, joins=_IN_TEMPORARY)
    return steps


_CLASSES = _classes()
_STEPS = _steps()
_MASKS = np.where(_CLASSES >= _LETTER, ~np.uint64(0), np.uint64(0))
"""All bits of a byte that is in a word, none of one that is not."""


@kernel
def _read(
    text: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    steps: NDArray[np.uint8],
    masks: Hashes,
) -> tuple[Hashes, np.uint64, np.uint64]:
    """Return the words' hashes, and both halves of the skeleton."""
    # Piece by piece, so that what is written at every byte stays in the cache.
    raw = np.empty(_PIECE, dtype=np.uint64)
    states = np.empty(_PIECE, dtype=np.uint8)
    hashes = np.empty(text.size // 6 + 16, dtype=np.uint64)
    fold = (np.uint64(0), np.uint64(1), np.uint64(2))
    end = 0
    while end < text.size:
        begin = end
        end = _outside(text, min(begin + _PIECE, text.size), classes)
        # A piece that nothing parts can be as long as the text.
        if end - begin > 2 * raw.size - 8:
            raw = np.empty(end - begin, dtype=np.uint64)
            states = np.empty(raw.size, dtype=np.uint8)
        middle = _outside(text, (begin + end) // 2, classes)
        ones, second, twos = _read_piece(
            text[begin:middle], text[middle:end], classes, steps, masks, raw, states
        )
        needed = np.int64(fold[0] + ones + (twos - second))
        if needed > hashes.size:
            larger = np.empty(2 * needed, dtype=np.uint64)
            larger[: hashes.size] = hashes
            hashes = larger
        fold = _finish(np.uint64(0), ones, fold, raw, states, hashes)
        fold = _finish(second, twos, fold, raw, states, hashes)
    return hashes[: np.int64(fold[0])].copy(), _mix(fold[1]), _mix(fold[2])


@kernel
def _outside(text: NDArray[np.uint8], place: int, classes: NDArray[np.uint8]) -> int:
    """Return the next place of a byte that leaves the automaton outside, wherever it was."""
    while place < text.size and classes[text[place]] != _OTHER:
        place += 1
    return place


@kernel
def _read_piece(
    ones: NDArray[np.uint8],
    twos: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    steps: NDArray[np.uint8],
    masks: Hashes,
    raw: Hashes,
    states: NDArray[np.uint8],
) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Write the raw hash and last state of each word of two texts.

    Returns where the words of the first end, and where those of the second begin and end.
    """
    # Both at once, as each step in one of them has to wait for the step before.
    second = np.uint64(ones.size // 2 + 1)
    one = (np.uint64(0), np.uint64(0), np.uint8(0), np.uint64(0))
    two = (second, np.uint64(0), np.uint8(0), np.uint64(0))
    both = min(ones.size, twos.size)
    for step in range(both):
        one = _advance(one, ones[np.uint64(step)], classes, steps, masks, raw, states)
        two = _advance(two, twos[np.uint64(step)], classes, steps, masks, raw, states)
    for step in range(both, ones.size):
        one = _advance(one, ones[np.uint64(step)], classes, steps, masks, raw, states)
    for step in range(both, twos.size):
        two = _advance(two, twos[np.uint64(step)], classes, steps, masks, raw, states)
    # The end of a text ends a word.
    one = _advance(one, np.uint8(0), classes, steps, masks, raw, states)
    two = _advance(two, np.uint8(0), classes, steps, masks, raw, states)
    return one[0], second, two[0]


@kernel
def _advance(
    lane: _Lane,
    byte: np.uint8,
    classes: NDArray[np.uint8],
    steps: NDArray[np.uint8],
    masks: Hashes,
    raw: Hashes,
    states: NDArray[np.uint8],
) -> _Lane:
    """Take one byte: the lane is (words so far, hash, state, whether it is in a word)."""
    number, value, state, was_inside = lane
    inside = masks[byte]
    # Written at every byte, and kept at a word's end: cheaper than to ask.
    raw[number] = value
    states[number] = state
    number -= was_inside & ~inside
    value = ((value ^ np.uint64(byte)) & inside) * _PRIME
    return number, value, steps[np.uint8(state + classes[byte])], inside


@kernel
def _finish(
    start: np.uint64,
    end: np.uint64,
    fold: _Fold,
    raw: Hashes,
    states: NDArray[np.uint8],
    hashes: Hashes,
) -> _Fold:
    """Put words behind those that are there, their bits mixed, and fold in the skeleton's.

    The fold is (words so far, high half, low half).
    """
    number, high, low = fold
    for step in range(start, end):
        place = np.uint64(step)
        value = _mix(raw[place])
        hashes[number] = value
        number += np.uint64(1)
        if not states[place] & _IS_LEFT_OUT:
            high = (high ^ value) * _FOLD_1
            high ^= high >> np.uint64(29)
            low = (low + value) * _FOLD_2
            low ^= low >> np.uint64(31)
    return number, high, low


@kernel
def _mix(value: np.uint64) -> np.uint64:
    """Spread the bits of a number; no two numbers become one."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))
