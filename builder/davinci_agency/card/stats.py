"""What is in a release, counted from its shards; messages are read of one row a config."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from davinci_agency.parallel import HERE, Engine
from davinci_agency.release import (
    CONFIGS,
    Manifest,
    Shard,
    read_batches,
    read_manifest,
    read_rows,
)

_MEASURES = {
    "sample": ("num_turns", "num_tool_calls", "num_tokens", "score"),
    "attempt": ("num_turns", "num_tool_calls", "num_tokens", "score"),
    "task": (),
    "pull-request": ("additions", "deletions"),
    "removal": ("measure",),
}
_COUNTED = {
    "sample": ("repo", "language", "license", "model"),
    "attempt": ("model", "exit_status"),
    "task": ("repo", "language", "license", "kind"),
    "pull-request": ("repo", "language", "license", "merge_style", "author_kind"),
    "removal": ("stage", "rule"),
}
_LISTED = {
    "sample": ("stages", "edges"),
    "task": ("stages", "edges"),
    "pull-request": ("gaps",),
    "removal": ("record_type",),
}

STEPS = (0, *(digit * 10**power for power in range(9) for digit in (1, 2, 5)))
"""Where the classes of a large number begin: 1, 2, 5, 10, 20, 50, …"""
TENTHS = tuple(tenth / 10 for tenth in range(11))
"""Where the classes of a score begin."""


@dataclass(slots=True)
class Measure:
    """The figures of one column, where there is one.

    Attributes:
        count: rows that have a value.
        total, largest: of these values.
        steps: where the classes of values begin.
        classes: rows by class, by its beginning.
    """

    count: int = 0
    total: float = 0.0
    largest: float = 0.0
    steps: tuple[float, ...] = STEPS
    classes: Counter[float] = field(default_factory=Counter)

    def add(self, values: list[float | None]) -> None:
        """Take in some values; those that are not there don't count."""
        known = [value for value in values if value is not None]
        self.count += len(known)
        self.total += sum(known)
        self.largest = max([self.largest, *known])
        self.classes.update(
            self.steps[max(0, bisect_right(self.steps, value) - 1)] for value in known
        )

    def merge(self, other: Measure) -> None:
        """Take the figures of other rows in."""
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)
        self.classes += other.classes

    def between(self, low: float, high: float) -> int:
        """Return how many values there are from ``low`` to below ``high``; both begin classes."""
        return sum(count for step, count in self.classes.items() if low <= step < high)

    @property
    def mean(self) -> float | None:
        """The mean; ``None`` where there is no value."""
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class ConfigStats:
    """One config in figures.

    Attributes:
        config: its name.
        record: what a row of it is.
        rows: how many there are.
        bytes: the size of its shards.
        shards: their number.
        counts: rows by value, for the columns that tell rows apart.
        measures: figures by column.
        stages: rows by number of stages, where rows have stages.
        states: stages by the proof of their state, where rows have stages.
        edges: edges by type, where rows have edges.
        gaps: rows by what could not be had of them, where rows tell.
        receipts: rows by stage, kind of record and rule, where rows are receipts.
        first: the first row.
    """

    config: str
    record: str
    rows: int = 0
    bytes: int = 0
    shards: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    stages: Counter[int] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    receipts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    first: dict[str, Any] = field(default_factory=dict)

    def merge(self, other: ConfigStats) -> None:
        """Take the figures of other shards in."""
        self.rows += other.rows
        self.bytes += other.bytes
        self.shards += other.shards
        for column, counts in other.counts.items():
            self.counts[column] += counts
        for column, measure in other.measures.items():
            self.measures[column].merge(measure)
        self.stages += other.stages
        self.states += other.states
        self.edges += other.edges
        self.gaps += other.gaps
        self.receipts += other.receipts


@dataclass(frozen=True, slots=True)
class ReleaseStats:
    """A release in figures: its manifest, and every config that has rows."""

    manifest: Manifest
    configs: dict[str, ConfigStats]

    def to_json(self) -> dict[str, Any]:
        """Return the figures in JSON's types."""
        return {
            "name": self.manifest.name,
            "schema_version": self.manifest.schema_version,
            "configs": {name: _config_json(stats) for name, stats in self.configs.items()},
        }


def _config_json(stats: ConfigStats) -> dict[str, Any]:
    return {
        "rows": stats.rows,
        "bytes": stats.bytes,
        "shards": stats.shards,
        "counts": {column: dict(sorted(counts.items())) for column, counts in stats.counts.items()},
        "means": {column: measure.mean for column, measure in stats.measures.items()},
        "largest": {
            column: measure.largest for column, measure in stats.measures.items() if measure.count
        },
        "stages": {str(count): rows for count, rows in sorted(stats.stages.items())},
        "edges": dict(sorted(stats.edges.items())),
    }


def measure_release(folder: Path, engine: Engine = HERE) -> ReleaseStats:
    """Return a release in figures, each shard's by itself, then all of a config together.

    Raises `ReleaseError` if it can't be read.
    """
    manifest = read_manifest(folder)
    shards = [shard for config in CONFIGS for shard in manifest.shards_of(config) if shard.rows]
    shown = {shard.config: shard for shard in reversed(shards)}
    measure = partial(_measure, folder.absolute(), frozenset(s.path for s in shown.values()))
    configs: dict[str, ConfigStats] = {}
    for shard, part in zip(shards, engine.map(measure, shards), strict=True):
        if shard.config in configs:
            configs[shard.config].merge(part)
        else:
            configs[shard.config] = part
    return ReleaseStats(manifest, configs)


def _measure(folder: Path, shown: frozenset[str], shard: Shard) -> ConfigStats:
    """Return a shard in figures; with its first row if it is one of those ``shown``."""
    record = CONFIGS[shard.config]
    stats = ConfigStats(shard.config, record, bytes=shard.bytes, shards=1)
    if shard.path in shown:
        stats.first = next(read_rows(folder, shard), {})
    stats.counts = {column: Counter() for column in _COUNTED[record]}
    stats.measures = {
        column: Measure(steps=TENTHS if column == "score" else STEPS)
        for column in _MEASURES[record]
    }
    listed = _LISTED.get(record, ())
    for batch in read_batches(folder, shard, [*stats.counts, *stats.measures, *listed]):
        stats.rows += batch.num_rows
        for column, counts in stats.counts.items():
            counts.update(str(value or "unknown") for value in batch[column].to_pylist())
        for column, measure in stats.measures.items():
            measure.add(batch[column].to_pylist())
        if "stages" in listed:
            stats.stages.update(batch["stages"].value_lengths().to_pylist())
            stats.states.update(_inner(batch, "stages", "apply_status"))
            stats.edges.update(_inner(batch, "edges", "type"))
        if "record_type" in listed:
            names = ("stage", "record_type", "rule")
            stats.receipts.update(zip(*(batch[n].to_pylist() for n in names), strict=True))
        if "gaps" in listed:
            stats.gaps.update(batch["gaps"].flatten().to_pylist())
    return stats


def _inner(batch: pa.RecordBatch, column: str, name: str) -> Iterator[str]:
    """Yield one field of all structures in a column of lists."""
    yield from batch[column].flatten().field(name).to_pylist()
