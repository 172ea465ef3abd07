"""The rows of every config in their order: as they were first published, and new ones behind them.

To sort anew sends almost everything again: what was a shard's content stands elsewhere then. Rows
are ordered in a database (see `davinci_agency.ledger`): there may be more than memory holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from davinci_agency.build.rows import RowSource
from davinci_agency.ledger import Key, PathNumbers, ordered, temporary_database
from davinci_agency.records import Split
from davinci_agency.release import CONFIGS, read_batches, read_manifest
from davinci_agency.schema import load_schema
from davinci_agency.spooling import Location

_TABLES = """
    CREATE TABLE row (
        config TEXT, split TEXT, rank BLOB, key TEXT, size INTEGER,
        path INTEGER, offset INTEGER, length INTEGER,
        task_path INTEGER, task_offset INTEGER, task_length INTEGER
    );
    CREATE TABLE published (config TEXT, key TEXT, place INTEGER, PRIMARY KEY (config, key))
        WITHOUT ROWID;
    CREATE TABLE settled (place INTEGER PRIMARY KEY, id INTEGER);
"""


def row_key(record: str, row: Mapping[str, Any]) -> str:
    """Return what tells a row from the others of its config, whatever its version.

    >>> row_key("pull-request", {"repo": "numpy/numpy", "number": 9998})
    'numpy/numpy#9998'
    """
    return "#".join(str(row[name]) for name in load_schema(record).document["x-identity"])


@contextmanager
def open_rows(folder: Path) -> Iterator[Rows]:
    """Open a new database of rows in a folder."""
    with temporary_database(folder / "rows.sqlite", _TABLES) as database:
        yield Rows(database)


class Rows:
    """Rows: added in any order, then settled, then read by their places in a split.

    Made by `open_rows`.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._paths = PathNumbers()
        self._runs: dict[tuple[str, Split], tuple[int, int]] = {}

    def add(self, config: str, rows: Iterable[tuple[Key, RowSource]]) -> None:
        """Add rows to a config, each with the key of its place among those never published."""
        self._database.executemany(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (config, row.split, ordered(rank), row.key, row.size, *self._lines(row))
                for rank, row in rows
            ),
        )

    def _lines(self, row: RowSource) -> Iterator[int | None]:
        *tasks, own = row.lines
        for line in (own, *tasks):
            yield from (self._paths.number(line.path), line.offset, line.length)
        if not tasks:
            yield from (None, None, None)

    def settle(self, after: Path | None = None) -> None:
        """Fix the order: rows of an earlier release first, as they stand there.

        Raises `ReleaseError` if that can't be read.
        """
        if after is not None:
            self._database.executemany(
                "INSERT OR IGNORE INTO published VALUES (?, ?, ?)", _published(after)
            )
        self._database.execute(
            "INSERT INTO settled (id) SELECT row.rowid FROM row LEFT JOIN published"
            " USING (config, key) ORDER BY config, split, place IS NULL, place, rank"
        )
        runs = self._database.execute(
            "SELECT config, split, min(place), max(place) + 1 FROM settled"
            " JOIN row ON row.rowid = id GROUP BY config, split"
        )
        self._runs = {(config, split): (first, end) for config, split, first, end in runs}

    def sizes(self, config: str, split: Split) -> Iterator[int]:
        """Yield the size of each row in bytes, in order."""
        rows = self._database.execute(
            "SELECT size FROM settled JOIN row ON row.rowid = id"
            " WHERE place >= ? AND place < ? ORDER BY place",
            self._runs.get((config, split), (0, 0)),
        )
        return (size for (size,) in rows)

    def read(self, config: str, split: Split, first: int, count: int) -> Iterator[RowSource]:
        """Yield so many rows from a place on, which counts from 0."""
        begin = self._runs[config, split][0] + first
        rows = self._database.execute(
            "SELECT key, path, offset, length, task_path, task_offset, task_length"
            " FROM settled JOIN row ON row.rowid = id"
            " WHERE place >= ? AND place < ? ORDER BY place",
            (begin, begin + count),
        )
        for key, path, offset, length, task_path, task_offset, task_length in rows:
            lines = [Location(self._paths.path(path), offset, length)]
            if task_path is not None:
                lines.insert(0, Location(self._paths.path(task_path), task_offset, task_length))
            yield RowSource(key, tuple(lines), split)


def _published(release: Path) -> Iterator[tuple[str, str, int]]:
    """Yield config, key and place of a release's rows."""
    place = 0
    for shard in read_manifest(release).shards:
        record = CONFIGS[shard.config]
        columns = load_schema(record).document["x-identity"]
        for batch in read_batches(release, shard, columns):
            for row in batch.to_pylist():
                yield shard.config, row_key(record, row), place
                place += 1
