"""The register of curation: what was seen of all records, what goes, and where the rest belongs.

A row for every record, in a database that keeps in memory what fits: what is asked of all records
is a query, and what it has to sort is sorted on disk. Records are added first; then `deciding`
strikes some of them by one rule after the other, and `splits` places the rest.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from davinci_agency.curate.rules import Choice
from davinci_agency.curate.sketches import Sketch, sketch_of
from davinci_agency.ledger import temporary_database
from davinci_agency.records import RecordName, Split, Task

Sketched = Literal["sketch", "query_sketch"]
"""The tables of sketches: of changes and runs; of what tasks ask for."""

_SKETCH = """
    CREATE TABLE {} (
        id INTEGER PRIMARY KEY, words BLOB, words_rate INTEGER, pairs BLOB, pairs_rate INTEGER,
        least INTEGER, digest BLOB
    );
"""
_TABLES = f"""
    CREATE TABLE record (
        id INTEGER PRIMARY KEY, record TEXT, place INTEGER, key TEXT, repo TEXT, kind TEXT,
        task INTEGER, split TEXT, split_group TEXT, merged_at INTEGER, members INTEGER,
        original TEXT,
        rank BLOB, exact BLOB, loose BLOB, UNIQUE (record, key)
    );
    CREATE TABLE reason (id INTEGER, rule TEXT, reason TEXT, measure REAL);
    CREATE TABLE member (id INTEGER, position INTEGER, pull TEXT, PRIMARY KEY (id, pull))
        WITHOUT ROWID;
    CREATE INDEX tasks_of ON member (pull);
    CREATE TABLE tie (id INTEGER, name TEXT);
    CREATE TABLE gram (source TEXT, gram INTEGER, id INTEGER);
    {_SKETCH.format("sketch")}
    {_SKETCH.format("query_sketch")}
    CREATE TABLE copy (record TEXT, key TEXT);

    CREATE TABLE found (
        number INTEGER PRIMARY KEY, id INTEGER, rule TEXT, reason TEXT, measure REAL, kept TEXT
    );
    CREATE TABLE struck (id INTEGER PRIMARY KEY, rule TEXT, reason TEXT, measure REAL, kept TEXT);
    CREATE TABLE mark (id INTEGER, rule TEXT, PRIMARY KEY (id, rule)) WITHOUT ROWID;
    CREATE VIEW staying AS SELECT * FROM record WHERE id NOT IN (SELECT id FROM struck);

    CREATE TABLE ranked (place INTEGER PRIMARY KEY, id INTEGER UNIQUE);
    CREATE TABLE pair (worse INTEGER, better INTEGER, rule TEXT, reason TEXT, measure REAL);

    CREATE TABLE published (key TEXT PRIMARY KEY, split TEXT) WITHOUT ROWID;
    CREATE TABLE node (number INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE edge (place INTEGER, name TEXT);
    CREATE TABLE joining (id INTEGER PRIMARY KEY);
    CREATE TABLE settled (id INTEGER PRIMARY KEY, root INTEGER);
    CREATE TABLE component (root INTEGER PRIMARY KEY, split TEXT, split_group TEXT);
    CREATE TABLE placing (id INTEGER PRIMARY KEY, split TEXT, split_group TEXT);
"""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Struck:
    """That a record goes by a rule, or is marked by it, and in favour of which one."""

    id: int
    rule: str
    reason: str
    measure: float | None = None
    kept: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a record.

    Attributes:
        place: its place among the records of its kind.
        key: what it is called.
        struck: why it goes; ``None`` if it stays.
        marks: the rules that it broke and that only mark.
        split, split_group: where it belongs, if not where it says; a group is a task's.
    """

    place: int
    key: str
    struck: Struck | None
    marks: frozenset[str]
    split: Split | None
    split_group: str | None


@contextmanager
def open_register(folder: Path) -> Iterator[Register]:
    """Open a new register in a folder, where whatever is too much for memory lies too."""
    with temporary_database(folder / "register.sqlite", _TABLES) as database:
        yield Register(database, folder)


class Register:
    """What was seen of records, and what becomes of them.

    Attributes:
        folder: where else there is room.
        replaced: how many values of each kind of secret were replaced.
    """

    def __init__(self, database: sqlite3.Connection, folder: Path) -> None:
        self._database = database
        self.folder = folder
        self.replaced: Counter[str] = Counter()
        tables = self.rows(
            "SELECT name, (SELECT count(*) FROM pragma_table_info(made.name))"
            " FROM sqlite_master AS made WHERE type = 'table'"
        )
        self._places = {name: ", ".join("?" * columns) for name, columns in tables}

    def rows(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query."""
        return iter(self._database.execute(query, values))

    def change(self, statement: str, *values: Any) -> None:
        """Change rows."""
        self._database.execute(statement, values)

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to one of the tables; one that is there already by its key stays."""
        statement = f"INSERT OR IGNORE INTO {table} VALUES ({self._places[table]})"
        self._database.executemany(statement, rows)

    def add(self, *columns: Any) -> int:
        """Add a record, given all but its number, and return that; numbers ascend."""
        statement = f"INSERT INTO record VALUES (NULL, {self._places['record'][3:]})"
        return self._database.execute(statement, columns).lastrowid or 0

    def add_copies(self, record: RecordName, keys: Iterable[str]) -> None:
        """Add what exact copies were left out before; they are counted only."""
        self.insert("copy", ((record, key) for key in keys))

    def publish(self, splits: Iterable[tuple[str, Split]]) -> None:
        """Add the splits of what was published, by what it is called."""
        self.insert("published", splits)

    def rank(self, query: str, *values: Any, by: str = "best") -> None:
        """Rank the records that a query yields by some of its columns, from 0."""
        self.change("DELETE FROM ranked")
        self.change(
            f"INSERT INTO ranked SELECT row_number() OVER (ORDER BY {by}) - 1, id FROM ({query})",
            *values,
        )

    def sketches(self, table: Sketched) -> Iterator[Sketch]:
        """Yield the sketches of what is ranked."""
        rows = self.rows(
            "SELECT words, words_rate, pairs, pairs_rate FROM ranked"
            f" JOIN {table} USING (id) ORDER BY place"
        )
        return (sketch_of(*stored) for stored in rows)

    def strike(self, choice: Choice, found: Iterable[Struck], *, is_alike: bool = False) -> None:
        """Strike records, or mark them, as is asked for; one that went already went before.

        ``found`` may ask who stays: nobody goes before all were found. ``is_alike``: what is kept
        all the same belongs where the better one does.
        """
        self.change("DELETE FROM found")
        rows = ((None, one.id, one.rule, one.reason, one.measure, one.kept) for one in found)
        self.insert("found", rows)
        if is_alike:
            self.change("INSERT INTO tie SELECT id, kept FROM found")
        rules = [rule for (rule,) in self.rows("SELECT DISTINCT rule FROM found")]
        for rule in rules:
            if rule in choice.marking:
                self.change(
                    "INSERT OR IGNORE INTO mark SELECT id, rule FROM found WHERE rule = ?", rule
                )
            if not choice.drops(rule):
                self.change("DELETE FROM found WHERE rule = ?", rule)
        self.change(
            "INSERT OR IGNORE INTO struck SELECT id, rule, reason, measure, kept FROM found"
            " ORDER BY number"
        )

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        ((count,),) = self.rows(f"SELECT count(*) FROM {table}")
        return int(count)

    def verdicts(self, record: RecordName) -> Iterator[Verdict]:
        """Yield what becomes of records of a kind, in order; an attempt is where its task is."""
        rows = self.rows(
            "SELECT record.place, record.key, record.id, rule, reason, measure, kept,"
            " (SELECT group_concat(rule) FROM mark WHERE mark.id = record.id),"
            " nullif(coalesce(placing.split, task.split), record.split),"
            " CASE record.record WHEN ? THEN nullif(placing.split_group, record.split_group) END"
            " FROM record LEFT JOIN struck USING (id)"
            " LEFT JOIN record AS task ON task.id = record.task"
            " LEFT JOIN placing ON placing.id = coalesce(record.task, record.id)"
            " WHERE record.record = ? ORDER BY record.id",
            Task.RECORD,
            record,
        )
        for place, key, own, rule, reason, measure, kept, marks, split, group in rows:
            struck = None if rule is None else Struck(own, rule, reason, measure, kept)
            yield Verdict(
                place, key, struck, frozenset((marks or "").split(",")) - {""}, split, group
            )


def micros(moment: datetime) -> int:
    """Return the microseconds of a moment since 1970."""
    return (moment - _BEGINNING) // timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    """Return a moment, given its microseconds since 1970."""
    return _BEGINNING + timedelta(microseconds=micros)
