"""Which texts hold a value, for more texts than memory holds: sorted in parts, on disk.

A posting is one number of 64 bits, the value above the text, so to sort numbers is to bring the
texts of a value together.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.mapped import Growing, mapped

CELL_BITS = 16

_PART_POSTINGS = 1 << 22
"""So many are sorted in memory at once."""
_MOST_PART_BITS = 9
"""Each part is an open file."""


class Postings(NamedTuple):
    """Postings in ascending order, and a directory.

    Attributes:
        held: the postings.
        begins: where those of each cell begin; a cell is what the highest `CELL_BITS` bits are.
    """

    held: NDArray[np.uint64]
    begins: NDArray[np.int64]


def sort_postings(chunks: Iterable[NDArray[np.uint64]], expected: int, folder: Path) -> Postings:
    """Return postings in order, given in any; ``expected`` is about how many they are.

    They are as good as evenly distributed. In memory are 32 MB of them, or a 512th.
    """
    bits = min(_MOST_PART_BITS, (expected // _PART_POSTINGS).bit_length())
    bounds = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    cells = np.arange(1 << CELL_BITS, dtype=np.uint64) << np.uint64(64 - CELL_BITS)
    lengths = np.zeros(cells.size, dtype=np.int64)
    with ExitStack() as stack:
        parts = [stack.enter_context(Growing(np.uint64, folder)) for _ in range(1 << bits)]
        for chunk in chunks:
            ordered = np.sort(chunk)
            lengths += np.diff(np.searchsorted(ordered, cells), append=ordered.size)
            pieces = np.split(ordered, np.searchsorted(ordered, bounds))
            for part, piece in zip(parts, pieces, strict=True):
                part.append(piece)
        begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        held = mapped(int(begins[-1]), np.uint64, folder)
        end = 0
        for part in parts:
            piece = np.sort(part.whole())
            held[end : end + piece.size] = piece
            end += piece.size
    return Postings(held, begins)
