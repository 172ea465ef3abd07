"""A release: a folder of shards with a manifest that can be held against them.

    release/
        README.md                                   the card
        NOTICES.txt                                 licences and notices of the repositories
        plots/<name>.svg                            its plots
        manifest.json                               versions, digests of inputs and outputs, counts
        schemas/<version>/<record>.schema.json      what the columns mean
        <config>/<split>-00000-of-0000N.parquet     (or .arrow)

Nothing in the manifest depends on when, where or by how many processes the release was made.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import orjson
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from davinci_agency.errors import ReleaseError
from davinci_agency.files import atomic_file, digest_file
from davinci_agency.notices import NOTICES
from davinci_agency.printable import printable
from davinci_agency.records import SPLITS, JsonObject, Split
from davinci_agency.schema import load_schema, schema_files, validator, versions
from davinci_agency.schema.arrow import arrow_schema, dataset_rows

MANIFEST = "manifest.json"
CARD = "README.md"
CHANGELOG = "CHANGELOG.md"
NAME = re.compile(r"[A-Za-z0-9][\w.+/-]{0,199}", re.ASCII)
"""What names a dataset, a repository, a program or a version."""
PLOTS = "plots"
SCHEMAS = "schemas"

_BATCH_BYTES = 4 << 20
"""Rows read at once, as their columns are before compression; one row, if it is larger."""
_MOST_ROWS = 256
_BUFFER_BYTES = 1 << 20
"""Read at once of each column; by default pyarrow reads all of a row group's columns ahead."""

ShardFormat = Literal["parquet", "arrow"]

CONFIGS: dict[str, str] = {
    "single-pr": "sample",
    "temporal-chain": "sample",
    "semantic-chain": "sample",
    "tasks": "task",
    "attempts": "attempt",
    "pull-requests": "pull-request",
    "removals": "removal",
}
"""Every config of a release, and the record that one of its rows is."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that a release was made from."""

    record: str
    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of rows. ``path`` is relative to the release."""

    path: str
    config: str
    split: Split
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a release is made of.

    Attributes:
        name: the dataset's name.
        schema_version: the version of the schemas that its rows follow.
        shard_format: ``parquet`` or ``arrow``.
        made_with: the version of every program that the bytes depend on.
        options: the options that the rows depend on.
        inputs: the files that it was made from.
        rows: rows by config.
        shards: the files that it consists of.
        repository: where on the Hub it was published; ``None`` before that.
        version: the version under which; ``None`` before that.
        withdrawn: versions that were taken back later, and why.
        notices_sha256: the digest of the notices; ``None`` if none were given.
        curation: the rules that took records out (``on``), that only marked them (``marking``) and
            that were ``off``; ``None`` if nothing was curated.
    """

    name: str
    schema_version: str
    shard_format: ShardFormat
    made_with: dict[str, str]
    options: dict[str, float]
    inputs: tuple[InputFile, ...]
    rows: dict[str, int]
    shards: tuple[Shard, ...]
    repository: str | None = None
    version: str | None = None
    withdrawn: dict[str, str] = field(default_factory=dict)
    notices_sha256: str | None = None
    curation: dict[str, tuple[str, ...]] | None = None

    def shards_of(self, config: str) -> list[Shard]:
        """Return the shards of a config, in order."""
        return [shard for shard in self.shards if shard.config == config]

    def splits_of(self, config: str) -> dict[Split, list[Shard]]:
        """Return the shards of a config by split, in order; a split without rows has no key."""
        shards = self.shards_of(config)
        by_split = {split: [s for s in shards if s.split == split] for split in SPLITS}
        return {split: held for split, held in by_split.items() if held}

    def rows_in(self, config: str, split: Split) -> int:
        """Return how many rows a split of a config has."""
        return sum(shard.rows for shard in self.shards_of(config) if shard.split == split)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a release's manifest."""
    with atomic_file(folder / MANIFEST) as file:
        file.write(manifest_bytes(manifest))


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return a manifest as it stands in its file."""
    return orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def parse_manifest(raw: bytes) -> Manifest:
    """Return the manifest in some bytes. Raises `msgspec.DecodeError` if there is none."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error
    for fault in _manifest_faults(manifest):
        raise msgspec.DecodeError(fault)
    return manifest


