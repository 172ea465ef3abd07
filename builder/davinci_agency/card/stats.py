"""What is in a release, counted from its shards; texts and messages are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from davinci_agency.release import CONFIGS, Manifest, read_batches, read_manifest

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


@dataclass(slots=True)
class Measure:
    """The figures of one column, where there is one."""

    count: int = 0
    total: float = 0.0
    largest: float = 0.0

    def add(self, values: list[float | None]) -> None:
        """Take in some values; those that are not there don't count."""
        known = [value for value in values if value is not None]
        self.count += len(known)
        self.total += sum(known)
        self.largest = max([self.largest, *known])

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
        edges: edges by type, where rows have edges.
    """

    config: str
    record: str
    rows: int = 0
    bytes: int = 0
    shards: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    stages: Counter[int] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)


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


def measure_release(folder: Path) -> ReleaseStats:
    """Return a release in figures. Raises `ReleaseError` if it can't be read."""
    manifest = read_manifest(folder)
    configs = {
        config: _measure_config(folder, manifest, config)
        for config in CONFIGS
        if manifest.rows.get(config)
    }
    return ReleaseStats(manifest, configs)


def _measure_config(folder: Path, manifest: Manifest, config: str) -> ConfigStats:
    record = CONFIGS[config]
    stats = ConfigStats(config, record)
    stats.counts = {column: Counter() for column in _COUNTED[record]}
    stats.measures = {column: Measure() for column in _MEASURES[record]}
    nested = [] if record not in ("sample", "task") else ["stages", "edges"]
    for shard in manifest.shards_of(config):
        stats.shards += 1
        stats.bytes += shard.bytes
        for batch in read_batches(folder, shard, [*stats.counts, *stats.measures, *nested]):
            stats.rows += batch.num_rows
            for column, counts in stats.counts.items():
                counts.update(str(value or "unknown") for value in batch[column].to_pylist())
            for column, measure in stats.measures.items():
                measure.add(batch[column].to_pylist())
            if nested:
                stats.stages.update(batch["stages"].value_lengths().to_pylist())
                stats.edges.update(_edge_types(batch))
    return stats


def _edge_types(batch: pa.RecordBatch) -> Iterator[str]:
    yield from batch["edges"].flatten().field("type").to_pylist()
