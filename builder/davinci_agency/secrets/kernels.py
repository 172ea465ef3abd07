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
COARSER = 6
"""The filter has this many bits' worth of slots; the lists of entries a 64th of them."""
FACTOR = 0x4E5A3A27
"""Any odd number will do; of sixty, the words of code met the table least with this."""
_ALNUM_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ALNUM, RUN, NAME, CLOSE, VALUE, LOGIN, LOCAL = 1, 2, 4, 8, 16, 32, 64
RUN_HINT, VALUE_HINT, LOGIN_HINT = 0, 1, 2
_SIZE, _OFFSET, _FOLD, _BOUNDED, _HINT, _LEAST = range(6)
"""The columns of the table of literals."""
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
def find_marks(data: Array, places: Array, slots: Array, is_mark: Array) -> int:
    """Write where four bytes of a literal may stand, and their slots; return how many."""
    count = 0
    shift = np.uint32(32 - BITS)
    for i in range(data.size - 3):
        window = (
            np.uint32(data[i])
            | np.uint32(data[i + 1]) << np.uint32(8)
            | np.uint32(data[i + 2]) << np.uint32(16)
            | np.uint32(data[i + 3]) << np.uint32(24)
        )
        slot = np.uint32(window * np.uint32(FACTOR)) >> shift
        if is_mark[slot >> np.uint32(5)] >> (slot & np.uint32(31)) & np.uint32(1):
            if count < places.size:
                places[count] = i
                slots[count] = slot
            count += 1
    return count


@njit(cache=True, nogil=True)
def find_anchors(
    data: Array,
    marks: Array,
    slots: Array,
    places: Array,
    rows: Array,
    classes: Array,
    first: Array,
    entries: Array,
    literals: Array,
    columns: Array,
) -> int:
    """Write where a literal stands with an answer to its question; return how many."""
    count = 0
    for n in range(marks.size):
        entry = first[slots[n] >> COARSER]
        while entry >= 0:
            row = entries[entry, 0]
            entry = entries[entry, 1]
            start = marks[n] - columns[row, _OFFSET]
            if _stands(data, start, literals, columns, row) and _is_likely(
                data, start, columns, row, classes
            ):
                if count < places.size:
                    places[count] = start
                    rows[count] = row
                count += 1
    return count


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
def find_domains(data: Array, places: Array, notes: Array, classes: Array) -> int:
    """Write the places of all ``@`` between what may be a name and a domain; return how many."""
    count = 0
    words = data[: data.size // 32 * 32].view(np.uint64)
    for block in range(data.size // 32 + 1):
        if block < data.size // 32 and not _holds_at(words, 4 * block):
            continue
        for i in range(max(32 * block, 1), min(32 * block + 32, data.size)):
            if (
                data[i] == _AT
                and classes[data[i - 1]] & LOCAL
                and _has_domain(data, i + 1, classes)
            ):
                if count < places.size:
                    places[count] = i
                    notes[count] = 0
                count += 1
    return count


@njit(cache=True, nogil=True)
def _holds_at(words: Array, begin: int) -> bool:
    """Tell whether an ``@`` is among 32 bytes, asking eight at once."""
    zeros = np.uint64(0)
    for n in range(begin, begin + 4):
        other = words[n] ^ _EIGHT_AT
        zeros |= (other - _EIGHT_ONES) & ~other & _EIGHT_HIGHS
    return bool(zeros != 0)


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
