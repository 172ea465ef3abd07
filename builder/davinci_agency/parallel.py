"""Work spread over processes or threads, with the results in the order of the work."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2
"""Items in flight per worker: enough to keep it busy, few enough to bound memory."""


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    *,
    threads: bool = False,
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order, computed by ``workers`` at once.

    At most two results a worker wait to be taken. With one worker everything happens here. The
    workers are processes, for which function, items and results must be picklable, or threads,
    where most of the work is done elsewhere.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    with _pool(workers, threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _pool(workers: int, threads: bool) -> Executor:
    if threads:
        return ThreadPoolExecutor(workers)
    # Spawned, not forked: a fork copies the locks that other threads hold.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
