"""Which files the repository itself calls generated or vendored, asked of git path by path."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from davinci_agency.repository.overlay import Overlay

_NAMES = ("linguist-generated", "linguist-vendored")


def read_attributes(overlay: Overlay, tip: str) -> str:
    """Return what stands for the attributes of generated files at a commit; empty if none.

    `open_attributes` then answers by them.
    """
    blobs = overlay.read_index(tip)
    says_so = b"linguist-" in overlay.blobs(name for name, _ in blobs)
    return repr(blobs) if says_so else ""


class Attributes:
    """One ``git check-attr`` for many paths; for any thread."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self._lock = Lock()
        self._known: dict[bytes, bool] = {}

    def is_generated(self, path: bytes) -> bool:
        """Tell whether a path, quoted as git prints it, is called generated or vendored."""
        known = self._known.get(path)
        if known is None:
            with self._lock:
                known = self._known[path] = self._ask(path)
        return known

    def _ask(self, path: bytes) -> bool:
        # Told of quoted names without -z, git takes the quotes off; it answers each path at once.
        self._process.stdin.write(path + b"\n")
        self._process.stdin.flush()
        told = [self._process.stdout.readline() for _ in _NAMES]
        return any(line.endswith((b": set\n", b": true\n")) for line in told)


@contextmanager
def open_attributes(overlay: Overlay) -> Iterator[Attributes]:
    """Start answering by the attributes that `read_attributes` read, and stop in the end."""
    arguments = ["check-attr", "--cached", "--stdin", *_NAMES]
    process = overlay.start(arguments, subprocess.PIPE, overlay.with_index)
    try:
        yield Attributes(process)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.stderr.close()
        process.proc.wait()
