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
    find_anchors,
    find_domains,
    find_marks,
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


def _windows(row: _Row) -> Iterator[bytes]:
    window = row.literal[_offset(row.literal) :][:4]
    choices = [bytes({b, b & ~0x20} if row.any_case and b >= 0x61 else {b}) for b in window]
    if len(window) < 4:
        choices.append(np.flatnonzero(CLASSES & _FOLLOWERS[row.hint]).astype(np.uint8).tobytes())
    return map(bytes, product(*choices))


def _tables_of(rows: Sequence[_Row]) -> tuple[Array, ...]:
    """Return the filter, the first entry of each hash, the entries, and the rows in columns."""
    is_mark = np.zeros(1 << BITS, np.uint8)
    first = np.full(1 << (BITS - COARSER), -1, np.int32)
    entries: list[tuple[int, int]] = []
    for number, row in enumerate(rows):
        slots = {_hash(window) for window in _windows(row)}
        is_mark[list(slots)] = 1
        for slot in {slot >> COARSER for slot in slots}:
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
        is_mark, *tables = self._tables
        marks = _all_of(find_marks, data, tables=(is_mark,))
        likely = _listed(_all_of(find_anchors, data, *marks, tables=(CLASSES, *tables)))
        domains = _listed(_all_of(find_domains, data, tables=(CLASSES,)))
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
