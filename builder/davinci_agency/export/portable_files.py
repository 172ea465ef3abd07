"""A release's shards as portable Parquet files, with a card that `load_dataset` reads."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from davinci_agency.errors import ReleaseError
from davinci_agency.export.forms import Written
from davinci_agency.export.portable import portable_batch, portable_schema
from davinci_agency.files import atomic_file
from davinci_agency.layout import ROW_GROUP_BYTES, parquet_options
from davinci_agency.progress import Progress, track
from davinci_agency.release import (
    CARD,
    CONFIGS,
    Manifest,
    Shard,
    read_batches,
)
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import arrow_schema


def write_portable(release: Path, folder: Path, manifest: Manifest, progress: Progress) -> Written:
    """Write every config; held in memory is a row group."""
    written = Written()
    for shard in track(manifest.shards, progress, "export shards", len(manifest.shards)):
        written.rows[shard.config] += _write_shard(release, folder, shard, manifest)
    with atomic_file(folder / CARD) as file:
        file.write(_card(manifest).encode())
    return written


def _write_shard(release: Path, folder: Path, shard: Shard, manifest: Manifest) -> int:
    """Write a shard in the other form, and return the number of its rows."""
    path = folder / _parquet_path(shard)
    path.parent.mkdir(exist_ok=True)
    columns = arrow_schema(load_schema(CONFIGS[shard.config], manifest.schema_version))
    schema = portable_schema(columns)
    batches = (_portable(batch, shard) for batch in read_batches(release, shard))
    held = list(islice(batches, 1))
    rows = sum(batch.num_rows for batch in held)
    options = parquet_options(sum(batch.nbytes for batch in held) / max(1, rows))
    with pq.ParquetWriter(path, schema, **options) as writer:
        for batch in batches:
            held.append(batch)
            if sum(each.nbytes for each in held) >= ROW_GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(held, schema))
                held = []
        if held:
            writer.write_table(pa.Table.from_batches(held, schema))
    return shard.rows


def _parquet_path(shard: Shard) -> str:
    return Path(shard.path).with_suffix(".parquet").as_posix()


def _portable(batch: pa.RecordBatch, shard: Shard) -> pa.RecordBatch:
    try:
        return portable_batch(batch)
    except (ValueError, AttributeError) as error:
        raise ReleaseError(f"{shard.path} holds what is no message ({error}).") from error


def _card(manifest: Manifest) -> str:
    """Return the few words that `load_dataset` needs, and a person."""
    front = {
        "configs": [
            {
                "config_name": config,
                "data_files": [
                    {"split": split, "path": [_parquet_path(shard) for shard in shards]}
                    for split, shards in manifest.splits_of(config).items()
                ],
            }
            for config, rows in manifest.rows.items()
            if rows
        ]
    }
    version = f" {manifest.version}" if manifest.version else ""
    return (
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n"
        f"# {manifest.name}{version}, portable\n\n"
        "The same rows without JSON values, for `datasets` before 4.7 and for trainers that want "
        "text: `messages` are structures, the arguments of tool calls, `tools` and `metadata` JSON "
        "as text, and what a message has besides stands in its `extra`.\n"
    )
