"""Python's search for cycles of garbage, held back where millions of objects make none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 100_000
"""New objects between two looks."""


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Look for cycles of garbage rarely: what is read from a file is a tree, and is none."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
