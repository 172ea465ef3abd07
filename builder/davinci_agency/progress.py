"""How a stage tells how far it is, without knowing who watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Somebody who watches a stage: a bar in a terminal, or nobody."""

    def start(self, what: str, total: int | None) -> None:
        """Begin something of ``total`` steps; ``None`` when nobody can know."""

    def advance(self, steps: int = 1) -> None:
        """Say that ``steps`` more are done."""

    def say(self, note: str) -> None:
        """Show a short note beside what is going on."""


class Silent:
    """Nobody watches."""

    def start(self, what: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1) -> None:
        """Do nothing."""

    def say(self, note: str) -> None:
        """Do nothing."""


SILENT = Silent()


def track(items: Iterable[T], progress: Progress, what: str, total: int | None) -> Iterator[T]:
    """Yield the items, and tell ``progress`` of each one after it was used."""
    progress.start(what, total)
    for item in items:
        yield item
        progress.advance()
