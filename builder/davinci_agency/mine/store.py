"""What mining one repository learnt, kept between runs in one SQLite file.

Records are kept under a key of all that they are made from, so one that is there is never stale,
and what GitHub said is kept page by page together with how far the reading has come. Whenever a
run is killed, the last whole transaction stands.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import zstandard

from davinci_agency.errors import DataError
from davinci_agency.files import locked

_LAYOUT = 1
_LEVEL = -3
"""Of zstd: its quick end, for what is kept is made in the time of the first run."""

_OF_THREAD = threading.local()
"""A compressor costs more to make than to use, and serves one thread."""

_TABLES = """
CREATE TABLE IF NOT EXISTS record (
  number INTEGER PRIMARY KEY, key BLOB NOT NULL, line BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS view (
  number INTEGER PRIMARY KEY, digest BLOB NOT NULL, merge TEXT, said BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


class Store:
    """One repository's file; made by `open_store`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def keys(self) -> dict[int, bytes]:
        """Return the key of every record, by number."""
        return dict(self._connection.execute("SELECT number, key FROM record"))

    def put_lines(
        self, rows: Iterable[tuple[int, bytes, bytes]], missing: Iterable[str] = ()
    ) -> None:
        """Keep packed records by number and key, and the blobs that they lack, all or nothing."""
        known = set(self.state("missing") or ())
        with self._connection as connection:
            connection.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", rows)
            if not known.issuperset(missing):
                value = orjson.dumps(sorted(known.union(missing)))
                connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", ("missing", value))

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the records with their numbers, in order, as JSON without a line end."""
        rows = self._connection.execute("SELECT number, line FROM record ORDER BY number")
        return ((number, self._decompress(line)) for number, line in rows)

    def forget_lines(self) -> None:
        """Drop all records."""
        with self._connection as connection:
            connection.execute("DELETE FROM record")

    def views(self) -> dict[int, bytes]:
        """Return a digest of what GitHub said of each pull request, by number."""
        return dict(self._connection.execute("SELECT number, digest FROM view"))

    def merges(self) -> dict[int, str]:
        """Return the commit that GitHub says merged each pull request, by number."""
        return dict(
            self._connection.execute("SELECT number, merge FROM view WHERE merge IS NOT NULL")
        )

    def has_view(self, number: int) -> bool:
        """Tell whether GitHub was asked for a pull request."""
        query = "SELECT 1 FROM view WHERE number = ?"
        return self._connection.execute(query, (number,)).fetchone() is not None

    def view(self, number: int) -> bytes | None:
        """Return what GitHub said of a pull request as JSON, empty if it has it no longer.

        ``None`` if it was not asked.
        """
        query = "SELECT said FROM view WHERE number = ?"
        row = self._connection.execute(query, (number,)).fetchone()
        return None if row is None else self._decompress(row[0]) if row[0] else b""

    def put_views(
        self, views: Iterable[tuple[int, Any, str | None]], state: dict[str, Any]
    ) -> None:
        """Keep what GitHub said and how far the reading has come, both or neither.

        ``views`` are numbers with what was said, ``None`` if nothing, and the merge commit.
        """
        with self._connection as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO view VALUES (?, ?, ?, ?)", map(self._row, views)
            )
            connection.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)",
                [(name, orjson.dumps(value)) for name, value in state.items()],
            )

    def _row(self, view: tuple[int, Any, str | None]) -> tuple[int, bytes, str | None, bytes]:
        number, said, merge = view
        raw = b"" if said is None else orjson.dumps(said)
        digest = hashlib.blake2b(raw, digest_size=16).digest()
        return number, digest, merge, self._compress(raw) if raw else b""

    def state(self, name: str) -> Any:
        """Return a value that was kept; ``None`` if there is none."""
        row = self._connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return orjson.loads(row[0]) if row else None

    def put_state(self, **values: Any) -> None:
        """Keep values by name."""
        self.put_views([], values)

    def forget_github(self) -> None:
        """Drop everything that GitHub said."""
        with self._connection as connection:
            connection.execute("DELETE FROM view")
            connection.execute("DELETE FROM state WHERE name != 'missing'")


def pack(line: bytes) -> bytes:
    """Return a record's line as the store keeps it; any thread may do so."""
    if not hasattr(_OF_THREAD, "compress"):
        _OF_THREAD.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
    packed: bytes = _OF_THREAD.compress(line)
    return packed


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """Open a repository's file, or make it; for one run at a time.

    Raises `OutputError` if another run has it, and `DataError` if it is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path), closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, _LAYOUT):
                raise DataError(f"{path} was made by another version; delete it.")
            connection.executescript(_TABLES)
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")
            yield Store(connection)
        except (sqlite3.DatabaseError, zstandard.ZstdError, orjson.JSONDecodeError) as error:
            raise DataError(f"{path}: {error}; delete it, it will be made again.") from error
