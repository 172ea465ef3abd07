"""Which pull request a commit belongs to, also by the beginning of its name; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

_SHORTEST = 7
"""Hexadecimal digits at least to which people shorten a name."""


class CommitIndex:
    """The numbers of the pull requests that commits belong to."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._names: list[str] | None = None

    def number(self, target: int | str) -> int | None:
        """Return a number as it is, and of a commit, perhaps shortened, its pull request's.

        ``None`` if it is no commit of a pull request, or may be one of several.

        >>> CommitIndex({"12ab34cd": 5}).number("12ab34c")
        5
        """
        if isinstance(target, int):
            return target
        if target in self._numbers or len(target) < _SHORTEST:
            return self._numbers.get(target)
        if self._names is None:
            self._names = sorted(self._numbers)
        place = bisect_left(self._names, target)
        fitting = [name for name in self._names[place : place + 2] if name.startswith(target)]
        return self._numbers[fitting[0]] if len(fitting) == 1 else None
