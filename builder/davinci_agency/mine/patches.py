"""The patches of many pull requests, read by several git processes at once, in order.

Git does nearly all of the work in processes of its own, so threads are enough to keep them busy,
and nothing has to be sent between processes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from threading import Lock
from typing import TypeVar

from davinci_agency.errors import DataError
from davinci_agency.mine.diffs import Diff, Omit, parse_diff
from davinci_agency.parallel import in_turn
from davinci_agency.repository.differ import Differ, DiffStoppedError
from davinci_agency.repository.overlay import Overlay, Pair

_BATCH = 120
"""Pairs to ask for at once. Their names, of 41 or 65 bytes each, fit into any pipe twice."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Patches:
    """Reads the diffs of pairs of commits; made for all the pairs that will be asked for."""

    def __init__(
        self,
        overlay: Overlay,
        pairs: Sequence[Pair],
        generated: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._overlay = overlay
        self._pairs = pairs
        self._omit = Omit(generated=generated)
        self._lock = Lock()

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
        batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]

        def lane(batches: Sequence[Sequence[Item]]) -> Generator[list[Result]]:
            with closing(Differ(self._overlay)) as differ:
                differ.ask([pair_of(item) for item in batches[0]])
                for batch, following in pairwise([*batches, []]):
                    # So git is at work while this batch is parsed.
                    differ.ask([pair_of(item) for item in following])
                    diffs = self._read(differ, len(batch))
                    yield [make(item, diff) for item, diff in zip(batch, diffs, strict=True)]

        lanes = min(workers, len(batches))
        with closing(in_turn([lane(batches[place::lanes]) for place in range(lanes)])) as turns:
            for results in turns:
                yield from results

    def _read(self, differ: Differ, count: int) -> Iterator[Diff]:
        parsed = 0
        try:
            for diff in self._parse(differ, count):
                parsed += 1
                yield diff
        except DiffStoppedError:
            # Most likely a blob is missing; then git begins again, with stand-ins.
            differ.restart(self._stand_in)
            try:
                yield from self._parse(differ, count - parsed)
            except DiffStoppedError as error:
                raise DataError(
                    f"git diff-tree failed: {error} If the clone is damaged, git fsck tells where."
                ) from error

    def _parse(self, differ: Differ, count: int) -> Iterator[Diff]:
        for printed, is_whole in differ.answers(count):
            yield parse_diff(printed, self._omit, is_whole=is_whole)

    def _stand_in(self) -> None:
        with self._lock:
            if not self._omit.missing:
                missing = self._overlay.stand_in_for_missing(self._pairs)
                self._omit = Omit(missing, self._omit.generated)