def _manifest_faults(manifest: Manifest) -> Iterator[str]:
    """Yield what no manifest of ours says: it names files, and its words stand on the card."""
    names = [manifest.name, *manifest.made_with, *manifest.made_with.values(), *manifest.withdrawn]
    names += [name for name in (manifest.repository, manifest.version) if name is not None]
    names += [rule for rules in (manifest.curation or {}).values() for rule in rules]
    for name in names:
        if not NAME.fullmatch(name):
            yield f"{name[:40]!r} is no name and no version"
    if manifest.schema_version not in versions():
        yield f"there is no schema version {manifest.schema_version[:40]!r}"
    if manifest.curation is not None and set(manifest.curation) != {"on", "marking", "off"}:
        yield "it does not tell which rules it was curated by"
    if "threshold" not in manifest.options:
        yield "it does not tell the threshold"
    for config in {**manifest.rows, **{shard.config: 0 for shard in manifest.shards}}:
        if config not in CONFIGS:
            yield f"there is no config {config[:40]!r}"
    for config in CONFIGS:
        shards = manifest.shards_of(config)
        if sum(shard.rows for shard in shards) != manifest.rows.get(config, 0):
            yield f"the rows of {config} are not those of its shards"
        named = [
            shard_path(config, split, number, len(held), manifest.shard_format)
            for split, held in manifest.splits_of(config).items()
            for number in range(len(held))
        ]
        if [shard.path for shard in shards] != named:
            yield f"the shards of {config} are not called as they should be"


def shard_path(
    config: str, split: Split, number: int, count: int, shard_format: ShardFormat
) -> str:
    """Return where a shard stands in a release.

    >>> shard_path("tasks", "train", 0, 2, "parquet")
    'tasks/train-00000-of-00002.parquet'
    """
    return f"{config}/{split}-{number:05d}-of-{count:05d}.{shard_format}"


def read_manifest(folder: Path) -> Manifest:
    """Return a release's manifest. Raises `ReleaseError` if there is none, or it is damaged."""
    try:
        raw = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise ReleaseError(
            f"{folder} is no release: it has no {MANIFEST}; make one with davinci-agency build."
        ) from error
    try:
        return parse_manifest(raw)
    except msgspec.DecodeError as error:
        raise ReleaseError(
            f"{folder / MANIFEST} is damaged ({error}); build the release again."
        ) from error


