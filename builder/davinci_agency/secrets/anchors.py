"""The places in a text where a rule could match at all, found in one pass; pure.

Each four bytes of the text are looked up in a table that holds four bytes of every literal, those
that text has least. Where a literal stands, a few cheap questions (is there a boundary before it;
a long run, or a value with a digit, behind it?) leave about one place in ten thousand bytes to the
expressions. Each question follows from the expressions of the rules that it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from davinci_agency.secrets.rule import BEGIN, Rule

_BITS = 18
_COARSER = 6
"""The filter has this many bits' worth of slots; the lists of entries a 64th of them."""
_FACTOR = 0x4E5A3A27
"""Any odd number will do; of sixty, the words of code met the table least with this."""
_ALNUM_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_COMMON = b"etaoinsrhld -"
_ALNUM, _RUN, _NAME, _CLOSE, _VALUE, _LOGIN, _LOCAL = 1, 2, 4, 8, 16, 32, 64
_RUN_HINT, _VALUE_HINT, _LOGIN_HINT = 0, 1, 2
_SIZE, _OFFSET, _FOLD, _BOUNDED, _HINT, _LEAST = range(6)
"""The columns of the table of literals."""
_HINTS = {"run": _RUN_HINT, "value": _VALUE_HINT, "login": _LOGIN_HINT}
_FOLLOWERS = {_RUN_HINT: _RUN, _VALUE_HINT: _NAME | _CLOSE, _LOGIN_HINT: _LOGIN}
"""What may follow a literal of three bytes, so that it can be looked up as four."""
_LEAST_VALUE = 8
_EIGHT_ONES = np.uint64(0x0101010101010101)
_EIGHT_HIGHS = np.uint64(0x8080808080808080)
_EIGHT_AT = np.uint64(0x4040404040404040)
_AT, _COLON, _DOT, _DASH, _BACKSLASH, _PERCENT = b"@:.-\\%"


def _classes() -> npt.NDArray[np.uint8]:
    alnum = _ALNUM_BYTES
    members = {
        _ALNUM: alnum,
        _RUN: alnum + b"_-+/=.",
        _NAME: alnum + b"_.-",
        _LOCAL: alnum + b"_.+%-",
        _CLOSE: b"\"'`\\])} \t:=>,(",
        _VALUE: bytes(set(range(1, 256)) - set(b" \t\r\n\v\f\"'`\\<>")),
        _LOGIN: bytes(set(range(1, 256)) - set(b" \t\r\n\v\f\"'`\\<>{}()$/")),
    }
    table = np.zeros(256, np.uint8)
    for bit, characters in members.items():
        table[list(characters)] |= bit
    return table


_CLASSES = _classes()


def _hash(window: bytes) -> int:
    return (int.from_bytes(window, "little") * _FACTOR & 0xFFFFFFFF) >> (32 - _BITS)


class _Row(NamedTuple):
    """A literal and what is asked for where it stands."""

    literal: bytes
    skip: int
    hint: int
    least: int
    is_bounded: bool
    any_case: bool


def _row(rule: Rule, literal: bytes) -> _Row:
    is_bounded = rule.expression.pattern.startswith(BEGIN) and not rule.reach
    return _Row(literal, rule.skip, _HINTS[rule.hint], rule.least, is_bounded, rule.any_case)


def _offset(literal: bytes) -> int:
    """Return where in a literal the four bytes begin that text has least."""
    offsets = range(max(len(literal) - 3, 1))
    return min(offsets, key=lambda k: sum(b in _COMMON for b in literal[k : k + 4].lower()))


def _windows(row: _Row) -> Iterator[bytes]:
    window = row.literal[_offset(row.literal) :][:4]
    choices = [bytes({b, b & ~0x20} if row.any_case and b >= 0x61 else {b}) for b in window]
    if len(window) < 4:
        choices.append(np.flatnonzero(_CLASSES & _FOLLOWERS[row.hint]).astype(np.uint8).tobytes())
    return map(bytes, product(*choices))


Array = npt.NDArray[Any]


def _tables_of(rows: Sequence[_Row]) -> tuple[Array, ...]:
    """Return the filter, the first entry of each hash, the entries, and the rows in columns."""
    is_end = np.zeros(1 << _BITS, np.uint8)
    first = np.full(1 << (_BITS - _COARSER), -1, np.int32)
    entries: list[tuple[int, int]] = []
    for number, row in enumerate(rows):
        slots = {_hash(window) for window in _windows(row)}
        is_end[list(slots)] = 1
        for slot in {slot >> _COARSER for slot in slots}:
            entries.append((number, int(first[slot])))
            first[slot] = len(entries) - 1
    width = max(len(row.literal) for row in rows)
    literals = np.zeros((len(rows), width), np.uint8)
    for number, row in enumerate(rows):
        literals[number, : len(row.literal)] = list(row.literal)
    columns = [
        (len(r.literal), _offset(r.literal), r.any_case * 0x20, r.is_bounded, r.hint, r.least)
        for r in rows
    ]
    return (
        np.packbits(is_end, bitorder="little").view("<u4"),
        first,
        np.array(entries, np.int32),
        literals,
        np.array(columns, np.int32),
    )


