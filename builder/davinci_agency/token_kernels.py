"""How many tokens of o200k_base a text has, compiled: its pieces, and each piece's tokens.

`next_piece` is the vocabulary's expression (`tokens._O200K`) by hand. Every alternative of it is
runs of characters of some kinds, so each piece is found by looking at its characters once or twice,
with no stack of places to go back to: no text is too long, and all take linear time.

Counting changes nothing but the memo, of which each thread has its own, and lets go of Python's
lock, so threads count beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
Vocabulary = tuple[Array, Array, Array, Array]
"""A hash table, of keys and of ranks; where each token starts, by rank; and the tokens' bytes."""
F = TypeVar("F", bound=Callable[..., Any])

UPPER, LOWER, LETTER, MARK, NUMBER, SPACE, LINE, OTHER = (1 << bit for bit in range(8))
"""What a character is: Lu and Lt, Ll, Lm and Lo, M, N, white space, such that ends a line, else."""
END_OF_TEXT = 0xFF
"""Stands behind every text, as no byte of UTF-8 is this one, so that no loop asks where it ends."""
_END = 0
_HEAD, _TAIL, _BOTH = UPPER | LETTER | MARK, LOWER | LETTER | MARK, LETTER | MARK
_BLANK, _SYMBOL, _BEFORE_WORD = SPACE | LINE, OTHER | MARK, SPACE | OTHER | MARK
_LONGEST_NUMBER = 3
_QUOTE, _SLASH, _SPACE = b"'/ "
_S, _T, _M, _D, _L, _R, _E, _V = b"stmdlrev"
_LOWER_CASE = 0x20
_ONE = np.uint64(1)
_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_FROM_A = np.uint64((0x80 - 0x61) * 0x0101010101010101)
_BEYOND_Z = np.uint64((0x80 - 0x7B) * 0x0101010101010101)

LONGEST_TOKEN = 128
"""Bytes. A piece of more has many tokens; to merge them takes another way than that for a few."""
_PACKED = 7
"""A token of so many bytes is its own key."""
_REMEMBERED = 15
"""A piece of so many bytes fits, with its length and its tokens, into two numbers."""
_MEMO_BITS = 18
MEMO_SHAPE = 1 << _MEMO_BITS, 2
"""Four megabytes for each thread that counts: a piece takes the place of another of its hash."""
_SLOT_BITS = 19
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EIGHT, _LENGTH_AT, _HASHED = np.uint64(8), np.uint64(56), np.uint64(0xFF << 56)
_SLOTS = np.uint64((1 << _SLOT_BITS) - 1)
_SLOT_SHIFT = np.uint64(64 - _SLOT_BITS)
_MEMO_SHIFT = np.uint64(64 - _MEMO_BITS)
_COUNT_AT, _WITHOUT_COUNT = np.uint64(60), np.uint64((1 << 60) - 1)
_NONE = np.int32(2**31 - 1)
"""The rank of what is no token: above all others."""


def _inlined(function: F) -> F:
    """Return a kernel that becomes a part of its callers: a call with arrays costs a third more."""
    return cast(F, njit(cache=True, nogil=True, forceinline=True)(function))


