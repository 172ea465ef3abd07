"""Shards: which rows go into which file, and the files written, each by a process of its own.

Rows are cut into shards and row groups by their size as JSON, so that a row of 12 MB and a row of
15 KB both end up in files that can be read with little memory. The cut depends on the rows alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from davinci_agency.build.order import Rows
from davinci_agency.build.rows import RowSource, read_row, read_sources
from davinci_agency.files import digest_file
from davinci_agency.layout import ROW_GROUP_BYTES, parquet_options
from davinci_agency.records import SPLITS, Split
from davinci_agency.release import (
    CONFIGS,
    Shard,
    ShardFormat,
    shard_path,
)
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import arrow_schema, leaf_columns, record_batch
from davinci_agency.spooling import LineReader, own_name

T = TypeVar("T")

SHARD_BYTES = 256 << 20
"""A shard's rows as JSON, at most (but for a single larger row)."""
PARTIAL = ".partial"
"""How the name of a shard ends that is not whole yet."""
_BATCH_BYTES = 4 << 20
"""Rows turned into Arrow at once; Python objects take several times this much memory."""


@dataclass(frozen=True, slots=True)
class ShardCut:
    """The rows of one shard: so many of a split, from a place on that counts from 0."""

    path: str
    config: str
    split: Split
    first: int
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One shard to write: everything that a process needs to know.

    ``sources`` is the file that tells where its rows come from: there may be a million.
    """

    folder: Path
    cut: ShardCut
    sources: Path
    shard_format: ShardFormat
    threshold: float


def cut_shards(rows: Rows, config: str, shard_format: ShardFormat) -> Iterator[ShardCut]:
    """Yield the shards of a config; none where there are no rows: `datasets` can't load those."""
    for split in SPLITS:
        cuts = list(cut_sizes(rows.sizes(config, split)))
        first = 0
        for number, (count, size) in enumerate(cuts):
            path = shard_path(config, split, number, len(cuts), shard_format)
            yield ShardCut(path, config, split, first, count, size)
            first += count


def cut_sizes(sizes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield how many rows a shard has and their size, for rows of some sizes in order.

    Full shards stay as they are when rows are added behind them. The last two are made alike, so
    that more processes have something to do at the end.
    """
    last: Sequence[int] = ()
    rest: Sequence[int] = ()
    for group in _cut(sizes, SHARD_BYTES, int):
        if last:
            yield len(last), sum(last)
        last, rest = rest, array("q", group)
    if last:
        both = array("q", [*last, *rest])
        sums = list(accumulate(both))
        middle = min(
            range(1, len(both)), key=lambda cut: max(sums[cut - 1], sums[-1] - sums[cut - 1])
        )
        last, rest = both[:middle], both[middle:]
        yield len(last), sum(last)
    if rest:
        yield len(rest), sum(rest)


def _cut(rows: Iterable[T], limit: int, size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield runs of rows of at most ``limit`` bytes, or of one row."""
    run: list[T] = []
    size = 0
    for row in rows:
        if run and size + size_of(row) > limit:
            yield run
            run, size = [], 0
        run.append(row)
        size += size_of(row)
    if run:
        yield run


def write_shard(plan: ShardPlan) -> Shard:
    """Write one shard and return what it is; whole or not there, whoever else writes it too."""
    path = plan.folder / plan.cut.path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{own_name()}{PARTIAL}")
    config = plan.cut.config
    schema = arrow_schema(load_schema(CONFIGS[config]))
    with LineReader() as reader, _writer(partial, schema, plan) as writer:
        for group in _cut(read_sources(plan.sources), ROW_GROUP_BYTES, _size):
            batches = [
                record_batch(
                    (read_row(row, config, plan.threshold, reader) for row in batch),
                    schema,
                )
                for batch in _cut(group, _BATCH_BYTES, _size)
            ]
            if plan.shard_format == "parquet":
                writer.write_table(pa.Table.from_batches(batches), row_group_size=len(group))
            else:
                for batch in batches:
                    writer.write_batch(batch)
            del batches  # else it would be held until the next ones are there
    shard = Shard(
        path=plan.cut.path,
        config=config,
        split=plan.cut.split,
        rows=plan.cut.count,
        bytes=partial.stat().st_size,
        sha256=digest_file(partial),
    )
    partial.replace(path)
    return shard


def _size(row: RowSource) -> int:
    return row.size


def _writer(path: Path, schema: pa.Schema, plan: ShardPlan) -> AbstractContextManager[Any]:
    if plan.shard_format == "arrow":
        return pa.ipc.new_stream(str(path), schema)  # type: ignore[no-any-return]
    columns = leaf_columns(load_schema(CONFIGS[plan.cut.config]))
    options = parquet_options(plan.cut.size / plan.cut.count, columns)
    return pq.ParquetWriter(path, schema, **options)  # type: ignore[no-any-return]
