"""Work spread over processes or threads, with the results in the order of the work."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import lru_cache, partial
from importlib.abc import MetaPathFinder
from itertools import chain, cycle, islice
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""As glibc's malloc.h has them."""
_LARGE_BYTES, _KEPT_BYTES = 32 << 20, 128 << 20
_AHEAD = 2
"""Items in flight per worker: enough to keep it busy, few enough to bound memory."""


class Engine(Protocol):
    """Where work is done: by processes of this machine (`Pool`), or of others.

    Attributes:
        workers: how many pieces of work it does at once.
        scratch: the folder of files that all workers read and write while work is done; ``None``
            where the system's own will do.
    """

    workers: int
    scratch: Path | None

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """Yield ``function(item)`` for every item, in order.

        Function, items and results must be picklable, and a function may be called twice for an
        item whose worker died: it must leave the same behind both times. What it raises is raised
        here.
        """
        ...


class Pool:
    """Processes for one piece of work after the other; none starts before it is needed.

    With one worker, or for a single item, everything happens here.
    """

    scratch: Path | None = None

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self._processes: ProcessPoolExecutor | None = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._processes is not None:
            self._processes.shutdown(cancel_futures=True)

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """Yield ``function(item)`` for every item, in order, computed by all processes at once.

        Function, items and results must be picklable. At most two results a worker wait to be
        taken.
        """
        rest = iter(items)
        first = list(islice(rest, 2))
        if self.workers <= 1 or len(first) < 2:
            yield from map(function, chain(first, rest))
            return
        with tempfile.NamedTemporaryFile(prefix="davinci-agency-") as file:
            file.write(pickle.dumps(function))
            file.flush()
            yield from self._map(Path(file.name), chain(first, rest))

    def _map(self, function: Path, items: Iterable[Any]) -> Iterator[Any]:
        pool = self._started()
        waiting: deque[Future[Any]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_do, function, item))
                if len(waiting) >= self.workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            # The function's file is about to go, and somebody may still have to read it.
            wait(waiting)

    def _started(self) -> ProcessPoolExecutor:
        if self._processes is None:
            # Spawned, not forked: a fork copies the locks that other threads hold.
            context = multiprocessing.get_context("spawn")
            self._processes = ProcessPoolExecutor(self.workers, context, _begin)
        return self._processes


HERE = Pool()
"""No other processes."""


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


def keep_memory() -> None:
    """Keep what is freed in this process for what comes next.

    Lines and columns are large; whoever gives each back to the system takes new pages for the next,
    which may take longer than all that is done with them.
    """
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "-1")  # read when pyarrow is imported
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _begin() -> None:
    """Make this process a worker: one thread that soon begins."""
    keep_memory()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported
    sys.meta_path.insert(0, _NoPandas())


def use_arrow_alone() -> None:
    """Let pyarrow believe that there is no pandas, in this process from now on.

    It imports pandas to know its arrays when it first takes a list: 0.3 s and 35 MB. Others can
    still import it.
    """
    hidden = _NoPandas()
    sys.meta_path.insert(0, hidden)
    try:
        import pyarrow as pa

        pa.array([])
    finally:
        sys.meta_path.remove(hidden)


class _NoPandas(MetaPathFinder):
    """Keeps pandas out of a worker, which has no use for it (see `use_arrow_alone`)."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname == "pandas":
            raise ImportError("pandas is kept out")


def _do(function: Path, item: Any) -> Any:
    return _function(function)(item)


@lru_cache(1)
def _function(path: Path) -> Callable[[Any], Any]:
    # Sent once, in a file, since it may hold much; only ever one that this program has written.
    function: Callable[[Any], Any] = pickle.loads(path.read_bytes())  # noqa: S301
    return function


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