@njit(cache=True, nogil=True)
def count_tokens(
    words: Array, texts: int, memo: Array, kinds: Array, vocabulary: Vocabulary
) -> tuple[int, Array]:
    """Return the tokens of so many texts, as they are `divided`.

    Pieces longer than any token aren't counted, but returned: where each begins and ends.
    """
    tokens: Any = 0
    place, count = 0, 0
    data = words.view(np.uint8)
    long = np.empty((data.size // LONGEST_TOKEN + 1, 2), np.int64)
    parts = np.empty(LONGEST_TOKEN + 1, np.int64)
    pairs = np.empty(LONGEST_TOKEN + 1, np.int32)
    for _ in range(texts):
        while data[place] != END_OF_TEXT:
            stop = next_piece(data, words, place, kinds)
            size = stop - place
            if size <= _REMEMBERED:
                low, high = _packed(words, place, size)
                slot = ((low ^ high * _FACTOR) * _FACTOR) >> _MEMO_SHIFT
                if memo[slot, 0] != low or memo[slot, 1] & _WITHOUT_COUNT != high:
                    found = _tokens(data, place, stop, vocabulary, parts, pairs)
                    memo[slot, 0], memo[slot, 1] = low, high | np.uint64(found) << _COUNT_AT
                tokens += np.int64(memo[slot, 1] >> _COUNT_AT)
            elif size <= LONGEST_TOKEN:
                tokens += _tokens(data, place, stop, vocabulary, parts, pairs)
            else:
                long[count, 0], long[count, 1] = place, stop
                count += 1
            place = stop
        place += 1
    return tokens, long[:count]


@_inlined
def _packed(words: Array, place: int, size: int) -> tuple[np.uint64, np.uint64]:
    """Return up to fifteen bytes, and how many they are, as two numbers."""
    low = _eight(words, place) & _low_bytes(min(size, 8))
    high = _eight(words, place + 8) & _low_bytes(max(size - 8, 0))
    return low, high | np.uint64(size) << _LENGTH_AT


@_inlined
def _low_bytes(count: int) -> Any:
    """Return what leaves the first few of eight bytes, or all."""
    half = np.uint64(4 * count)
    return (_ONE << half << half) - _ONE


@_inlined
def _eight(words: Array, place: int) -> Any:
    """Return the eight bytes at any place."""
    word, shift = place >> 3, np.uint64((place & 7) << 3)
    # Two shifts, as one of 64 bits is none.
    after = words[np.uint64(word + 1)] << np.uint64(1) << (np.uint64(63) - shift)
    return words[np.uint64(word)] >> shift | after


@_inlined
def next_piece(data: Array, words: Array, place: int, kinds: Array) -> int:
    """Return where the piece ends that begins at a place."""
    kind = _kind(data, place, kinds)
    if kind == LINE:
        return _blanks(data, place, kinds)
    stop = _word(data, words, place, kinds, kind)
    if stop > place:
        return stop
    if kind == NUMBER:
        for _ in range(_LONGEST_NUMBER):
            if _kind(data, stop, kinds) == NUMBER:
                stop += _width(data, stop)
        return stop
    stop = _symbols(data, place, kinds)
    return stop if stop > place else _blanks(data, place, kinds)


@_inlined
def _word(data: Array, words: Array, place: int, kinds: Array, kind: int) -> int:
    """Return where a word ends that begins here, maybe with a character before it; else here.

    The expression tries capitals and then small letters before capitals alone. What is both, such
    as 日 and marks, may be the small letter: where none follows, a word ends behind the last of it.
    """
    start = place + _width(data, place) if kind & _BEFORE_WORD else place
    stop, last = start, start
    while True:
        this = _kind(data, stop, kinds)
        if not this & _HEAD:
            break
        stop += _width(data, stop)
        if this & _BOTH:
            last = stop
    if this == LOWER:
        while True:
            stop += _small_letters(words, stop)
            if not _kind(data, stop, kinds) & _TAIL:
                break
            stop += _width(data, stop)
    elif last > start:
        stop = last
    elif kind == MARK:
        stop = start  # It is no character before a word, but the word.
    elif stop == start:
        return place
    return _contraction(data, stop)


@_inlined
def _small_letters(words: Array, place: int) -> Any:
    """Return how many of the next seven bytes are a to z, before one that isn't.

    Eight bytes are asked at once, by sums that reach a byte's highest bit: a loop over the letters
    would be left at another place each time, which is what costs most.
    """
    eight = _eight(words, place)
    low = eight & ~_HIGHS
    small = (low + _FROM_A) & ~(low + _BEYOND_Z) & ~eight & _HIGHS
    others = small ^ _HIGHS
    return np.int64((((others ^ (others - _ONE)) & _ONES) * _ONES) >> _LENGTH_AT) - 1


@_inlined
def _contraction(data: Array, place: int) -> int:
    """Return where 's, 't, 're, 've, 'm, 'll or 'd ends, in any case, that begins here; or here."""
    if data[np.uint64(place)] != _QUOTE:
        return place
    first = data[place + 1] | _LOWER_CASE
    if first in (_S, _T, _M, _D):
        return place + 2
    second = data[place + 2] | _LOWER_CASE
    if (second == _E and first in (_R, _V)) or (second == _L and first == _L):
        return place + 3
    if data[place + 1] == 0xC5 and data[place + 2] == 0xBF:  # The long s is one, too.
        return place + 3
    return place


@_inlined
def _symbols(data: Array, place: int, kinds: Array) -> int:
    """Return where symbols and the ends of lines behind them end, maybe after a space; or here."""
    start = place + 1 if data[place] == _SPACE else place
    stop = start
    while _kind(data, stop, kinds) & _SYMBOL:
        stop += _width(data, stop)
    if stop == start:
        return place
    while data[stop] == _SLASH or kinds[data[stop]] == LINE:
        stop += 1
    return stop


@_inlined
def _blanks(data: Array, place: int, kinds: Array) -> int:
    """Return where blanks end: behind the last end of a line, else before the last one of many.

    At the end of a text the last one belongs to them, too.
    """
    stop, last, line = place, place, place
    while True:
        kind = _kind(data, stop, kinds)
        if not kind & _BLANK:
            break
        last = stop
        stop += _width(data, stop)
        if kind == LINE:
            line = stop
    if line > place:
        return line
    return stop if data[stop] == END_OF_TEXT or last == place else last


@_inlined
def _kind(data: Array, place: int, kinds: Array) -> Any:
    """Return what the character is that begins at a place."""
    first = np.int64(data[np.uint64(place)])
    if first < 0x80:
        return kinds[np.uint64(first)]
    second = np.int64(data[place + 1]) & 0x3F
    if first < 0xE0:
        return kinds[(first & 0x1F) << 6 | second]
    third = np.int64(data[place + 2]) & 0x3F
    if first < 0xF0:
        return kinds[(first & 0x0F) << 12 | second << 6 | third]
    if first == END_OF_TEXT:
        return _END
    fourth = np.int64(data[place + 3]) & 0x3F
    return kinds[(first & 0x07) << 18 | second << 12 | third << 6 | fourth]


@_inlined
def _width(data: Array, place: int) -> int:
    """Return the bytes of the character that begins at a place."""
    first = data[np.uint64(place)]
    if first < 0x80:
        return 1
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4


@njit(cache=True, nogil=True)
def _tokens(
    data: Array, place: int, end: int, vocabulary: Vocabulary, parts: Array, pairs: Array
) -> int:
    """Return the tokens of a piece, itself one or to be merged of its bytes."""
    if _rank(data, place, end, vocabulary) != _NONE:
        return 1
    return _merged(data, place, end, vocabulary, parts, pairs)


@njit(cache=True, nogil=True)
def _merged(
    data: Array, place: int, end: int, vocabulary: Vocabulary, parts: Array, pairs: Array
) -> int:
    """Return how many tokens the bytes of a piece are joined to.

    Each time the pair of the least rank is, the first of such, until no pair is a token.
    """
    size = end - place
    for n in range(size + 1):
        parts[np.uint64(n)] = place + n
    best: int = 0
    least: Any = _NONE
    for n in range(size - 1):
        rank = _rank(data, place + n, place + n + 2, vocabulary)
        pairs[np.uint64(n)] = rank
        if rank < least:
            best, least = n, rank
    while least != _NONE:
        size -= 1
        for n in range(best + 1, size + 1):
            parts[np.uint64(n)] = parts[np.uint64(n + 1)]
            pairs[np.uint64(n - 1)] = pairs[np.uint64(n)]
        for n in range(max(best - 1, 0), min(best + 1, size - 1)):
            pairs[np.uint64(n)] = _rank(data, parts[n], parts[n + 2], vocabulary)
        least = _NONE
        for n in range(size - 1):
            if pairs[np.uint64(n)] < least:
                best, least = n, pairs[np.uint64(n)]
    return size


@_inlined
def _rank(data: Array, place: int, end: int, vocabulary: Vocabulary) -> Any:
    """Return the rank of a token; `_NONE` if it is none."""
    keys, ranks, starts, letters = vocabulary
    key = _key(data, place, end)
    slot = (key * _FACTOR) >> _SLOT_SHIFT
    while keys[slot]:
        if keys[slot] == key:
            rank = ranks[slot]
            if end - place <= _PACKED or _is_token(data, place, end, starts, letters, rank):
                return rank
        slot = (slot + _ONE) & _SLOTS
    return _NONE


@_inlined
def _key(data: Array, place: int, end: int) -> Any:
    """Return a few bytes and how many they are, or a hash of many; never 0."""
    key = np.uint64(0)
    if end - place <= _PACKED:
        for n in range(place, end):
            key = key << _EIGHT | np.uint64(data[np.uint64(n)])
        return key | np.uint64(end - place) << _LENGTH_AT
    for n in range(place, end):
        key = (key ^ np.uint64(data[n])) * _FACTOR
        key ^= key >> np.uint64(29)
    return key | _HASHED


@njit(cache=True, nogil=True)
def _is_token(data: Array, place: int, end: int, starts: Array, letters: Array, rank: int) -> bool:
    start = starts[rank]
    if starts[rank + 1] - start != end - place:
        return False
    for n in range(end - place):  # noqa: SIM110 - numba has no all()
        if data[place + n] != letters[start + n]:
            return False
    return True


@njit(cache=True, nogil=True)
def fill(vocabulary: Vocabulary) -> None:
    """Put every token where it is looked for."""
    keys, ranks, starts, letters = vocabulary
    for rank in range(starts.size - 1):
        key = _key(letters, starts[rank], starts[rank + 1])
        slot = np.int64((key * _FACTOR) >> _SLOT_SHIFT)
        while keys[slot]:
            slot = (slot + 1) & ((1 << _SLOT_BITS) - 1)
        keys[slot], ranks[slot] = key, rank


def divided(texts: Sequence[bytes]) -> bytes:
    """Return texts in UTF-8 as `count_tokens` takes them.

    These are whole words; some bytes follow the last text, as it reads two words behind a place.
    """
    mark = bytes([END_OF_TEXT])
    data = mark.join((*texts, b""))
    return data + mark * (24 - len(data) % 8)


def hashed(tokens: list[bytes]) -> Vocabulary:
    """Return tokens, which stand at their ranks, as `count_tokens` takes them."""
    keys = np.zeros(1 << _SLOT_BITS, np.uint64)
    ranks = np.empty(1 << _SLOT_BITS, np.int32)
    starts = np.concatenate([[0], np.cumsum([len(token) for token in tokens])]).astype(np.int32)
    letters = np.frombuffer(b"".join(tokens), np.uint8)
    fill((keys, ranks, starts, letters))
    return keys, ranks, starts, letters
