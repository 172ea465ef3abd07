"""Lines where they stand in files, and new ones kept in a folder until they are asked for.

Any process that sees the files reads a line again by its location. What a process keeps goes into a
file of its own, so that none waits for another, and none that dies spoils what others wrote.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

_PROGRAM = uuid.uuid4().hex
"""Tells processes of several machines apart, of which some may have the same number."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a record's line stands, so that any process can read it again."""

    path: Path
    offset: int
    length: int


class LineReader:
    """Reads lines where they stand, and keeps the files open until it is closed.

    Any thread may read.
    """

    def __init__(self) -> None:
        self._files: dict[Path, BinaryIO] = {}
        self._opening = Lock()

    def __enter__(self) -> LineReader:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def read(self, location: Location) -> bytes:
        """Return the bytes of a line."""
        with self._opening:
            if location.path not in self._files:
                self._files[location.path] = location.path.open("rb")
        file = self._files[location.path].fileno()
        parts: list[bytes] = []
        left = location.length
        while left and (part := os.pread(file, left, location.offset + location.length - left)):
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Spool:
    """Keeps lines in a file of this process; made by `open_spool`."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def keep(self, line: bytes) -> Location:
        """Write a line, and return where it stands; to be read when the spool is closed."""
        location = Location(self._path, self._file.tell(), len(line))
        self._file.write(line)
        return location


@contextmanager
def open_spool(folder: Path) -> Iterator[Spool]:
    """Open this process's file in a folder, behind what it has kept there before."""
    path = folder / own_name()
    with path.open("ab") as file:
        yield Spool(path, file)


def own_name() -> str:
    """Return a name that no other process has, on any machine."""
    return f"{_PROGRAM}-{os.getpid()}"
