"""Work done by the tasks of a Ray cluster that is there already."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import ray
from ray._private import worker as ray_worker
from ray.exceptions import RayError, RayTaskError

from davinci_agency.errors import CommandError, RemoteError
from davinci_agency.parallel import Item, Result, keep_memory

_RETRIES = 3
"""How often an item is given to another worker after its own has died."""
_AHEAD = 2
"""Items in flight per worker."""


@contextmanager
def open_ray(workers: int, scratch: Path) -> Iterator[RayCluster]:
    """Join the cluster that ``RAY_ADDRESS`` names, or else this machine's, and leave it again.

    Raises `CommandError` if there is none: none is started here.
    """
    # Ray prints what it hears of lost workers to standard output, whatever it is asked for.
    ray_worker._worker_logs_enabled = False
    try:
        with _own_signals():
            _join()
        yield RayCluster(workers, scratch)
    finally:
        ray.shutdown()
        ray_worker._worker_logs_enabled = True


def _join() -> None:
    # Workers import what this process does; Ray itself tells them only where its script is.
    shared = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    try:
        ray.init(
            os.environ.get("RAY_ADDRESS", "auto"),
            runtime_env={"env_vars": shared} if shared else None,
            logging_level="ERROR",
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError) as error:
        raise CommandError(
            f"No Ray cluster could be joined ({error}); start one with 'ray start --head', or name "
            "its address in RAY_ADDRESS."
        ) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Let this process end as it did before: Ray would have it end on the spot, uncleaned."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class RayCluster:
    """The engine of a cluster that was joined: an item is a task that takes one processor.

    Up to twice as many items as workers are in flight, and a cluster with room for all of them
    does them all at once. Results lie in Ray's object store until they are taken.
    """

    def __init__(self, workers: int, scratch: Path | None) -> None:
        self.workers = workers
        self.scratch = scratch

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """Yield ``function(item)`` for every item, in order, computed by all workers at once.

        An item whose worker died is done by another one. Raises `RemoteError` if that doesn't help.
        """
        # In a list, or else Ray would hand every task a copy of its own.
        sent = [ray.put(function)]
        waiting: deque[Any] = deque()
        try:
            for item in items:
                waiting.append(_task.remote(sent, item))
                if len(waiting) >= self.workers * _AHEAD:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            for task in waiting:
                ray.cancel(task)
            if waiting:
                # Whoever called may be about to remove what they still write to.
                ray.wait([*waiting], num_returns=len(waiting))


def _result(task: Any) -> Any:
    try:
        return ray.get(task)
    except RayTaskError as error:
        raise error.cause from error
    except RayError as error:
        raise RemoteError(
            f"Ray lost an item's worker {_RETRIES + 1} times, or the machine with its result "
            f"({error}); look at 'ray status' and at the memory of its machines, and run it again."
        ) from error


def _do(sent: list[Any], item: Any) -> Any:
    keep_memory()
    return _function(sent[0])(item)


_task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_do)


@lru_cache(1)
def _function(sent: Any) -> Callable[[Any], Any]:
    function: Callable[[Any], Any] = ray.get(sent)
    return function
