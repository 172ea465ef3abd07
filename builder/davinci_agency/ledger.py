"""Where records stand, in one order, and what was seen of them; on disk where it is much.

Whoever holds a place for each of a hundred million records needs as many gigabytes, so places are
rows of a database: SQLite keeps them in its cache as long as they fit, and sorts on disk what does
not. It lies in a folder of the stage's own and is gone with it.
"""

from __future__ import annotations

import pickle
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

from davinci_agency.errors import no_room
from davinci_agency.spooling import Location

T = TypeVar("T")
Key = tuple[Any, ...]
"""Texts, integers, fractions and keys; of two keys, what stands at a place is of one kind."""

_CACHE_KIB = 16 << 10
_TABLES = """
    CREATE TABLE record (
        id INTEGER PRIMARY KEY, identity BLOB, file INTEGER, line INTEGER,
        source_offset INTEGER, source_length INTEGER, path INTEGER, offset INTEGER, length INTEGER,
        key BLOB, seen BLOB
    );
    CREATE TABLE repeated (identity BLOB PRIMARY KEY, is_ambiguous INTEGER, first INTEGER)
        WITHOUT ROWID;
    CREATE TABLE dropped (id INTEGER PRIMARY KEY);
    CREATE TABLE settled (place INTEGER PRIMARY KEY, id INTEGER);
    CREATE VIEW in_order AS
        SELECT identity, file, line, source_offset, source_length, path, offset, length, place, seen
        FROM settled JOIN record USING (id);
"""
_AT_ONCE = 1000
"""Rows."""
_COLUMNS = 8
"""That tell where a record stands."""
_PRIMARY_CODE = 0xFF
_DISK_CODES = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY
)  # fmt: skip
_NOTHING = pickle.dumps(None)


@dataclass(frozen=True, slots=True)
class Placed:
    """A record: the file and line that it came from, and where it stands from now on.

    ``file`` counts the files from 0, ``line`` their lines from 1.
    """

    identity: str
    file: int
    line: int
    source: Location
    location: Location


Entry = tuple[Placed, bytes, bytes | None]
"""A record, its `ordered` key, and what was seen of it, `packed`: where it was seen, so that nobody
has to do it for all."""


