"""The loops over a text's bytes, compiled; `anchors` says what for.

A kernel writes what it finds into arrays that it is given, as far as they reach, and returns how
many it found. None looks further than a few hundred bytes from a place, so each takes linear time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

BITS = 18
COARSER = 3
"""The filter has this many bits' worth of slots; the lists of entries an eighth of them."""
FACTOR = 0x6A6999 << 8
"""Any odd number will do before the shift, which leaves a fourth byte out of the hash; of 150, the
words of code met the table nearly least with this."""
AT_ROW = -1
"""What stands for the row of an ``@``."""
_ALNUM_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ALNUM, RUN, NAME, CLOSE, VALUE, LOGIN, LOCAL = 1, 2, 4, 8, 16, 32, 64
RUN_HINT, VALUE_HINT, LOGIN_HINT = 0, 1, 2
_SIZE, _FOLD, _BOUNDED, _HINT, _LEAST = range(5)
"""The columns of the table of literals."""
_WINDOW, _ROW, _OFFSET, _NEXT = range(4)
"""The columns of the entries: three bytes, whose they are, where they stand in it, and what other
entry has the same hash."""
_LEAST_VALUE = 8
_EIGHT_ONES = np.uint64(0x0101010101010101)
_EIGHT_HIGHS = np.uint64(0x8080808080808080)
_EIGHT_AT = np.uint64(0x4040404040404040)
_AT, _COLON, _DOT, _DASH, _BACKSLASH, _PERCENT = b"@:.-\\%"


def _classes() -> npt.NDArray[np.uint8]:
    alnum = _ALNUM_BYTES
    members = {
        ALNUM: alnum,
        RUN: alnum + b"_-+/=.",
        NAME: alnum + b"_.-",
        LOCAL: alnum + b"_.+%-",
        CLOSE: b"\"'`\\])} \t:=>,(",
        VALUE: bytes(set(range(1, 256)) - set(b" \t\r\n\v\f\"'`\\<>")),
        LOGIN: bytes(set(range(1, 256)) - set(b" \t\r\n\v\f\"'`\\<>{}()$/")),
    }
    table = np.zeros(256, np.uint8)
    for bit, characters in members.items():
        table[list(characters)] |= bit
    return table


CLASSES = _classes()


@njit(cache=True, nogil=True)
def find_places(
    data: Array,
    places: Array,
    rows: Array,
    classes: Array,
    is_mark: Array,
    first: Array,
    entries: Array,
    literals: Array,
    columns: Array,
) -> int:
    """Write where a literal or an ``@`` stands with an answer to its question; return how many."""
    count = 0
    literal_places, at_places = _candidates(data, is_mark)
    for place in at_places:
        if _joins_domain(data, place, classes):
            if count < places.size:
                places[count], rows[count] = place, AT_ROW
            count += 1
    for place in literal_places:
        window = _window(data, place)
        entry = first[_slot(window) >> np.uint32(COARSER)]
        while entry >= 0:
            fields = entries[np.uint64(entry)]
            entry = fields[_NEXT]
            if fields[_WINDOW] == window:
                row, start = fields[_ROW], place - fields[_OFFSET]
                if _stands(data, start, literals, columns, row) and _is_likely(
                    data, start, columns, row, classes
                ):
                    if count < places.size:
                        places[count], rows[count] = start, row
                    count += 1
    return count


