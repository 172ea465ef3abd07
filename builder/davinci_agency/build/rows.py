"""Rows on their way from lines into shards.

Most of an attempt are its messages, which a column holds as JSON. They are parsed once, when the
line is checked, and packed: the texts stand end to end as the column will have them, and are only
copied from then on. Every other record stays the line that it is.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import orjson

from davinci_agency.build.samples import make_sample
from davinci_agency.parsing import UnusableLineError
from davinci_agency.records import Attempt, JsonObject, Split, Task, from_json, to_json, to_row
from davinci_agency.release import CONFIGS
from davinci_agency.schema.arrow import JsonTexts
from davinci_agency.spooling import LineReader, Location

LISTS = ("messages", "tools")
"""The columns of an attempt, and of a sample, that are lists of JSON values."""
_LENGTH = np.dtype("<u4")
_AT_ONCE = 1000
"""Sources of rows that are written together."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """Where a row comes from: its own line, or for a sample its task's and its attempt's.

    ``key`` tells it from the other rows of its config. An attempt is packed.
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


def pack(attempt: Attempt) -> bytes:
    """Return an attempt with the texts of its JSON lists set apart.

    First come numbers: the length of all the rest as one line, how many items each list has, and
    the length of each item; then that line, and the items. Raises `UnusableLineError` if it has no
    spelling.
    """
    lists = [getattr(attempt, name) for name in LISTS]
    try:
        rest = to_json(replace(attempt, messages=(), tools=()))
        # An item may be nested as deeply as where it belongs, within a list within a record.
        items = [memoryview(orjson.dumps(((item,),)))[2:-2] for held in lists for item in held]
    except orjson.JSONEncodeError as error:
        raise UnusableLineError("$", f"the line can't be written again ({error}).") from error
    numbers = np.array([len(rest), *map(len, lists), *map(len, items)], _LENGTH)
    return b"".join((numbers.data, rest, *items))


def unpack(packed: bytes) -> tuple[JsonObject, dict[str, JsonTexts]]:
    """Return an attempt's row without its JSON lists, and these by their names."""
    length, *counts = np.frombuffer(packed, _LENGTH, 1 + len(LISTS)).tolist()
    begin = _LENGTH.itemsize * (1 + len(LISTS))
    lengths = np.frombuffer(packed, _LENGTH, sum(counts), begin)
    begin += lengths.nbytes
    rest = orjson.loads(memoryview(packed)[begin : begin + length])
    begin += length
    lists: dict[str, JsonTexts] = {}
    first = 0
    for name, count in zip(LISTS, counts, strict=True):
        held = lengths[first : first + count]
        end = begin + int(held.sum())
        lists[name] = JsonTexts(memoryview(packed)[begin:end], held)
        first, begin = first + count, end
    return rest, lists


def read_row(source: RowSource, config: str, threshold: float, reader: LineReader) -> JsonObject:
    """Return a row of a config, its JSON lists as `JsonTexts`."""
    *tasks, own = map(reader.read, source.lines)
    if CONFIGS[config] not in (Attempt.RECORD, "sample"):
        line: JsonObject = orjson.loads(own)
        return line
    rest, lists = unpack(own)
    if not tasks:
        return {**rest, **lists}
    task = from_json(orjson.loads(tasks[0]), Task)
    sample = make_sample(task, from_json(rest, Attempt), threshold)
    return {**to_row(sample), **lists}