class Anchors:
    """The literals of some rules, ready to be found."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._reach: dict[int, frozenset[int]] = {
            number: frozenset(rule.reach) for number, rule in enumerate(rules) if rule.reach
        }
        self._domains = [n for n, rule in enumerate(rules) if rule.hint == "domain"]
        rows: dict[_Row, list[int]] = {}
        for number, rule in enumerate(rules):
            if rule.hint != "domain":
                for literal in rule.literals:
                    rows.setdefault(_row(rule, literal), []).append(number)
        self._rules = [tuple(numbers) for numbers in rows.values()]
        self._skips = [row.skip for row in rows]
        self._tables = _tables_of(list(rows))

    def in_text(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where a match could begin, and the number of its rule, in order of the former."""
        data = np.frombuffer(text, np.uint8)
        is_end, *tables = self._tables
        ends = _all_of(_find_ends, data, tables=(is_end,))
        likely = _listed(_all_of(_find_anchors, data, *ends, tables=(_CLASSES, *tables)))
        domains = _listed(_all_of(_find_domains, data, tables=(_CLASSES,)))
        places = [
            (self._begin(text, place + self._skips[row], number), number)
            for place, row in likely
            for number in self._rules[row]
        ]
        places += [
            (self._begin(text, place, number), number)
            for place, _ in domains
            for number in self._domains
        ]
        places.sort()
        yield from places

    def _begin(self, text: bytes, place: int, number: int) -> int:
        reach = self._reach.get(number)
        if reach:
            least = max(0, place - 72)
            while place > least and text[place - 1] in reach:
                place -= 1
        return place


def _all_of(kernel: Any, *data: Array, tables: tuple[Array, ...]) -> tuple[Array, Array]:
    """Return all places and their notes that a kernel writes, whatever room they take."""
    room = 256 + data[0].size // 64
    while True:
        places, notes = np.empty(room, np.int64), np.empty(room, np.int32)
        count = kernel(*data, places, notes, *tables)
        if count <= room:
            return places[:count], notes[:count]
        room = count


def _listed(found: tuple[Array, Array]) -> Iterator[tuple[int, int]]:
    places, notes = found
    return zip(places.tolist(), notes.tolist(), strict=True)


@njit(cache=True, nogil=True)
def _find_ends(data: Array, places: Array, slots: Array, is_end: Array) -> int:
    """Write where four bytes stand that may end a literal, and their slots; return how many."""
    count = 0
    shift = np.uint32(32 - _BITS)
    for i in range(data.size - 3):
        window = (
            np.uint32(data[i])
            | np.uint32(data[i + 1]) << np.uint32(8)
            | np.uint32(data[i + 2]) << np.uint32(16)
            | np.uint32(data[i + 3]) << np.uint32(24)
        )
        slot = np.uint32(window * np.uint32(_FACTOR)) >> shift
        if is_end[slot >> np.uint32(5)] >> (slot & np.uint32(31)) & np.uint32(1):
            if count < places.size:
                places[count] = i
                slots[count] = slot
            count += 1
    return count


@njit(cache=True, nogil=True)
def _find_anchors(
    data: Array,
    ends: Array,
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
    for n in range(ends.size):
        entry = first[slots[n] >> _COARSER]
        while entry >= 0:
            row = entries[entry, 0]
            entry = entries[entry, 1]
            start = ends[n] - columns[row, _OFFSET]
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
    if columns[row, _HINT] == _VALUE_HINT:
        return _gives_value(data, k, classes)
    if columns[row, _HINT] == _LOGIN_HINT:
        return _holds_login(data, k, classes)
    last = k + columns[row, _LEAST]
    while k < min(last, data.size) and classes[data[k]] & _RUN:
        k += 1
    return bool(k == last)


@njit(cache=True, nogil=True)
def _has_boundary(data: Array, start: int, classes: Array) -> bool:
    if start == 0 or not classes[data[start - 1]] & _ALNUM:
        return True
    # The letter of an escaped line end, the digits of an escaped equals sign.
    return (start > 1 and data[start - 2] == _BACKSLASH) or (
        start > 2 and data[start - 3] == _PERCENT
    )


@njit(cache=True, nogil=True)
def _gives_value(data: Array, k: int, classes: Array) -> bool:
    """Tell whether one of the next three words is of eight bytes or more, with a digit."""
    last = min(k + 64, data.size)
    while k < last and classes[data[k]] & _NAME:
        k += 1
    for _ in range(3):
        begun = k
        last = min(k + 32, data.size)
        while k < last and classes[data[k]] & _CLOSE:
            k += 1
        if k == begun:
            return False
        last = min(k + 72, data.size)
        has_digit = False
        while k < last and classes[data[k]] & _VALUE:
            has_digit |= 0x30 <= data[k] <= 0x39
            k += 1
        if has_digit and k - begun >= _LEAST_VALUE:
            return True
    return False


@njit(cache=True, nogil=True)
def _holds_login(data: Array, k: int, classes: Array) -> bool:
    last = min(k + 210, data.size)
    has_colon = False
    while k < last and classes[data[k]] & _LOGIN:
        if data[k] == _AT and has_colon:
            return True
        has_colon |= data[k] == _COLON
        k += 1
    return False


@njit(cache=True, nogil=True)
def _find_domains(data: Array, places: Array, notes: Array, classes: Array) -> int:
    """Write the places of all ``@`` between what may be a name and a domain; return how many."""
    count = 0
    words = data[: data.size // 32 * 32].view(np.uint64)
    for block in range(data.size // 32 + 1):
        if block < data.size // 32 and not _holds_at(words, 4 * block):
            continue
        for i in range(max(32 * block, 1), min(32 * block + 32, data.size)):
            if (
                data[i] == _AT
                and classes[data[i - 1]] & _LOCAL
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
            if classes[data[k + 1]] & classes[data[k + 2]] & _ALNUM and data[k + 1] >= 0x41:
                return True
        elif not (classes[data[k]] & _ALNUM or data[k] == _DASH):
            return False
        k += 1
    return False
