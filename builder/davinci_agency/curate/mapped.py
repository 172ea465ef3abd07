"""Arrays that lie in nameless files, mapped into memory: the system keeps there what fits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)


def mapped(size: int, dtype: type[S], folder: Path) -> NDArray[S]:
    """Return zeros in a file of a folder, which is gone with the last who holds the array."""
    if size == 0:
        return np.zeros(0, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        return _map(file, dtype, "w+", size)


def _map(file: Any, dtype: type[S], mode: Any, size: int) -> NDArray[S]:
    return np.asarray(np.memmap(file, np.dtype(dtype), mode, shape=(size,)))


class Growing(Generic[S]):
    """An array that is appended to, and read when it is whole."""

    def __init__(self, dtype: type[S], folder: Path) -> None:
        self._dtype = dtype
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed on exit
        self._size = 0

    def __enter__(self) -> Growing[S]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, values: NDArray[S]) -> None:
        """Put values behind the others."""
        self._file.write(values.tobytes())
        self._size += values.size

    def whole(self) -> NDArray[S]:
        """Return all values."""
        self._file.flush()
        if self._size == 0:
            return np.zeros(0, self._dtype)
        return _map(self._file, self._dtype, "r+", self._size)
