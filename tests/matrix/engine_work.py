"""Work given to an engine, one kind a run, and what came of it printed as JSON.

    python -m tests.matrix.engine_work ENGINE KIND FOLDER

Run by the test beside it in an environment that has the engines' packages.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.card import write_card
from davinci_agency.engines import EngineName, open_engine
from davinci_agency.errors import RemoteError
from davinci_agency.parallel import Engine
from tests.benchmarks.publish_again import rows, sources
from tests.command import tree
from tests.samples import example, task, write_lines

COUNT, MANY = 40, 150
MEGABYTES = 40
SLURM = {"partition": "any", "time": "0:10:00", "comment": "tests"}


def square(number: int) -> int:
    """Take a moment for a square."""
    time.sleep(0.05)
    return number * number


def kill_at_five(number: int) -> int:
    """Kill whoever comes to one item, every time."""
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse_five(number: int) -> int:
    """Raise an error at one item."""
    if number == 5:
        raise ValueError("five")
    return number


def mark_and_square(folder: Path, number: int) -> int:
    """Leave a file, so that somebody sees how far the work is, and by how many."""
    (folder / f"item-{number}-by-{os.getpid()}").touch()
    time.sleep(0.1)
    return square(number)


def dying_once(function: Callable[[Any], Any], mark: Path, item: Any) -> Any:
    """Call a function; whoever does so first is killed while it does, or before it can tell."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return function(item)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGKILL)).start()
    function(item)
    time.sleep(60)
    raise AssertionError("alive")


class Deadly:
    """An engine that loses a worker in each piece of work."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.workers = engine.workers
        self.scratch = engine.scratch
        self.deaths: list[Path] = []
        self._engine = engine
        self._folder = folder

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any]
    ) -> Generator[Any, None, None]:
        """Map a function that kills one of its workers."""
        mark = self._folder / f"death-{len(self.deaths)}"
        self.deaths.append(mark)
        return self._engine.map(partial(dying_once, function, mark), items)


def inputs(folder: Path) -> BuildInputs:
    """Return the files of a release with several configs, made once."""
    pulls, tasks, attempts = (folder / f"{name}.jsonl" for name in ("pulls", "tasks", "attempts"))
    if not attempts.exists():
        dice = random.Random(8)  # noqa: S311
        write_lines(pulls, [example("pull-request")])
        write_lines(tasks, [task("task-1")])
        judge = {"name": "unittest", "rationale": None}
        given = enumerate(rows(MEGABYTES, sources(), dice))
        some = ({**row, "score": 1.0, "judge": judge} if n % 2 else row for n, row in given)
        write_lines(attempts, some)
    return BuildInputs(pulls=(pulls,), tasks=(tasks,), attempts=(attempts,))


def release(engine: Engine, folder: Path, name: str) -> dict[str, str]:
    """Build a release, and return the digest of every file in it."""
    write_release(inputs(folder), folder / name, finish=write_card, engine=engine)
    files = tree(folder / name)
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def work(name: EngineName, kind: str, folder: Path) -> Any:
    """Do one kind of work, and return what came of it."""
    with open_engine(name, 2, folder / "scratch", SLURM) as engine:
        if kind == "squares":
            return list(engine.map(square, range(COUNT)))
        if kind == "marked":
            return list(engine.map(partial(mark_and_square, folder), range(MANY)))
        if kind == "raised":
            try:
                return list(engine.map(refuse_five, range(COUNT)))
            except ValueError as error:
                return [type(error).__name__, str(error)]
        if kind == "hopeless":
            try:
                return list(engine.map(kill_at_five, range(COUNT)))
            except RemoteError as error:
                return str(error)
        if kind == "closed":
            results = engine.map(partial(mark_and_square, folder), range(1000))
            taken = [next(results) for _ in range(3)]
            results.close()
            return taken
        deadly = Deadly(engine, folder)
        if kind == "deadly":
            found: Any = list(deadly.map(square, range(COUNT)))
        else:
            found = release(engine if kind == "release" else deadly, folder, f"{name}-{kind}")
        return {"found": found, "deaths": sum(mark.exists() for mark in deadly.deaths)}


def main() -> None:
    """Do what the command line says."""
    engine_name, kind, folder = sys.argv[1:]
    came = work(cast(EngineName, engine_name), kind, Path(folder))
    print(json.dumps(came))  # noqa: T201


if __name__ == "__main__":
    # Workers import functions by the name of their module, which is none of `__main__`'s.
    import_module("tests.matrix.engine_work").main()
