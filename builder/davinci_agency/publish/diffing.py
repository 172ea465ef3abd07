"""What differs between two releases: rows, columns, licences, figures."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from davinci_agency.ids import canonical
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.release import CONFIGS, Manifest, Shard, read_batches, read_manifest
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import arrow_schema, dataset_rows

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class ConfigDiff:
    """How one config differs.

    Attributes:
        config: its name.
        rows: its rows, before and after.
        added: rows that were not there before.
        removed: rows that are not there any more.
        changed: rows with the same identity and other content.
        columns: what happened to columns, in words.
        counts: how many rows more or less have each value, by column: licence, repository, …
    """

    config: str
    rows: tuple[int, int]
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """How one release differs from another."""

    configs: tuple[ConfigDiff, ...]
    schema: tuple[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether every row and column is the same."""
        return self.schema[0] == self.schema[1] and not any(
            config.added or config.removed or config.changed or config.columns
            for config in self.configs
        )


def diff_releases(before: Path, after: Path, progress: Progress = SILENT) -> ReleaseDiff:
    """Return how the release in one folder differs from that in another.

    Shards of the same digest are not read. Held in memory: an identity and 16 bytes for each row of
    the others. Raises `ReleaseError` if one of them is no release.
    """
    manifests = read_manifest(before), read_manifest(after)
    configs = [name for name in CONFIGS if any(manifest.rows.get(name) for manifest in manifests)]
    return ReleaseDiff(
        configs=tuple(
            _diff_config((before, after), manifests, config)
            for config in track(configs, progress, "compare", len(configs))
        ),
        schema=(manifests[0].schema_version, manifests[1].schema_version),
    )


def _diff_config(
    folders: tuple[Path, Path], manifests: tuple[Manifest, Manifest], config: str
) -> ConfigDiff:
    shards = tuple(manifest.shards_of(config) for manifest in manifests)
    shared = {shard.sha256 for shard in shards[0]} & {shard.sha256 for shard in shards[1]}
    record = CONFIGS[config]
    sides = [
        _read(folder, [shard for shard in each if shard.sha256 not in shared], record)
        for folder, each in zip(folders, shards, strict=True)
    ]
    old, new = (side.digests for side in sides)
    counts = {
        column: {
            value: difference
            for value in sorted({**sides[0].counts[column], **sides[1].counts[column]})
            if (difference := sides[1].counts[column][value] - sides[0].counts[column][value])
        }
        for column in sides[0].counts
    }
    return ConfigDiff(
        config=config,
        rows=(manifests[0].rows.get(config, 0), manifests[1].rows.get(config, 0)),
        added=len(new.keys() - old.keys()),
        removed=len(old.keys() - new.keys()),
        changed=sum(old[key] != new[key] for key in old.keys() & new.keys()),
        columns=_column_changes(record, manifests[0].schema_version, manifests[1].schema_version),
        counts={column: changes for column, changes in counts.items() if changes},
    )


@dataclass(slots=True)
class _Side:
    digests: dict[tuple[Any, ...], bytes]
    counts: dict[str, Counter[str]]


def _read(folder: Path, shards: list[Shard], record: str) -> _Side:
    schema = load_schema(record).document
    key, columns = schema["x-identity"], schema["properties"]
    counted = [name for name in ("license", "language", "repo") if name in columns]
    side = _Side({}, {name: Counter() for name in counted})
    for shard in shards:
        for batch in read_batches(folder, shard):
            for row in dataset_rows(batch):
                digest = hashlib.blake2b(canonical(row), digest_size=_DIGEST_BYTES)
                side.digests[tuple(row[name] for name in key)] = digest.digest()
                for name in counted:
                    side.counts[name][str(row[name] or "unknown")] += 1
    return side


def _column_changes(record: str, before: str, after: str) -> tuple[str, ...]:
    if before == after:
        return ()
    old, new = (
        {field.name: field.type for field in _columns(record, version)}
        for version in (before, after)
    )
    gone = [f"{name} is gone" for name in old if name not in new]
    come = [f"{name} is new: {new[name]}" for name in new if name not in old]
    other = [
        f"{name} was {old[name]} and is {new[name]}"
        for name in old.keys() & new.keys()
        if old[name] != new[name]
    ]
    return tuple(gone + come + sorted(other))


def _columns(record: str, version: str) -> pa.Schema:
    return arrow_schema(load_schema(record, version))
