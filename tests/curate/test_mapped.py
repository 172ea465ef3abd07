"""Arrays on disk: what was put there is there, no file is left, and a full disk is told."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from davinci_agency.curate.mapped import Growing, mapped
from davinci_agency.errors import OutputError


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let the system refuse larger files."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_appended_is_there_and_its_file_has_no_name(tmp_path: Path) -> None:
    with Growing(np.uint32, tmp_path) as growing:
        for first in range(0, 90_000, 1_000):
            growing.append(np.arange(first, first + 1_000, dtype=np.uint32))
        whole = growing.whole()
    zeros = mapped(90_000, np.int64, tmp_path)
    assert not zeros.any()
    zeros[:] = whole
    assert zeros.tolist() == list(range(90_000))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_an_array_too(tmp_path: Path) -> None:
    with Growing(np.uint8, tmp_path) as growing:
        assert growing.whole().size == 0
    assert mapped(0, np.uint8, tmp_path).size == 0


def _fill(growing: Growing[np.int64]) -> None:
    for _ in range(9):
        growing.append(np.zeros(1 << 12, np.int64))
    growing.whole()


def test_where_there_is_no_room_the_folder_is_named(tmp_path: Path) -> None:
    told = rf"{tmp_path}: File too large; free some space"
    with no_file_above(1 << 16), Growing(np.int64, tmp_path) as growing:
        with pytest.raises(OutputError, match=told):
            mapped(1 << 16, np.int64, tmp_path)
        with pytest.raises(OutputError, match=told):
            _fill(growing)