class PathNumbers:
    """A few paths, and the numbers that stand for them in a database."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._numbers: dict[Path, int] = {}

    def number(self, path: Path) -> int:
        """Return the number of a path, which it gets when it is first asked for."""
        if path not in self._numbers:
            self._numbers[path] = len(self._paths)
            self._paths.append(path)
        return self._numbers[path]

    def path(self, number: int) -> Path:
        """Return the path of a number."""
        return self._paths[number]


class Ledger(Generic[T]):
    """Places of records: added in any order, then settled, then asked for by their order.

    Made by `open_ledger`. Any thread may ask.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._lock = Lock()
        self._sources: list[Path] = []
        self._paths = PathNumbers()
        self._count = 0

    def begin_file(self, path: Path) -> int:
        """Return the number of a further file, of which lines will be added."""
        self._sources.append(path)
        return len(self._sources) - 1

    def add(self, records: Iterable[Entry]) -> None:
        """Add records."""
        self._database.executemany(
            "INSERT INTO record VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    _stored(placed.identity), placed.file, placed.line,
                    placed.source.offset, placed.source.length,
                    self._paths.number(placed.location.path),
                    placed.location.offset, placed.location.length,
                    key, seen,
                )
                for placed, key, seen in records
            ),
        )  # fmt: skip

    def settle(self, digest: Callable[[Placed], bytes]) -> Iterator[tuple[Placed, bool]]:
        """Fix the order: by key, file and line; one record for each identity.

        Yielded in order are those that get no place, and whether that is because they differ from
        others with their identity, as their digests say; else they are copies of the first one.
        """
        self._find_repeated(digest)
        rows = self._rows(
            "SELECT record.*, is_ambiguous FROM record JOIN repeated USING (identity)"
            " WHERE is_ambiguous OR id != first ORDER BY key, file, line"
        )
        for number, *row in rows:
            self._database.execute("INSERT INTO dropped VALUES (?)", (number,))
            yield self._placed(row), bool(row[-1])
        self._database.execute(
            "INSERT INTO settled (id) SELECT id FROM record WHERE id NOT IN dropped"
            " ORDER BY key, file, line"
        )
        ((self._count,),) = self._rows("SELECT count(*) FROM settled")

    def _find_repeated(self, digest: Callable[[Placed], bytes]) -> None:
        self._database.execute(
            "INSERT INTO repeated SELECT identity, 0, NULL FROM record GROUP BY identity"
            " HAVING count(*) > 1"
        )
        rows = self._rows(
            "SELECT record.* FROM record JOIN repeated USING (identity)"
            " ORDER BY identity, key, file, line"
        )
        identity, first = None, b""
        for number, *row in rows:
            placed = self._placed(row)
            if row[0] != identity:
                identity, first = row[0], digest(placed)
                change = "UPDATE repeated SET first = ? WHERE identity = ?"
                self._database.execute(change, (number, identity))
            elif digest(placed) != first:
                change = "UPDATE repeated SET is_ambiguous = 1 WHERE identity = ?"
                self._database.execute(change, (identity,))

    def __len__(self) -> int:
        return self._count

    def copies(self) -> Iterator[str]:
        """Yield the identities of records that got no place as copies of the first one."""
        rows = self._rows(
            "SELECT identity FROM dropped JOIN record USING (id) JOIN repeated USING (identity)"
            " WHERE NOT is_ambiguous"
        )
        return (identity.decode("utf-8", "surrogatepass") for (identity,) in rows)

    def at(self, place: int) -> Placed:
        """Return the record at a place of the order, from 0."""
        (row,) = self._rows("SELECT * FROM in_order WHERE place = ?", place + 1)
        return self._placed(row)

    def find(self, identity: str) -> int | None:
        """Return the place of the record with an identity; ``None`` if there is none."""
        with self._lock:
            self._database.execute("CREATE INDEX IF NOT EXISTS by_identity ON record (identity)")
            self._database.execute("CREATE INDEX IF NOT EXISTS by_id ON settled (id)")
        query = "SELECT place FROM record JOIN settled USING (id) WHERE identity = ?"
        return next((place - 1 for (place,) in self._rows(query, _stored(identity))), None)

    def placed(self) -> Iterator[Placed]:
        """Yield all records in order."""
        return map(self._placed, self._rows("SELECT * FROM in_order ORDER BY place"))

    def seen(self) -> Iterator[T]:
        """Yield what was seen of all records in order."""
        for (seen,) in self._rows("SELECT seen FROM in_order ORDER BY place"):
            yield self._seen(seen)

    def seen_at(self, place: int) -> T:
        """Return what was seen of the record at a place."""
        ((seen,),) = self._rows("SELECT seen FROM in_order WHERE place = ?", place + 1)
        return self._seen(seen)

    def _seen(self, stored: bytes | None) -> T:
        # Only ever what this process has written.
        seen: T = pickle.loads(stored or _NOTHING)  # noqa: S301
        return seen

    def _rows(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, some at a time, so that others can ask between."""
        with self._lock:
            cursor = self._database.execute(query, values)
        while True:
            with self._lock:
                rows = cursor.fetchmany(_AT_ONCE)
            if not rows:
                return
            yield from rows

    def _placed(self, row: Sequence[Any]) -> Placed:
        identity, file, line, source_offset, source_length, path, offset, length = row[:_COLUMNS]
        return Placed(
            identity.decode("utf-8", "surrogatepass"),
            file,
            line,
            Location(self._sources[file], source_offset, source_length),
            Location(self._paths.path(path), offset, length),
        )


@contextmanager
def open_ledger(folder: Path) -> Iterator[Ledger[Any]]:
    """Open a new ledger in a folder."""
    with temporary_database(folder / "ledger.sqlite", _TABLES) as database:
        yield Ledger(database)


@contextmanager
def temporary_database(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    """Open a new database for one stage, which keeps in memory what fits and is never shared.

    Raises `OutputError` where it can't be written: the disk is full.
    """
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as database:
        try:
            for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
                database.execute(f"PRAGMA {pragma}")
            database.executescript(tables)
            database.execute("BEGIN")
            yield database
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE not in _DISK_CODES:
                raise
            raise no_room(path.parent, error) from error


def _stored(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def packed(seen: Any) -> bytes | None:
    """Return what was seen of a record as a ledger holds it."""
    return None if seen is None else pickle.dumps(seen)


def ordered(key: Key) -> bytes:
    """Return bytes that sort as keys do: texts by code points, numbers, keys within by parts.

    Integers are of 64 bits; none stands where in another key a fraction does.

    >>> ordered((0.5, "a")) > ordered((0.0, "b")) == ordered((-0.0, "b")) > ordered((-1.5, "c"))
    True
    >>> ordered(("b", 2)) > ordered(("b", 1)) > ordered(("a", 9, (3,))) > ordered(("a", 9, (2, 8)))
    True
    """
    return b"".join(map(_ordered, key)) + b"\0"


def _ordered(part: Any) -> bytes:
    if isinstance(part, tuple):
        return b"\1" + ordered(part)
    if isinstance(part, float):
        # As a number its bits ascend with it, but of negative ones downwards.
        (bits,) = struct.unpack(">q", struct.pack(">d", part + 0.0))
        part = bits if bits >= 0 else bits ^ (1 << 63) - 1
    if isinstance(part, int):
        return b"\1" + (part + (1 << 63)).to_bytes(8, "big")
    # A zero ends the text, so those within it become one that sorts behind any end.
    text: str = part
    return b"\1" + _stored(text).replace(b"\0", b"\0\xff") + b"\0"
