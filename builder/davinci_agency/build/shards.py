"""Shards: which rows go into which file, and the files written, each by a process of its own.

Rows are cut into shards and row groups by their size as JSON, so that a row of 12 MB and a row of
15 KB both end up in files that can be read with little memory. The cut depends on the rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from davinci_agency.build.samples import make_sample
from davinci_agency.files import digest_file
from davinci_agency.records import SPLITS, Attempt, JsonObject, Split, Task, from_json, to_row
from davinci_agency.release import (
    CONFIGS,
    PARQUET,
    ROW_GROUP_BYTES,
    Shard,
    ShardFormat,
    shard_path,
)
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import arrow_schema, is_json, is_json_list, record_batch
from davinci_agency.spooling import LineReader, Location, own_name

SHARD_BYTES = 256 << 20
"""A shard's rows as JSON, at most (but for a single larger row)."""
PARTIAL = ".partial"
"""How the name of a shard ends that is not whole yet."""
_BATCH_BYTES = 4 << 20
"""Rows turned into Arrow at once; Python objects take several times this much memory."""


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
        """The length of the lines in bytes."""
        return sum(line.length for line in self.lines)


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One shard to write: everything that a process needs to know."""

    folder: Path
    path: str
    config: str
    split: Split
    rows: tuple[RowSource, ...]
    shard_format: ShardFormat
    threshold: float

    @property
    def size(self) -> int:
        """The length of all lines in bytes."""
        return sum(row.size for row in self.rows)


def plan_shards(
    folder: Path,
    config: str,
    rows: Sequence[RowSource],
    shard_format: ShardFormat,
    threshold: float,
) -> list[ShardPlan]:
    """Return the shards of a config; none where there are no rows: `datasets` can't load those."""
    plans: list[ShardPlan] = []
    for split in SPLITS:
        groups = _evened(list(_cut((row for row in rows if row.split == split), SHARD_BYTES)))
        plans += [
            ShardPlan(
                folder=folder,
                path=shard_path(config, split, number, len(groups), shard_format),
                config=config,
                split=split,
                rows=tuple(group),
                shard_format=shard_format,
                threshold=threshold,
            )
            for number, group in enumerate(groups)
        ]
    return plans


def _cut(rows: Iterable[RowSource], limit: int) -> Iterator[list[RowSource]]:
    """Yield runs of rows of at most ``limit`` bytes, or of one row."""
    run: list[RowSource] = []
    size = 0
    for row in rows:
        if run and size + row.size > limit:
            yield run
            run, size = [], 0
        run.append(row)
        size += row.size
    if run:
        yield run


def _evened(groups: list[list[RowSource]]) -> list[list[RowSource]]:
    """Return the groups with the last two made alike, and all before them as they were.

    Rows move where others are added, too; so more processes have something to do at the end.
    """
    if len(groups) < 2:
        return groups
    *before, last, rest = groups
    rows = [*last, *rest]
    sums = list(accumulate(row.size for row in rows))
    middle = min(range(1, len(rows)), key=lambda cut: max(sums[cut - 1], sums[-1] - sums[cut - 1]))
    return [*before, rows[:middle], rows[middle:]]


def write_shard(plan: ShardPlan) -> Shard:
    """Write one shard and return what it is; whole or not there, whoever else writes it too."""
    path = plan.folder / plan.path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{own_name()}{PARTIAL}")
    record = CONFIGS[plan.config]
    schema = arrow_schema(load_schema(record))
    lines = _Lines("attempt" if record == "sample" else record)
    with LineReader() as reader, _writer(partial, schema, plan.shard_format) as writer:
        for group in _cut(plan.rows, ROW_GROUP_BYTES):
            batches = [
                record_batch(
                    (_row(source, plan.threshold, reader, lines) for source in batch), schema
                )
                for batch in _cut(group, _BATCH_BYTES)
            ]
            if plan.shard_format == "parquet":
                writer.write_table(pa.Table.from_batches(batches), row_group_size=len(group))
            else:
                for batch in batches:
                    writer.write_batch(batch)
            del batches  # else it would be held until the next ones are there
    shard = Shard(
        path=plan.path,
        config=plan.config,
        split=plan.split,
        rows=len(plan.rows),
        bytes=partial.stat().st_size,
        sha256=digest_file(partial),
    )
    partial.replace(path)
    return shard


def _row(source: RowSource, threshold: float, reader: LineReader, lines: _Lines) -> JsonObject:
    """Return a row; what a column holds as JSON stays as it is spelt in its line."""
    *tasks, own = map(reader.read, source.lines)
    row = lines.parts(own)
    if not tasks:
        return row
    attempt = from_json({**row, **lines.nothing}, Attempt)
    task = from_json(orjson.loads(tasks[0]), Task)
    sample = to_row(make_sample(task, attempt, threshold))
    return {**sample, **{name: row[name] for name in lines.nothing if name in sample}}


class _Lines:
    """Reads the lines of a record, but leaves what is kept as JSON as it is spelt.

    ``nothing`` are the columns that it leaves, each with a value of its kind that holds nothing.
    """

    def __init__(self, record: str) -> None:
        columns = arrow_schema(load_schema(record))
        self.nothing: JsonObject = {
            field.name: () if pa.types.is_list(field.type) else {}
            for field in columns
            if is_json(field.type) or is_json_list(field.type)
        }
        kinds = [(field.name, _kind(field.type)) for field in columns]
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Line", kinds, gc=False))

    def parts(self, line: bytes) -> JsonObject:
        """Return the values of a line by name."""
        return msgspec.structs.asdict(self._decoder.decode(line))


def _kind(kind: pa.DataType) -> Any:
    """Return what a column's values are taken as."""
    if is_json(kind):
        return msgspec.Raw
    return list[msgspec.Raw] | None if is_json_list(kind) else Any


def _writer(
    path: Path, schema: pa.Schema, shard_format: ShardFormat
) -> AbstractContextManager[Any]:
    if shard_format == "arrow":
        return pa.ipc.new_stream(str(path), schema)  # type: ignore[no-any-return]
    return pq.ParquetWriter(path, schema, **PARQUET)  # type: ignore[no-any-return]
