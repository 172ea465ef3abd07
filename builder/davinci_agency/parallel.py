"""Work spread over processes or threads, with the results in the order of the work."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2
"""Items in flight per worker: enough to keep it busy, few enough to bound memory."""


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order, computed by ``workers`` processes at once.

    Function, items and results must be picklable. At most two results a worker wait to be taken.
    With one worker everything happens here.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    # Spawned, not forked: a fork copies the locks that other threads hold.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _take, (function,)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_do, item))
                if len(waiting) >= workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def threaded_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order, computed by ``workers`` threads at once.

    Items are taken here, at most two a worker ahead of what is yielded. With one worker everything
    happens here. ``stop`` is called when nothing more is wanted, also where something went wrong:
    it should end what is still being computed, since threads are waited for.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            stop()
            for future in waiting:
                future.cancel()


_taken: Callable[[Any], Any]
"""What a worker does; it is sent once, since it may hold much."""


def _take(function: Callable[[Any], Any]) -> None:
    global _taken
    _taken = function


def _do(item: Any) -> Any:
    return _taken(item)


def in_turn(lanes: Sequence[Generator[Item]]) -> Generator[Item]:
    """Yield the next item, never None, of each generator in turn, each run in a thread of its own.

    Ends with the first that has no more, and closes all. At most two items of each wait to be
    taken. A single generator runs here.
    """
    if len(lanes) < 2:
        for lane in lanes:
            yield from lane
        return
    with ExitStack() as stack:
        pools = []
        for lane in lanes:
            stack.callback(lane.close)
            pools.append(stack.enter_context(ThreadPoolExecutor(1)))
        steps = [partial(next, lane, None) for lane in lanes]
        waiting = deque(
            pool.submit(step)
            for _ in range(_AHEAD)
            for pool, step in zip(pools, steps, strict=True)
        )
        stack.callback(lambda: [future.cancel() for future in waiting])
        for pool, step in cycle(zip(pools, steps, strict=True)):
            item = waiting.popleft().result()
            if item is None:
                return
            waiting.append(pool.submit(step))
            yield item
