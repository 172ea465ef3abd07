"""From a release to a folder in another form: the stage's main sentence."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from davinci_agency.errors import CommandError, ReleaseError
from davinci_agency.export.portable import portable_batch, portable_schema
from davinci_agency.files import atomic_file, atomic_folder, digest_file
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.release import (
    CARD,
    CONFIGS,
    MANIFEST,
    PARQUET,
    ROW_GROUP_BYTES,
    Manifest,
    Shard,
    read_batches,
    read_manifest,
)
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import arrow_schema
from davinci_agency.stage import Summary

ExportFormat = Literal["portable"]
MARKER = "export.json"
"""Says what an export was made from."""


def export_release(
    release: Path, out: Path, form: ExportFormat = "portable", *, progress: Progress = SILENT
) -> Summary:
    """Write every config of a release in another form.

    Counted are the rows. Held in memory: a row group. Raises `ReleaseError` if the
    release can't be read, and `CommandError` if it would be written over.
    """
    begun = time.monotonic()
    manifest = read_manifest(release)
    here, there = release.resolve(), out.resolve()
    if there in (here, *here.parents) or here in there.parents:
        raise CommandError(f"{out} holds the release itself; choose another --out.")
    written = {config: 0 for config, rows in manifest.rows.items() if rows}
    with atomic_folder(out, MARKER) as folder:
        for shard in track(manifest.shards, progress, "export shards", len(manifest.shards)):
            written[shard.config] += _export_shard(release, folder, shard, manifest)
        about = {
            "form": form,
            "name": manifest.name,
            "version": manifest.version,
            "manifest_sha256": digest_file(release / MANIFEST),
            "rows": written,
        }
        with atomic_file(folder / MARKER) as file:
            file.write(orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        with atomic_file(folder / CARD) as file:
            file.write(_card(manifest).encode())
    total = sum(written.values())
    seconds = round(time.monotonic() - begun, 3)
    return Summary("export", total, total, 0, 0, seconds, written)


def _export_shard(release: Path, folder: Path, shard: Shard, manifest: Manifest) -> int:
    """Write a shard in the other form, and return the number of its rows."""
    if not (release / shard.path).is_file() or digest_file(release / shard.path) != shard.sha256:
        raise ReleaseError(
            f"{shard.path} is not the file that the manifest describes; build the release again."
        )
    path = folder / _parquet_path(shard)
    path.parent.mkdir(exist_ok=True)
    columns = arrow_schema(load_schema(CONFIGS[shard.config], manifest.schema_version))
    schema = portable_schema(columns)
    held: list[pa.RecordBatch] = []
    with pq.ParquetWriter(path, schema, **PARQUET) as writer:
        for batch in read_batches(release, shard):
            held.append(_portable(batch, shard))
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
