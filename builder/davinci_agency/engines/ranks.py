"""What runs on Slurm's machines: each rank does its share of the items that lie in a folder.

Function, items and results are files there, pickled; only ever ones that this program has written.
A result is there as a whole or not at all, and one that is there is not made again, so a rank may
be killed and started any number of times.
"""

from __future__ import annotations

import os
import pickle
import platform
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from davinci_agency.parallel import keep_memory
from davinci_agency.spooling import own_name


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an item: a value, or what was raised."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class Work:
    """A folder of work to do."""

    folder: Path

    @classmethod
    def write(cls, folder: Path, function: Callable[[Any], Any], items: Iterable[Any]) -> Work:
        """Lay a function and its items down in an empty folder."""
        for name in ("items", "results"):
            (folder / name).mkdir()
        _write(folder / "function", function)
        for number, item in enumerate(items):
            _write(folder / "items" / _name(number), item)
        return cls(folder)

    def function(self) -> Callable[[Any], Any]:
        """Return the function."""
        function: Callable[[Any], Any] = _read(self.folder / "function")
        return function

    def item(self, number: int) -> Any:
        """Return an item."""
        return _read(self.folder / "items" / _name(number))

    def count(self) -> int:
        """Return how many items there are."""
        return sum(1 for _ in (self.folder / "items").iterdir())

    def done(self) -> set[int]:
        """Return the numbers of the items that have an outcome."""
        # Listed, not asked for by name: a network's file system may remember for a minute that a
        # name is not there.
        names = (path.name for path in (self.folder / "results").iterdir())
        return {int(name) for name in names if not name.startswith(".")}

    def outcome(self, number: int) -> Outcome:
        """Return an item's outcome."""
        outcome: Outcome = _read(self.folder / "results" / _name(number))
        return outcome

    def keep(self, number: int, outcome: Outcome) -> None:
        """Write an item's outcome beside its place, and rename it into it."""
        path = self.folder / "results" / _name(number)
        partial = path.with_name(f".{path.name}.{own_name()}")
        _write(partial, outcome)
        partial.replace(path)


@dataclass(frozen=True)
class Ranks:
    """A step of a datatrove pipeline: some items of a folder of work, dealt out to the ranks."""

    work: Work
    numbers: tuple[int, ...]

    def __call__(self, _: object, rank: int, world_size: int) -> None:
        """Do a rank's items that are not done yet."""
        keep_memory()
        function = self.work.function()
        done = self.work.done()
        for number in self.numbers[rank::world_size]:
            if number not in done:
                self.work.keep(number, _outcome(function, self.work.item(number)))


def _outcome(function: Callable[[Any], Any], item: Any) -> Outcome:
    try:
        return Outcome(value=function(item))
    except Exception as error:
        error.add_note(f"On {platform.node()}:\n{traceback.format_exc()}")
        return Outcome(error=error)


def _name(number: int) -> str:
    return f"{number:07d}"


def _write(path: Path, value: Any) -> None:
    with path.open("wb") as file:
        pickle.dump(value, file)
        file.flush()
        # Or else a machine that fails could leave a name with nothing behind it.
        os.fsync(file.fileno())


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301
