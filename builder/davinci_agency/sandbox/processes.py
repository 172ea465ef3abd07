"""The processes of a job: which they are, what they hold, and their end; read from ``/proc``."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def family(root: int, mark: bytes | None = None) -> list[int]:
    """Return a process and its descendants that are alive, parents first.

    With a ``mark``, also those whose environment holds it: their parents may be gone.
    """
    children: dict[int, list[int]] = defaultdict(list)
    alive: set[int] = set()
    marked: list[int] = []
    for pid, parent, state in _processes():
        if state in "ZX":
            continue
        alive.add(pid)
        children[parent].append(pid)
        if mark and _has_mark(pid, mark):
            marked.append(pid)
    found: dict[int, None] = {}
    waiting = [*marked, root]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            if pid in alive:
                found[pid] = None
            waiting.extend(children[pid])
    return list(found)


def memory(pids: list[int]) -> int:
    """Return the bytes that some processes hold for themselves, together."""
    total = 0
    for pid in pids:
        with suppress(*_GONE):
            # size, resident, shared: what is shared is mostly programs and libraries.
            fields = (_PROC / str(pid) / "statm").read_bytes().split()
            total += max(int(fields[1]) - int(fields[2]), 0) * _PAGE
    return total


def kill(pids: list[int]) -> None:
    """End processes at once; those that are gone already are passed over."""
    for pid in pids:
        with suppress(*_GONE):
            os.kill(pid, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, int, str]]:
    for name in [path.name for path in _PROC.iterdir()]:
        if name.isdigit():
            with suppress(*_GONE):
                # The name of the program, in brackets, may hold spaces and brackets.
                rest = (
                    (_PROC / name / "stat").read_text(errors="replace").rpartition(")")[2].split()
                )
                yield int(name), int(rest[1]), rest[0]


def _has_mark(pid: int, mark: bytes) -> bool:
    with suppress(*_GONE):
        return mark in (_PROC / str(pid) / "environ").read_bytes()
    return False
