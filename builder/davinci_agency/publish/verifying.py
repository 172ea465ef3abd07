"""A release read back from the Hub, as its users will read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import yaml

from davinci_agency.errors import ReleaseError, RemoteError
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.publish.hub import HubRepository, RemoteState, not_found_as_error
from davinci_agency.publish.streaming import streaming_faults
from davinci_agency.release import CARD, CONFIGS, Manifest, Shard
from davinci_agency.schema import load_schema, validator
from davinci_agency.schema.arrow import arrow_schema, dataset_rows

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of a release on the Hub.

    Attributes:
        repository: the dataset repository.
        revision: what was asked for.
        commit: the commit that this is.
        version: the version that its manifest names.
        rows: the rows of every config, counted there.
    """

    repository: str
    revision: str
    commit: str
    version: str | None
    rows: dict[str, int]


def verify_release(
    repository: HubRepository, revision: str, progress: Progress = SILENT
) -> Verified:
    """Read a release back from the Hub and hold it against its own manifest.

    Looked at are the size and the digest of every shard, its rows and columns as its footer tells
    them, what the card says to `datasets`, and the first and the last row of every config; the
    first row comes by streaming with `datasets`, as a user gets it. Raises `ReleaseError` naming
    every fault.
    """
    with not_found_as_error(repository):
        state = repository.state(revision)
    if state is None:
        raise RemoteError(f"{repository.name} has no {revision}, or this token may not see it.")
    manifest = state.manifest
    if manifest is None:
        raise ReleaseError(f"{repository.name}@{revision} holds no release: it has no manifest.")
    faults = [*_file_faults(state, manifest), *_card_faults(repository, state, manifest)]
    rows: dict[str, int] = {}
    if not faults:
        for config in track(_configs(manifest), progress, "read it back", len(manifest.rows)):
            rows[config] = 0
            shards = manifest.shards_of(config)
            for shard in shards:
                rows[config] += shard.rows
                faults += _shard_faults(repository, state.head, manifest, shard, shards)
        splits = [
            (config, split) for config in _configs(manifest) for split in manifest.splits_of(config)
        ]
        faults += streaming_faults(repository.name, state.head, manifest.shard_format, splits)
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        raise ReleaseError(f"{repository.name}@{revision} is not whole:\n{listed}")
    return Verified(repository.name, revision, state.head, manifest.version, rows)


def _configs(manifest: Manifest) -> list[str]:
    return [config for config, rows in manifest.rows.items() if rows]


def _file_faults(state: RemoteState, manifest: Manifest) -> Iterator[str]:
    for shard in manifest.shards:
        file = state.files.get(shard.path)
        if file is None:
            yield f"{shard.path} is missing"
        elif file.bytes != shard.bytes or file.sha256 not in (None, shard.sha256):
            yield f"{shard.path} is not the file that the manifest describes"
    known = {shard.path for shard in manifest.shards}
    for path in sorted(state.files):
        if path.partition("/")[0] in CONFIGS and path not in known:
            yield f"{path} is there, but the manifest does not name it"


def _card_faults(
    repository: HubRepository, state: RemoteState, manifest: Manifest
) -> Iterator[str]:
    if CARD not in state.files:
        yield f"{CARD} is missing"
        return
    parts = repository.read(CARD, state.head).decode(errors="replace").split("---\n", 2)
    try:
        front: Any = yaml.safe_load(parts[1])
        named = {
            config["config_name"]: {each["split"]: each["path"] for each in config["data_files"]}
            for config in front["configs"]
        }
    except (yaml.YAMLError, KeyError, TypeError, IndexError):
        yield f"{CARD} does not name the files of its configs"
        return
    wanted = {
        config: {
            split: [shard.path for shard in shards]
            for split, shards in manifest.splits_of(config).items()
        }
        for config in _configs(manifest)
    }
    if named != wanted:
        yield f"{CARD} names other files than the manifest"


def _shard_faults(
    repository: HubRepository, commit: str, manifest: Manifest, shard: Shard, all_of: list[Shard]
) -> Iterator[str]:
    record = CONFIGS[shard.config]
    expected = arrow_schema(load_schema(record, manifest.schema_version))
    address = f"datasets/{repository.name}@{commit}/{shard.path}"
    with repository.files().open(address, "rb", block_size=_BLOCK) as file:
        rows, schema, ends = _ends(file, shard.path)
    if rows != shard.rows:
        yield f"{shard.path} has {rows} rows; the manifest says {shard.rows}"
    if schema != expected:
        yield f"{shard.path} has columns that {record} does not declare so"
        return
    check = validator(record, manifest.schema_version)
    is_end = {"first": shard is all_of[0], "last": shard is all_of[-1]}
    for which, row in ends.items():
        for fault in check.faults(row) if is_end[which] else ():
            yield f"{shard.path}: its {which} row: {fault}"


def _ends(file: BinaryIO, path: str) -> tuple[int, pa.Schema, dict[str, Any]]:
    """Return a shard's number of rows, its columns, and its first and last row."""
    if path.endswith(".arrow"):
        with pa.ipc.open_stream(file) as stream:
            batches = list(stream)
            rows = sum(batch.num_rows for batch in batches)
            first, last = batches[0].slice(0, 1), batches[-1].slice(batches[-1].num_rows - 1)
            return rows, stream.schema, _rows(first, last)
    # By default pyarrow reads all columns of a row group ahead, which take a hundred megabytes.
    with pq.ParquetFile(file, pre_buffer=False, buffer_size=_BLOCK) as parquet:
        about = parquet.metadata
        first = next(parquet.iter_batches(batch_size=1, row_groups=[0]))
        for batch in parquet.iter_batches(batch_size=1, row_groups=[about.num_row_groups - 1]):
            last = batch
        return about.num_rows, parquet.schema_arrow, _rows(first, last)


def _rows(first: pa.RecordBatch, last: pa.RecordBatch) -> dict[str, Any]:
    return {"first": next(dataset_rows(first)), "last": next(dataset_rows(last))}
