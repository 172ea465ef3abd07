"""Every string in a record, as one text that is searched once; pure.

A record of a hundred tool calls holds thousands of strings. Joined by NUL bytes they are one buffer
that fast code passes over, and a place in the buffer tells which string it is in.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any, TypeVar, cast

T = TypeVar("T")

DEEPEST = 200
"""What is nested more deeply can be read, but not written again."""
_SHORT = 256
"""A string that is longer is no value of a setting."""
_PLAIN = 16
"""No form of a secret is shorter, so a name of a key of so many characters is no place for one."""
_TELLING = re.compile(r"pass|pwd|secret|token|credential|key|auth|login|user", re.IGNORECASE)


class TooDeepError(ValueError):
    """A value is nested too deeply to be written again."""


class Strings:
    """The strings of some values, in an order that does not depend on who wrote them.

    Attributes:
        parts: the strings; a short one whose key tells what it is stands behind ``key=``.
        prefixes: how many characters of a part are its key's, where there are any.
        said: how many of the parts, the first ones, are what the record is about.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.prefixes: dict[int, int] = {}
        self.said = 0

    def add(self, value: Any, key: str = "", depth: int = 0) -> None:
        """Take in every string of a value, and names of keys that are long enough to hide one.

        Raises `TooDeepError`.
        """
        kind: Any = type(value)
        if kind is str:
            if key and len(value) <= _SHORT and _is_telling(key):
                self.prefixes[len(self.parts)] = len(key) + 1
                value = f"{key}={value}"
            self.parts.append(value)
        elif kind is dict:
            self._go_deeper(depth)
            for name in sorted(value) if len(value) > 1 else value:
                if not is_plain(name):
                    self.parts.append(name)
                self.add(value[name], name, depth + 1)
        elif kind is list or kind is tuple:
            self._go_deeper(depth)
            for item in value:
                self.add(item, key, depth + 1)
        else:
            for name in _fields(kind):
                self.add(getattr(value, name), name, depth)

    def _go_deeper(self, depth: int) -> None:
        if depth >= DEEPEST:
            raise TooDeepError(f"it is nested more than {DEEPEST} levels deep")

    def texts(self) -> Texts:
        """Return them as one buffer."""
        return Texts(self.parts, self.prefixes, "\0".join(self.parts).encode(), self.said)


@lru_cache(maxsize=1 << 8)
def _fields(kind: type) -> tuple[str, ...]:
    """Return the names of a record's fields; none of anything else."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


@lru_cache(maxsize=1 << 12)
def is_plain(name: str) -> bool:
    """Tell whether the name of a key is too short and plain to hide anything."""
    return len(name) <= _PLAIN and name.isidentifier() and name.isascii()


@lru_cache(maxsize=1 << 12)
def _is_telling(key: str) -> bool:
    return _TELLING.search(key) is not None


@dataclass(frozen=True)
class Texts:
    """Some strings as one buffer.

    Attributes:
        parts: the strings, as they stand in the buffer.
        prefixes: how many characters of a part are its key's, where there are any.
        buffer: the parts in UTF-8, with a NUL byte between two.
        said: how many of the parts, the first ones, are what the record is about.
    """

    parts: list[str]
    prefixes: Mapping[int, int]
    buffer: bytes
    said: int

    @cached_property
    def starts(self) -> list[int]:
        """Where each part begins in the buffer."""
        lengths = (len(part.encode()) + 1 for part in self.parts[:-1])
        return list(accumulate(lengths, initial=0))

    def beginning(self) -> bytes:
        """Return the buffer of the parts that the record is about."""
        first = self.parts[: self.said]
        if self.buffer.isascii():
            size = sum(map(len, first))
        else:
            size = sum(len(part.encode()) for part in first)
        return self.buffer[: size + max(0, self.said - 1)]

    def string(self, number: int) -> str:
        """Return a part as the string that it was."""
        return self.parts[number][self.prefixes.get(number, 0) :]

    def parts_at(self, offsets: Iterable[int]) -> Iterator[int]:
        """Yield the number of the part at each offset of the buffer."""
        starts = self.starts
        return (bisect_right(starts, offset) - 1 for offset in offsets)

    def places(self, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
        """Yield the part of each span of the buffer, and where in the string's bytes it lies.

        What lies in a key only is left out.
        """
        starts = self.starts
        for start, end in spans:
            number = bisect_right(starts, start) - 1
            key = self.parts[number][: self.prefixes.get(number, 0)]
            before = starts[number] + len(key.encode())
            if end > before:
                yield number, max(0, start - before), end - before


def texts_of(*values: Any) -> Texts:
    """Return every string in some values as one buffer. Raises `TooDeepError`."""
    strings = Strings()
    for value in values:
        strings.add(value)
    return strings.texts()


def with_strings(value: T, changed: Callable[[str], str]) -> T:
    """Return a value with every string changed, names of keys too."""
    result: Any = value
    if isinstance(value, str):
        result = changed(value)
    elif isinstance(value, dict):
        result = {changed(name): with_strings(item, changed) for name, item in value.items()}
    elif isinstance(value, list | tuple):
        result = type(value)([with_strings(item, changed) for item in value])
    elif value is None or isinstance(value, int | float):
        return value
    elif is_dataclass(value) and not isinstance(value, type):
        new = {f.name: with_strings(getattr(value, f.name), changed) for f in fields(value)}
        result = replace(value, **new)
    return cast(T, result)
