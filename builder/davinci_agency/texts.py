"""Every string in a record, as one text that is searched once; pure.

A record of a hundred tool calls holds thousands of strings. Joined by NUL bytes they are one buffer
that fast code passes over, and a place in the buffer tells which string it is in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import accumulate
from typing import Any, TypeVar, cast

T = TypeVar("T")

NUL = b"\0"
_SHORT = 256
"""A string that is longer is no value of a setting."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Some strings as one buffer.

    Attributes:
        parts: the strings, as they stand in the buffer: a short one that has a key behind ``key=``.
        shown: how many bytes of each part are not the string's own.
        buffer: the parts in UTF-8, with a NUL byte between two.
    """

    parts: tuple[bytes, ...]
    shown: tuple[int, ...]
    buffer: bytes

    @classmethod
    def of(cls, strings: Iterable[tuple[str, str]]) -> Texts:
        """Return strings with their keys (empty where there is none) as one buffer."""
        parts: list[bytes] = []
        shown: list[int] = []
        for key, string in strings:
            raw = string.encode()
            if key and len(raw) <= _SHORT:
                prefix = f"{key}=".encode()
                parts.append(prefix + raw)
                shown.append(len(prefix))
            else:
                parts.append(raw)
                shown.append(0)
        return cls(tuple(parts), tuple(shown), NUL.join(parts))

    def first(self, number: int) -> Texts:
        """Return the first parts alone."""
        parts = self.parts[:number]
        size = sum(map(len, parts)) + max(0, number - 1)
        return Texts(parts, self.shown[:number], self.buffer[:size])

    def starts(self) -> list[int]:
        """Return where each part begins in the buffer."""
        return list(accumulate((len(part) + 1 for part in self.parts[:-1]), initial=0))

    def string(self, number: int) -> str:
        """Return a part as the string that it was."""
        return self.parts[number][self.shown[number] :].decode()

    def parts_at(self, offsets: Iterable[int]) -> Iterator[int]:
        """Yield the number of the part at each offset of the buffer."""
        starts = self.starts()
        return (bisect_right(starts, offset) - 1 for offset in offsets)

    def places(self, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
        """Yield the part of each span of the buffer, and where in the string's bytes it lies.

        What lies in a key only is left out.
        """
        starts = self.starts()
        for start, end in spans:
            number = bisect_right(starts, start) - 1
            before = starts[number] + self.shown[number]
            if end > before:
                yield number, max(0, start - before), end - before


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string in a value with the key that it has, names of keys too.

    Objects come in the order of their keys, so that it does not depend on who wrote them.
    """
    kind = type(value)
    if kind is str:
        yield key, value
    elif kind is dict:
        for name in sorted(value):
            yield "", name
            yield from strings(value[name], name)
    elif kind is list or kind is tuple:
        for item in value:
            yield from strings(item, key)
    elif is_dataclass(value):
        for field in fields(value):
            yield from strings(getattr(value, field.name), field.name)


def paths(value: Any, path: str = "$") -> Iterator[str]:
    """Yield where each of the `strings` of a JSON value stands; a name of a key where its value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name in sorted(value):
            yield f"{path}.{name[:40]}"
            yield from paths(value[name], f"{path}.{name[:40]}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from paths(item, f"{path}[{number}]")


def with_strings(value: T, changed: Callable[[str], str]) -> T:
    """Return a value with every string changed, names of keys too; what is unchanged is shared."""
    result: Any = value
    if isinstance(value, str):
        result = changed(value)
    elif isinstance(value, Mapping):
        result = {changed(name): with_strings(item, changed) for name, item in value.items()}
    elif isinstance(value, list | tuple):
        result = type(value)(with_strings(item, changed) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        new = {f.name: with_strings(getattr(value, f.name), changed) for f in fields(value)}
        result = replace(value, **new)
    return cast(T, result)
