"""The sketches of texts laid out on disk, each text's words from the rarest on, for `join`.

Any order of values that is the same for all texts will do, so rarity is only estimated: values that
meet in one of some million counters are as rare as all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel
from davinci_agency.curate.mapped import Growing, mapped
from davinci_agency.curate.sketches import Sample, Sketch, Values

_MOST_COUNTER_BITS = 24
_ODD = np.uint64(0x9E3779B1)


class Flat(NamedTuple):
    """Samples one behind the other: that of text n is at [starts[n], starts[n + 1])."""

    values: Values
    starts: NDArray[np.int64]
    rates: NDArray[np.uint8]


class Texts(NamedTuple):
    """What is known of texts.

    Attributes:
        words, pairs: their sketches.
        rare: the words again, those of each text from the rarest on.
    """

    words: Flat
    pairs: Flat
    rare: Values


class _Laying:
    """Samples that are laid one behind the other."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._values = stack.enter_context(Growing(np.uint32, folder))
        self._ends = stack.enter_context(Growing(np.int64, folder))
        self._rates = stack.enter_context(Growing(np.uint8, folder))
        self._end = 0
        self._ends.append(np.zeros(1, np.int64))

    def lay(self, sample: Sample) -> None:
        """Put a sample behind the others."""
        self._end += sample.values.size
        self._values.append(sample.values)
        self._ends.append(np.array([self._end]))
        self._rates.append(np.array([sample.rate], np.uint8))

    def whole(self) -> Flat:
        """Return all samples."""
        return Flat(self._values.whole(), self._ends.whole(), self._rates.whole())


def lay_out(sketches: Iterable[Sketch], folder: Path) -> Texts:
    """Return texts, given their sketches; what is known of them lies in a folder."""
    with ExitStack() as stack:
        words, pairs = _Laying(stack, folder), _Laying(stack, folder)
        for sketch in sketches:
            words.lay(sketch.words)
            pairs.lay(sketch.pairs)
        flat = words.whole()
        rare = mapped(flat.values.size, np.uint32, folder)
        _order_by_rarity(flat, _counted(flat.values), rare)
        return Texts(flat, pairs.whole(), rare)


def _counted(values: Values) -> NDArray[np.uint32]:
    bits = min(_MOST_COUNTER_BITS, max(10, 1 + values.size.bit_length()))
    counters = np.zeros(1 << bits, dtype=np.uint32)
    _count(values, counters)
    return counters


@kernel
def _counter(value: np.uint32, counters: NDArray[np.uint32]) -> np.uint64:
    return (np.uint64(value) * _ODD) & np.uint64(counters.size - 1)


@kernel
def _count(values: Values, counters: NDArray[np.uint32]) -> None:
    for value in values:
        counters[_counter(value, counters)] += np.uint32(1)


@kernel
def _order_by_rarity(words: Flat, counters: NDArray[np.uint32], rare: Values) -> None:
    """Write each text's values, those first that the fewest texts hold."""
    for one in range(words.starts.size - 1):
        start, end = words.starts[one], words.starts[one + 1]
        held = np.empty(end - start, dtype=np.uint32)
        for place in range(held.size):
            held[place] = counters[_counter(words.values[start + place], counters)]
        # Stable: of two that are equally rare the lower one comes first, in every text.
        order = np.argsort(held, kind="mergesort")
        for place in range(held.size):
            rare[start + place] = words.values[start + order[place]]
