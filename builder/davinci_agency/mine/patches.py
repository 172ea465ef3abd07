"""The patches of many pull requests, read by several git processes at once, in order.

Git does nearly all of the work in processes of its own, so threads are enough to keep them busy,
and nothing has to be sent between processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Lock
from typing import TypeVar

from davinci_agency.errors import DataError
from davinci_agency.mine.diffs import Diff, Omit, parse_diff
from davinci_agency.mine.overlay import Differ, DiffStoppedError, Overlay, Pair
from davinci_agency.parallel import ordered_map

_BATCH = 120
"""Pairs at once to one git process: their names, of 41 or 65 bytes, fit into any pipe."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Patches:
    """Reads the diffs of pairs of commits; made for all the pairs that will be asked for."""

    def __init__(self, overlay: Overlay, pairs: Sequence[Pair], generated: frozenset[str]) -> None:
        self._overlay = overlay
        self._pairs = pairs
        self._omit = Omit(generated=generated)
        self._lock = Lock()
        self._idle: SimpleQueue[Differ] = SimpleQueue()

    @property
    def missing(self) -> frozenset[str]:
        """The blobs that were found to be absent."""
        return self._omit.missing

    def each(
        self,
        items: Sequence[Item],
        pair_of: Callable[[Item], Pair],
        make: Callable[[Item, Diff], Result],
        workers: int,
    ) -> Iterator[Result]:
        """Yield ``make(item, diff)`` for every item, in order, made by ``workers`` threads."""

        def work(batch: Sequence[Item]) -> list[Result]:
            diffs = self._read([pair_of(item) for item in batch])
            return [make(item, diff) for item, diff in zip(batch, diffs, strict=True)]

        batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
        with ExitStack() as stack:
            for _ in range(workers):
                self._start(stack)
            for results in ordered_map(work, batches, workers, threads=True):
                yield from results

    def _start(self, stack: ExitStack) -> None:
        differ = Differ(self._overlay)
        stack.callback(differ.close)
        self._idle.put(differ)

    def _read(self, pairs: Sequence[Pair]) -> list[Diff]:
        differ = self._idle.get()
        try:
            return self._parse(differ, pairs)
        except DiffStoppedError:
            # Most likely a blob is missing; then the processes begin again, with stand-ins.
            differ.restart(self._stand_in)
            try:
                return self._parse(differ, pairs)
            except DiffStoppedError as error:
                raise DataError(
                    f"git diff-tree failed: {error} If the clone is damaged, git fsck tells where."
                ) from error
        finally:
            self._idle.put(differ)

    def _parse(self, differ: Differ, pairs: Sequence[Pair]) -> list[Diff]:
        printed = differ.diffs(pairs)
        return [parse_diff(block, self._omit, is_whole=is_whole) for block, is_whole in printed]

    def _stand_in(self) -> None:
        with self._lock:
            if not self._omit.missing:
                missing = self._overlay.stand_in_for_missing(self._pairs)
                self._omit = Omit(missing, self._omit.generated)
