"""What the rules about attempts need of the tasks, where every process can look it up: on disk."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterable
from pathlib import Path

import orjson

from davinci_agency.ledger import temporary_database
from davinci_agency.records import Task, from_json


class Outlines:
    """Tasks without patches and texts, by their names; made by `write_outlines`.

    What is sent to another process is the file's name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None

    def __reduce__(self) -> tuple[type[Outlines], tuple[Path]]:
        return Outlines, (self._path,)

    def get(self, task_id: str) -> Task | None:
        """Return the outline of a task; ``None`` if there is no such task."""
        if self._database is None:
            # Nobody writes there any more, so nobody needs to be asked before it is read.
            address = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            self._database = sqlite3.connect(address, uri=True, check_same_thread=False)
            weakref.finalize(self, self._database.close)
        rows = self._database.execute("SELECT outline FROM task WHERE id = ?", (task_id,))
        for (outline,) in rows:
            return from_json(orjson.loads(outline), Task)
        return None


def write_outlines(path: Path, outlines: Iterable[tuple[str, bytes]]) -> Outlines:
    """Write the outlines of tasks, by their names, into a new file.

    Raises `OutputError` if there is no room for it.
    """
    table = "CREATE TABLE task (id TEXT PRIMARY KEY, outline BLOB) WITHOUT ROWID"
    with temporary_database(path, table) as database:
        database.executemany("INSERT INTO task VALUES (?, ?)", outlines)
        database.execute("COMMIT")
    return Outlines(path)