def read_batches(
    folder: Path, shard: Shard, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield a shard's rows, some at a time, in all or some columns.

    Raises `ReleaseError` if it can't be read.
    """
    path = folder / shard.path
    if not path.is_file():
        raise ReleaseError(f"{path} is missing, or no file; build the release again.")
    try:
        for batch in _batches(path, columns):
            # A damaged file may hold anything, such as text that is none.
            batch.validate(full=True)
            yield batch
    except (OSError, pa.ArrowException, KeyError) as error:
        said = str(error)[:200]
        raise ReleaseError(f"{path} can't be read ({said}); build the release again.") from error


def _batches(path: Path, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    if path.suffix == ".arrow":
        with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                yield batch if columns is None else batch.select(columns)
    else:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as parquet:
            rows = _rows_at_once(parquet.metadata, columns)
            yield from parquet.iter_batches(batch_size=rows, columns=columns)


def read_rows(folder: Path, shard: Shard) -> Iterator[JsonObject]:
    """Yield a shard's rows in JSON's types. Raises `ReleaseError` if it can't be read."""
    try:
        for batch in read_batches(folder, shard):
            yield from dataset_rows(batch)
    except (ValueError, OverflowError) as error:
        said = f"{shard.path} holds what is no row ({str(error)[:200]})"
        raise ReleaseError(f"{said}; build the release again.") from error


@contextmanager
def config_lines(target: Path, config: str) -> Iterator[Path]:
    """Give a file of records: ``target`` itself, or if it is a release the rows of a config."""
    if not target.is_dir():
        yield target
        return
    manifest = read_manifest(target)
    with tempfile.NamedTemporaryFile(prefix="davinci-agency-", suffix=".jsonl") as file:
        for shard in manifest.shards_of(config):
            for row in read_rows(target, shard):
                file.write(orjson.dumps(row, option=orjson.OPT_UTC_Z) + b"\n")
        file.flush()
        yield Path(file.name)


def _rows_at_once(about: pq.FileMetaData, columns: Sequence[str] | None) -> int:
    """Return how many rows make a batch: of small columns more than of all."""
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    if columns is None:
        size = sum(group.total_byte_size for group in groups)
    else:
        leaves = range(about.num_columns)
        asked = [n for n in leaves if about.schema.column(n).path.split(".")[0] in columns]
        size = sum(group.column(n).total_uncompressed_size for group in groups for n in asked)
    return max(1, min(_MOST_ROWS, int(_BATCH_BYTES / max(1.0, size / max(1, about.num_rows)))))


def write_schemas(folder: Path, version: str) -> None:
    """Write the schemas of a version into a release."""
    for path, content in schema_files(version).items():
        file = folder / SCHEMAS / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def check_release(folder: Path) -> Iterator[str]:
    """Yield everything in which a release is not what its manifest and its schemas say.

    Digests, row counts, column types and every row are checked; plots go with the card, which
    another check holds against the rows. Raises `ReleaseError` if there is no manifest.
    """
    manifest = read_manifest(folder)
    schemas = {
        f"{SCHEMAS}/{path}": content
        for path, content in schema_files(manifest.schema_version).items()
    }
    named = {shard.path for shard in manifest.shards} | {MANIFEST, CARD, *schemas}
    if manifest.version is not None:
        named.add(CHANGELOG)  # written when it was published
    if manifest.notices_sha256 is not None:
        named.add(NOTICES)
        path = folder / NOTICES
        if not path.is_file() or digest_file(path) != manifest.notices_sha256:
            yield f"{NOTICES} is not the file that the manifest describes"
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        is_plot = relative.startswith(f"{PLOTS}/") and path.suffix == ".svg"
        shown = printable(relative)
        if path.is_symlink() and not path.is_file():
            yield f"{shown} is a link to a folder, or to nothing"
        elif path.is_file() and relative not in named and not is_plot:
            yield f"{shown} is there, but the manifest does not name it"
    for relative, content in schemas.items():
        path = folder / relative
        if not path.is_file() or path.read_bytes() != content:
            yield f"{relative} is not the schema that was released"
    for shard in manifest.shards:
        yield from _check_shard(folder, shard, manifest)
    for config, rows in manifest.rows.items():
        held = sum(shard.rows for shard in manifest.shards_of(config))
        if held != rows:
            yield f"{config} has {held} rows; the manifest says {rows}"


def _check_shard(folder: Path, shard: Shard, manifest: Manifest) -> Iterator[str]:
    path = folder / shard.path
    if not path.is_file():
        yield f"{shard.path} is missing"
        return
    if path.stat().st_size != shard.bytes or digest_file(path) != shard.sha256:
        yield f"{shard.path} is not the file that the manifest describes (its digest differs)"
        return
    schema = load_schema(CONFIGS[shard.config], manifest.schema_version)
    check = validator(CONFIGS[shard.config], manifest.schema_version)
    expected, row_number = arrow_schema(schema), 0
    try:
        for batch in read_batches(folder, shard):
            if batch.schema != expected:
                yield f"{shard.path} has columns that {schema.name} does not declare so"
                return
            for row in dataset_rows(batch):
                for fault in check.faults(row):
                    yield f"{shard.path}: row {row_number}: {fault}"
                row_number += 1
    except (ReleaseError, ValueError, OverflowError) as error:
        yield f"{shard.path} holds what is no row ({str(error)[:200]})"
        return
    if row_number != shard.rows:
        yield f"{shard.path} has {row_number} rows; the manifest says {shard.rows}"


def manifest_json(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest in JSON's types."""
    value: dict[str, Any] = msgspec.to_builtins(manifest)
    return value
