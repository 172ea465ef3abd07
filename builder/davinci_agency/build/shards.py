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

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from davinci_agency.build.rows import RowSource, read_row
from davinci_agency.files import digest_file
from davinci_agency.records import SPLITS, Split
from davinci_agency.release import (
    CONFIGS,
    ROW_GROUP_BYTES,
    Shard,
    ShardFormat,
    parquet_options,
    shard_path,
)
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import arrow_schema, record_batch
from davinci_agency.spooling import LineReader, own_name

SHARD_BYTES = 256 << 20
"""A shard's rows as JSON, at most (but for a single larger row)."""
PARTIAL = ".partial"
"""How the name of a shard ends that is not whole yet."""
_BATCH_BYTES = 4 << 20
"""Rows turned into Arrow at once; Python objects take several times this much memory."""


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
    schema = arrow_schema(load_schema(CONFIGS[plan.config]))
    with LineReader() as reader, _writer(partial, schema, plan) as writer:
        for group in _cut(plan.rows, ROW_GROUP_BYTES):
            batches = [
                record_batch(
                    (read_row(row, plan.config, plan.threshold, reader) for row in batch), schema
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


def _writer(path: Path, schema: pa.Schema, plan: ShardPlan) -> AbstractContextManager[Any]:
    if plan.shard_format == "arrow":
        return pa.ipc.new_stream(str(path), schema)  # type: ignore[no-any-return]
    options = parquet_options(plan.size / len(plan.rows))
    return pq.ParquetWriter(path, schema, **options)  # type: ignore[no-any-return]