@njit(cache=True, nogil=True)
def _candidates(data: Array, is_mark: Array) -> tuple[Array, Array]:
    """Return the even places where three bytes of a literal may stand, and those of all ``@``."""
    words = data[: data.size // 8 * 8].view(np.uint64)
    blocks = _blocks(words, is_mark)
    literal_places = np.empty(4 * blocks.size + 5, np.int64)
    at_places = np.empty(8 * blocks.size + 9, np.int64)
    literals, ats = np.uint64(0), np.uint64(0)
    for n in range(blocks.size):
        is_last = n == blocks.size - 1
        begin = 8 * blocks[np.uint64(n)]
        end = data.size if is_last else begin + 8
        if is_last or _has_at(words[np.uint64(blocks[np.uint64(n)])]):
            for place in range(begin, end):
                at_places[ats] = place
                ats += np.uint64(data[np.uint64(place)] == _AT)
        for place in range(begin, min(end, data.size - 2), 2):
            literal_places[literals] = place
            literals += np.uint64(_mark(_slot(_window(data, place)), is_mark))
    return literal_places[: np.int64(literals)], at_places[: np.int64(ats)]


@njit(cache=True, nogil=True)
def _blocks(words: Array, is_mark: Array) -> Array:
    """Return which eight bytes may matter, and at last where those begin that were not asked."""
    whole = max(words.size - 1, 0)
    blocks = np.empty(whole + 1, np.int64)
    kept = np.uint64(0)
    for block in range(whole):
        # Always written, and kept if it matters: cheaper than a branch.
        blocks[kept] = block
        word, after = words[np.uint64(block)], words[np.uint64(block + 1)]
        kept += np.uint64(_may_matter(word, after, is_mark))
    blocks[kept] = whole
    return blocks[: np.int64(kept) + 1]


@njit(cache=True, nogil=True)
def _window(data: Array, place: int) -> np.uint32:
    """Return the three bytes at a place as a number."""
    first = np.uint64(place)
    return (
        np.uint32(data[first])
        | np.uint32(data[first + np.uint64(1)]) << np.uint32(8)
        | np.uint32(data[first + np.uint64(2)]) << np.uint32(16)
    )


@njit(cache=True, nogil=True)
def _may_matter(word: np.uint64, after: np.uint64, is_mark: Array) -> bool:
    """Tell whether an ``@`` is among eight bytes, or three bytes of a literal may begin there."""
    last = word >> np.uint64(48) | after << np.uint64(16)
    marks = (
        _mark(_slot(np.uint32(word)), is_mark)
        | _mark(_slot(np.uint32(word >> np.uint64(16))), is_mark)
        | _mark(_slot(np.uint32(word >> np.uint64(32))), is_mark)
        | _mark(_slot(np.uint32(last)), is_mark)
    )
    return bool(_has_at(word) | np.uint64(marks))


@njit(cache=True, nogil=True)
def _has_at(word: np.uint64) -> np.uint64:
    """Return a number that is zero if no ``@`` is among eight bytes."""
    other = word ^ _EIGHT_AT
    return (other - _EIGHT_ONES) & ~other & _EIGHT_HIGHS


@njit(cache=True, nogil=True)
def _slot(window: np.uint32) -> np.uint32:
    """Return the slot of the lowest three bytes."""
    return np.uint32(window * np.uint32(FACTOR)) >> np.uint32(32 - BITS)


@njit(cache=True, nogil=True)
def _mark(slot: np.uint32, is_mark: Array) -> np.uint32:
    """Return 1 if a literal has the slot, else 0."""
    return np.uint32(is_mark[slot >> np.uint32(5)] >> (slot & np.uint32(31)) & np.uint32(1))


@njit(cache=True, nogil=True)
def _stands(data: Array, start: int, literals: Array, columns: Array, row: int) -> bool:
    size, fold = columns[row, _SIZE], columns[row, _FOLD]
    if start < 0 or start + size > data.size:
        return False
    k = 0
    while k < size and (data[start + k] | fold) == (literals[row, k] | fold):
        k += 1
    return bool(k == size)


@njit(cache=True, nogil=True)
def _is_likely(data: Array, start: int, columns: Array, row: int, classes: Array) -> bool:
    k = start + columns[row, _SIZE]
    if columns[row, _BOUNDED] and not _has_boundary(data, start, classes):
        return False
    if columns[row, _HINT] == VALUE_HINT:
        return _gives_value(data, k, classes)
    if columns[row, _HINT] == LOGIN_HINT:
        return _holds_login(data, k, classes)
    last = k + columns[row, _LEAST]
    while k < min(last, data.size) and classes[data[k]] & RUN:
        k += 1
    return bool(k == last)


@njit(cache=True, nogil=True)
def _has_boundary(data: Array, start: int, classes: Array) -> bool:
    if start == 0 or not classes[data[start - 1]] & ALNUM:
        return True
    # The letter of an escaped line end, the digits of an escaped equals sign.
    return (start > 1 and data[start - 2] == _BACKSLASH) or (
        start > 2 and data[start - 3] == _PERCENT
    )


@njit(cache=True, nogil=True)
def _gives_value(data: Array, k: int, classes: Array) -> bool:
    """Tell whether one of the next three words is of eight bytes or more, with a digit."""
    last = min(k + 64, data.size)
    while k < last and classes[data[k]] & NAME:
        k += 1
    for _ in range(3):
        begun = k
        last = min(k + 32, data.size)
        while k < last and classes[data[k]] & CLOSE:
            k += 1
        if k == begun:
            return False
        last = min(k + 72, data.size)
        has_digit = False
        while k < last and classes[data[k]] & VALUE:
            has_digit |= 0x30 <= data[k] <= 0x39
            k += 1
        if has_digit and k - begun >= _LEAST_VALUE:
            return True
    return False


@njit(cache=True, nogil=True)
def _holds_login(data: Array, k: int, classes: Array) -> bool:
    last = min(k + 210, data.size)
    has_colon = False
    while k < last and classes[data[k]] & LOGIN:
        if data[k] == _AT and has_colon:
            return True
        has_colon |= data[k] == _COLON
        k += 1
    return False


@njit(cache=True, nogil=True)
def _joins_domain(data: Array, place: int, classes: Array) -> bool:
    """Tell whether what may be a name and a domain stand on both sides of a place."""
    return bool(
        place > 0 and classes[data[place - 1]] & LOCAL and _has_domain(data, place + 1, classes)
    )


@njit(cache=True, nogil=True)
def _has_domain(data: Array, k: int, classes: Array) -> bool:
    last = min(k + 520, data.size - 2)
    while k < last:
        if data[k] == _DOT:
            if classes[data[k + 1]] & classes[data[k + 2]] & ALNUM and data[k + 1] >= 0x41:
                return True
        elif not (classes[data[k]] & ALNUM or data[k] == _DASH):
            return False
        k += 1
    return False
