"""Rows on their way from lines into shards.

Most of an attempt are its messages, which a column holds as JSON. The line has been checked, and in
it they stand as the column will have them: they are only copied.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

import msgspec
import orjson

from davinci_agency.build.samples import make_sample
from davinci_agency.records import Attempt, JsonObject, Split, Task, from_json, to_row
from davinci_agency.release import CONFIGS
from davinci_agency.spooling import LineReader, Location

_LISTS = ("messages", "tools")
"""The columns of an attempt, and of a sample, that are lists of JSON values."""
_AT_ONCE = 1000
"""Sources of rows that are written together."""
_Parts = msgspec.defstruct(
    "_Parts",
    [
        (field.name, list[msgspec.Raw] if field.name in _LISTS else msgspec.Raw)
        for field in fields(Attempt)
    ],
)
"""An attempt's line in parts that are not parsed."""
_PARTS = msgspec.json.Decoder(_Parts)


@dataclass(frozen=True, slots=True)
class RowSource:
    """Where a row comes from: its own line, or for a sample its task's and its attempt's.

    ``key`` tells it from the other rows of its config.
    """

    key: str
    lines: tuple[Location, ...]
    split: Split = "train"

    @property
    def size(self) -> int:
        """The length of what it comes from, in bytes."""
        return sum(line.length for line in self.lines)


def write_sources(path: Path, sources: Iterable[RowSource]) -> Path:
    """Write where rows come from, for whoever reads it with `read_sources`; return the path."""
    remaining = iter(sources)
    with path.open("wb") as file:
        while some := list(islice(remaining, _AT_ONCE)):
            pickle.dump(some, file)
    return path


def read_sources(path: Path) -> Iterator[RowSource]:
    """Yield where rows come from, as `write_sources` wrote it."""
    with path.open("rb") as file:
        while file.peek(1):
            # Only ever what this program has written.
            yield from pickle.load(file)  # noqa: S301


def read_row(source: RowSource, config: str, threshold: float, reader: LineReader) -> JsonObject:
    """Return a row of a config; items of an attempt's lists of JSON values are `msgspec.Raw`."""
    *tasks, own = map(reader.read, source.lines)
    if CONFIGS[config] not in (Attempt.RECORD, "sample"):
        line: JsonObject = orjson.loads(own)
        return line
    parts = _PARTS.decode(own)
    lists = {name: getattr(parts, name) for name in _LISTS}
    rest = {
        name: [] if name in lists else orjson.loads(memoryview(getattr(parts, name)))
        for name in parts.__struct_fields__
    }
    if not tasks:
        return {**rest, **lists}
    task = from_json(orjson.loads(tasks[0]), Task)
    sample = make_sample(task, from_json(rest, Attempt), threshold)
    return {**to_row(sample), **lists}
