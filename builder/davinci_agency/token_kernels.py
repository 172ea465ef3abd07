"""How many tokens of o200k_base a text has, compiled: its pieces, and each piece's tokens.

`next_piece` is the vocabulary's expression (`tokens._O200K`) by hand. Every alternative of it is
runs of characters of some kinds, so each piece is found by looking at its characters once or twice,
with no stack of places to go back to: no text is too long, and all take linear time.

Nothing here is changed by counting, so threads may count beside each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

UPPER, LOWER, LETTER, MARK, NUMBER, SPACE, LINE, OTHER = (1 << bit for bit in range(8))
"""What a character is: Lu and Lt, Ll, Lm and Lo, M, N, white space, such that ends a line, else."""
_END = 0
_HEAD, _TAIL, _BOTH = UPPER | LETTER | MARK, LOWER | LETTER | MARK, LETTER | MARK
_BLANK, _SYMBOL, _BEFORE_WORD = SPACE | LINE, OTHER | MARK, SPACE | OTHER | MARK
_LONGEST_NUMBER = 3
_QUOTE, _SLASH, _SPACE = b"'/ "
_S, _T, _M, _D, _L, _R, _E, _V = b"stmdlrev"
_LOWER_CASE = 0x20

LONGEST_TOKEN = 128
"""Bytes. A piece of more has many tokens; to merge them takes another way than that for a few."""
_PACKED = 7
"""A token of so many bytes is its own key."""
_REMEMBERED = 15
"""A piece of so many bytes fits, with its length, into two numbers."""
_MEMO_BITS = 15
MEMO_SHAPE = 1 << _MEMO_BITS, 3
PADDING = 24
"""Zero bytes behind the texts: words are read to the end, and some beyond."""
_SLOT_BITS = 19
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EIGHT, _LENGTH_AT, _HASHED = np.uint64(8), np.uint64(56), np.uint64(0xFF << 56)
_SLOT_SHIFT = np.uint64(64 - _SLOT_BITS)
_MEMO_SHIFT = np.uint64(64 - _MEMO_BITS)
_NONE = np.int32(2**31 - 1)
"""The rank of what is no token: above all others."""


@njit(cache=True, nogil=True)
def count_tokens(
    words: Array,
    ends: Array,
    memo: Array,
    kinds: Array,
    keys: Array,
    ranks: Array,
    starts: Array,
    letters: Array,
) -> tuple[int, Array]:
    """Return the tokens of texts in UTF-8, of which only their ends are known.

    Pieces longer than any token aren't counted, but returned: where each begins and ends.
    """
    tokens, place, count = 0, 0, 0
    data = words.view(np.uint8)
    long = np.empty((data.size // LONGEST_TOKEN + 1, 2), np.int64)
    parts = np.empty(LONGEST_TOKEN + 1, np.int64)
    pairs = np.empty(LONGEST_TOKEN + 1, np.int32)
    for end in ends:
        while place < end:
            stop = next_piece(data, place, end, kinds)
            size = stop - place
            if size <= _REMEMBERED:
                low, high = _packed(words, place, size)
                known = memo[np.int64(((low ^ high * _FACTOR) * _FACTOR) >> _MEMO_SHIFT)]
                if known[0] != low or known[1] != high:
                    known[0], known[1] = low, high
                    known[2] = _tokens(
                        data, place, stop, keys, ranks, starts, letters, parts, pairs
                    )
                tokens += np.int64(known[2])
            elif size <= LONGEST_TOKEN:
                tokens += _tokens(data, place, stop, keys, ranks, starts, letters, parts, pairs)
            else:
                long[count, 0], long[count, 1] = place, stop
                count += 1
            place = stop
    return tokens, long[:count]


@njit(cache=True, nogil=True)
def _packed(words: Array, place: int, size: int) -> tuple[np.uint64, np.uint64]:
    """Return up to fifteen bytes, and how many they are, as two numbers."""
    low, high = _eight(words, place), np.uint64(0)
    if size < 8:
        low &= _low_bytes(size)
    else:
        high = _eight(words, place + 8) & _low_bytes(size - 8)
    return low, high | np.uint64(size) << _LENGTH_AT


@njit(cache=True, nogil=True)
def _low_bytes(count: int) -> np.uint64:
    """Return what leaves the first few of eight bytes, fewer than all."""
    return (np.uint64(1) << np.uint64(8 * count)) - np.uint64(1)


@njit(cache=True, nogil=True)
def _eight(words: Array, place: int) -> np.uint64:
    """Return the eight bytes at any place."""
    word, shift = place >> 3, np.uint64((place & 7) << 3)
    # Two shifts, as one of 64 bits is none.
    after = words[word + 1] << np.uint64(1) << (np.uint64(63) - shift)
    return words[word] >> shift | after


@njit(cache=True, nogil=True)
def next_piece(data: Array, place: int, end: int, kinds: Array) -> int:
    """Return where the piece ends that begins at a place."""
    kind = _kind(data, place, end, kinds)
    stop = _word(data, place, end, kinds, kind)
    if stop > place:
        return stop
    if kind == NUMBER:
        for _ in range(_LONGEST_NUMBER):
            if _kind(data, stop, end, kinds) == NUMBER:
                stop += _width(data, stop)
        return stop
    stop = _symbols(data, place, end, kinds)
    return stop if stop > place else _blanks(data, place, end, kinds)


@njit(cache=True, nogil=True)
def _word(data: Array, place: int, end: int, kinds: Array, kind: int) -> int:
    """Return where a word ends that begins here, maybe with a character before it; else here.

    The expression tries capitals and then small letters before capitals alone. What is both, such
    as 日 and marks, may be the small letter: where none follows, a word ends behind the last of it.
    """
    start = place + _width(data, place) if kind & _BEFORE_WORD else place
    stop, last = start, start
    while True:
        this = _kind(data, stop, end, kinds)
        if not this & _HEAD:
            break
        stop += _width(data, stop)
        if this & _BOTH:
            last = stop
    if this == LOWER:
        while _kind(data, stop, end, kinds) & _TAIL:
            stop += _width(data, stop)
    elif last > start:
        stop = last
    elif kind == MARK:
        stop = start  # It is no character before a word, but the word.
    elif stop == start:
        return place
    return _contraction(data, stop, end)


@njit(cache=True, nogil=True)
def _contraction(data: Array, place: int, end: int) -> int:
    """Return where 's, 't, 're, 've, 'm, 'll or 'd ends, in any case, that begins here; or here."""
    if end - place < 2 or data[place] != _QUOTE:
        return place
    first = data[place + 1] | _LOWER_CASE
    if first == _S or first == _T or first == _M or first == _D:
        return place + 2
    if end - place < 3:
        return place
    second = data[place + 2] | _LOWER_CASE
    if (second == _E and (first == _R or first == _V)) or (second == _L and first == _L):
        return place + 3
    if data[place + 1] == 0xC5 and data[place + 2] == 0xBF:  # ſ is an s, too.
        return place + 3
    return place


