"""The places in a text where a rule could match at all, found in one pass; pure.

At every second place three bytes of the text are looked up in a table. It holds the first and the
last three of four bytes of every literal, those that text has least: one or the other stands at an
even place. Where a literal stands, a few cheap questions (is there a boundary before it;
a long run, or a value with a digit, behind it?) leave about one place in ten thousand bytes to the
expressions. Each question follows from the expressions of the rules that it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from davinci_agency.secrets.kernels import (
    BITS,
    CLASSES,
    CLOSE,
    COARSER,
    FACTOR,
    LOGIN,
    LOGIN_HINT,
    NAME,
    RUN,
    RUN_HINT,
    VALUE_HINT,
    Array,
    find_places,
)
from davinci_agency.secrets.rule import BEGIN, Rule

_COMMON = b"etaoinsrhld -"
_HINTS = {"run": RUN_HINT, "value": VALUE_HINT, "login": LOGIN_HINT}
_FOLLOWERS = {RUN_HINT: RUN, VALUE_HINT: NAME | CLOSE, LOGIN_HINT: LOGIN}
"""What may follow a literal of three bytes, so that it can be looked up as four."""


def _hash(window: bytes) -> int:
    return (int.from_bytes(window, "little") * FACTOR & 0xFFFFFFFF) >> (32 - BITS)


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


def _windows(row: _Row) -> Iterator[tuple[bytes, int]]:
    """Yield three bytes to look up, and where in the literal they stand."""
    offset = _offset(row.literal)
    for window in _fours(row, offset):
        yield window[:3], offset
        yield window[1:], offset + 1


def _fours(row: _Row, offset: int) -> Iterator[bytes]:
    window = row.literal[offset:][:4]
    choices = [bytes({b, b & ~0x20} if row.any_case and b >= 0x61 else {b}) for b in window]
    if len(window) < 4:
        choices.append(np.flatnonzero(CLASSES & _FOLLOWERS[row.hint]).astype(np.uint8).tobytes())
    return map(bytes, product(*choices))


def _tables_of(rows: Sequence[_Row]) -> tuple[Array, ...]:
    """Return the filter, the first entry of each hash, the entries, and the rows in columns."""
    is_mark = np.zeros(1 << BITS, np.uint8)
    first = np.full(1 << (BITS - COARSER), -1, np.int32)
    entries: list[tuple[int, int, int, int]] = []
    for number, row in enumerate(rows):
        for window, offset in dict.fromkeys(_windows(row)):
            is_mark[_hash(window)] = 1
            slot = _hash(window) >> COARSER
            entries.append((int.from_bytes(window, "little"), number, offset, int(first[slot])))
            first[slot] = len(entries) - 1
    width = max(len(row.literal) for row in rows)
    literals = np.zeros((len(rows), width), np.uint8)
    for number, row in enumerate(rows):
        literals[number, : len(row.literal)] = list(row.literal)
    columns = [(len(r.literal), r.any_case * 0x20, r.is_bounded, r.hint, r.least) for r in rows]
    return (
        np.packbits(is_mark, bitorder="little").view("<u4"),
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
        rows: dict[_Row, list[int]] = {}
        for number, rule in enumerate(rules):
            if rule.hint != "domain":
                for literal in rule.literals:
                    rows.setdefault(_row(rule, literal), []).append(number)
        self._skips = [row.skip for row in rows] + [0]
        self._rules = [tuple(numbers) for numbers in rows.values()]
        # The last, so at `AT_ROW`.
        self._rules.append(tuple(n for n, rule in enumerate(rules) if rule.hint == "domain"))
        self._tables = _tables_of(list(rows))

    def in_text(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where a match could begin, and the number of its rule, in order of the former."""
        data = np.frombuffer(text, np.uint8)
        places = [
            (self._begin(text, place + self._skips[row], number), number)
            for place, row in _all_of(data, CLASSES, *self._tables)
            for number in self._rules[row]
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


def _all_of(data: Array, *tables: Array) -> Iterator[tuple[int, int]]:
    """Yield all places and their rows, whatever room they take."""
    room = 256 + data.size // 64
    while True:
        places, rows = np.empty(room, np.int64), np.empty(room, np.int32)
        count = find_places(data, places, rows, *tables)
        if count <= room:
            return zip(places[:count].tolist(), rows[:count].tolist(), strict=True)
        room = count
