"""Arrays that lie in nameless files, mapped into memory: the system keeps there what fits."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from davinci_agency.errors import no_room

S = TypeVar("S", bound=np.generic)


def mapped(size: int, dtype: type[S], folder: Path) -> NDArray[S]:
    """Return zeros in a file of a folder, which is gone with the last who holds the array.

    Raises `OutputError` if there is no room for it.
    """
    if size == 0:
        return np.zeros(0, dtype)
    with _open(folder) as file, _explained(folder):
        _reserve(file, size * np.dtype(dtype).itemsize)
        return _map(file, dtype, size)


def _open(folder: Path) -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile(dir=folder))


def _reserve(file: BinaryIO, size: int) -> None:
    """Make a file so many bytes long: who writes to a mapped page without room is killed."""
    if sys.platform == "darwin":
        file.truncate(size)
    else:
        os.posix_fallocate(file.fileno(), 0, size)


def _map(file: BinaryIO, dtype: type[S], size: int) -> NDArray[S]:
    return np.asarray(np.memmap(file, np.dtype(dtype), "r+", shape=(size,)))


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise no_room(folder, error.strerror or error) from error


class Growing(Generic[S]):
    """An array that is appended to, and read when it is whole.

    Its methods raise `OutputError` if there is no room for it.
    """

    def __init__(self, dtype: type[S], folder: Path) -> None:
        self._dtype = dtype
        self._folder = folder
        self._file = _open(folder)
        self._size = 0

    def __enter__(self) -> Growing[S]:
        return self

    def __exit__(self, *_: object) -> None:
        # What was never written need not be written now.
        with suppress(OSError):
            self._file.close()

    def append(self, values: NDArray[S]) -> None:
        """Put values behind the others."""
        with _explained(self._folder):
            self._file.write(values.tobytes())
        self._size += values.size

    def whole(self) -> NDArray[S]:
        """Return all values."""
        if self._size == 0:
            return np.zeros(0, self._dtype)
        with _explained(self._folder):
            self._file.flush()
        return _map(self._file, self._dtype, self._size)
