"""What the rules about attempts need of the tasks, where every process can look it up: on disk."""

from __future__ import annotations

import pickle
import sqlite3
import weakref
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from davinci_agency.records import Task


class Outlines:
    """Tasks without patches and texts, by their names; made by `write_outlines`.

    What is sent to another process is the file's name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None

    def __getstate__(self) -> Path:
        return self._path

    def __setstate__(self, path: Path) -> None:
        self.__init__(path)  # type: ignore[misc]

    def get(self, task_id: str) -> Task | None:
        """Return the outline of a task; ``None`` if there is no such task."""
        if self._database is None:
            # Nobody writes there any more, so nobody needs to be asked before it is read.
            address = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            self._database = sqlite3.connect(address, uri=True, check_same_thread=False)
            weakref.finalize(self, self._database.close)
        rows = self._database.execute("SELECT outline FROM task WHERE id = ?", (task_id,))
        for (outline,) in rows:
            # Only ever what this stage has written.
            task: Task = pickle.loads(outline)  # noqa: S301
            return task
        return None


def write_outlines(path: Path, outlines: Iterable[Task]) -> Outlines:
    """Write the outlines of tasks into a new file."""
    with closing(sqlite3.connect(path)) as database:
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE task (id TEXT PRIMARY KEY, outline BLOB) WITHOUT ROWID")
        rows: Iterable[tuple[Any, ...]] = ((each.task_id, pickle.dumps(each)) for each in outlines)
        database.executemany("INSERT INTO task VALUES (?, ?)", rows)
        database.commit()
    return Outlines(path)