@njit(cache=True, nogil=True)
def _symbols(data: Array, place: int, end: int, kinds: Array) -> int:
    """Return where symbols and the ends of lines behind them end, maybe after a space; or here."""
    start = place + 1 if data[place] == _SPACE else place
    stop = start
    while _kind(data, stop, end, kinds) & _SYMBOL:
        stop += _width(data, stop)
    if stop == start:
        return place
    while stop < end and (data[stop] == _SLASH or kinds[data[stop]] == LINE):
        stop += 1
    return stop


@njit(cache=True, nogil=True)
def _blanks(data: Array, place: int, end: int, kinds: Array) -> int:
    """Return where blanks end: behind the last end of a line, else before the last one of many.

    At the end of a text the last one belongs to them, too.
    """
    stop, last, line = place, place, place
    while True:
        kind = _kind(data, stop, end, kinds)
        if not kind & _BLANK:
            break
        last = stop
        stop += _width(data, stop)
        if kind == LINE:
            line = stop
    if line > place:
        return line
    return stop if stop == end or last == place else last


@njit(cache=True, nogil=True)
def _kind(data: Array, place: int, end: int, kinds: Array) -> int:
    """Return what the character is that begins at a place."""
    if place >= end:
        return _END
    first = np.int64(data[place])
    if first < 0x80:
        return kinds[first]
    second = np.int64(data[place + 1]) & 0x3F
    if first < 0xE0:
        return kinds[(first & 0x1F) << 6 | second]
    third = np.int64(data[place + 2]) & 0x3F
    if first < 0xF0:
        return kinds[(first & 0x0F) << 12 | second << 6 | third]
    fourth = np.int64(data[place + 3]) & 0x3F
    return kinds[(first & 0x07) << 18 | second << 12 | third << 6 | fourth]


@njit(cache=True, nogil=True)
def _width(data: Array, place: int) -> int:
    """Return the bytes of the character that begins at a place."""
    first = data[place]
    if first < 0x80:
        return 1
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4


@njit(cache=True, nogil=True)
def _tokens(
    data: Array,
    place: int,
    end: int,
    keys: Array,
    ranks: Array,
    starts: Array,
    letters: Array,
    parts: Array,
    pairs: Array,
) -> int:
    """Return the tokens of a piece, itself one or to be merged of its bytes."""
    if _rank(data, place, end, keys, ranks, starts, letters) != _NONE:
        return 1
    return _merged(data, place, end, keys, ranks, starts, letters, parts, pairs)


@njit(cache=True, nogil=True)
def _merged(
    data: Array,
    place: int,
    end: int,
    keys: Array,
    ranks: Array,
    starts: Array,
    letters: Array,
    parts: Array,
    pairs: Array,
) -> int:
    """Return the tokens of a piece: its bytes, of which the pair of least rank is joined, the first
    of such, until no pair is a token.
    """
    size = end - place
    for n in range(size + 1):
        parts[n] = place + n
    for n in range(size - 1):
        pairs[n] = _rank(data, place + n, place + n + 2, keys, ranks, starts, letters)
    while size > 1:
        best = 0
        for n in range(1, size - 1):
            if pairs[n] < pairs[best]:
                best = n
        if pairs[best] == _NONE:
            break
        for n in range(best + 1, size):
            parts[n] = parts[n + 1]
            pairs[n - 1] = pairs[n]
        size -= 1
        for n in range(max(best - 1, 0), min(best + 1, size - 1)):
            pairs[n] = _rank(data, parts[n], parts[n + 2], keys, ranks, starts, letters)
    return size


@njit(cache=True, nogil=True)
def _rank(
    data: Array, place: int, end: int, keys: Array, ranks: Array, starts: Array, letters: Array
) -> int:
    """Return the rank of a token; `_NONE` if it is none."""
    key = _key(data, place, end)
    slot = np.int64((key * _FACTOR) >> _SLOT_SHIFT)
    while keys[slot]:
        if keys[slot] == key:
            rank = ranks[slot]
            if end - place <= _PACKED or _is_token(data, place, end, starts, letters, rank):
                return rank
        slot = (slot + 1) & ((1 << _SLOT_BITS) - 1)
    return _NONE


@njit(cache=True, nogil=True)
def _key(data: Array, place: int, end: int) -> np.uint64:
    """Return a few bytes and how many they are, or a hash of many; never 0."""
    key = np.uint64(0)
    if end - place <= _PACKED:
        for n in range(place, end):
            key = key << _EIGHT | np.uint64(data[n])
        return key | np.uint64(end - place) << _LENGTH_AT
    for n in range(place, end):
        key = (key ^ np.uint64(data[n])) * _FACTOR
        key ^= key >> np.uint64(29)
    return key | _HASHED


@njit(cache=True, nogil=True)
def _is_token(
    data: Array, place: int, end: int, starts: Array, letters: Array, rank: int
) -> bool:
    start = starts[rank]
    if starts[rank + 1] - start != end - place:
        return False
    for n in range(end - place):
        if data[place + n] != letters[start + n]:
            return False
    return True


@njit(cache=True, nogil=True)
def fill(keys: Array, ranks: Array, starts: Array, letters: Array) -> None:
    """Put every token where it is looked for."""
    for rank in range(starts.size - 1):
        key = _key(letters, starts[rank], starts[rank + 1])
        slot = np.int64((key * _FACTOR) >> _SLOT_SHIFT)
        while keys[slot]:
            slot = (slot + 1) & ((1 << _SLOT_BITS) - 1)
        keys[slot], ranks[slot] = key, rank


def hashed(tokens: list[bytes]) -> tuple[Array, Array, Array, Array]:
    """Return tokens, which stand at their ranks, as `count_tokens` takes them."""
    keys = np.zeros(1 << _SLOT_BITS, np.uint64)
    ranks = np.empty(1 << _SLOT_BITS, np.int32)
    starts = np.concatenate([[0], np.cumsum([len(token) for token in tokens])]).astype(np.int32)
    letters = np.frombuffer(b"".join(tokens), np.uint8)
    fill(keys, ranks, starts, letters)
    return keys, ranks, starts, letters
