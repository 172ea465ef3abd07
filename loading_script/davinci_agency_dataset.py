"""Reads a release with `datasets` 2.x and 3.x, which know no JSON columns.

Newer versions need no script: they read the shards as the card names them, and refuse a repository
that holds one beside the data. So this file is published on a branch of its own (``script``), and
old clients say ``load_dataset(repo, config, revision="script", trust_remote_code=True)``.

Where the release is and what its columns are stands in ``columns.py``; JSON values arrive as
strings. With ``data_dir`` it reads a release in a folder instead, in any version of `datasets`.
"""

import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from .columns import COLUMNS, CONFIGS, REPOSITORY, SHARDS, VERSION

_BATCH_ROWS = 64


def _feature(kind):
    """Return a type as `datasets` has it; a list stays a list, of structures too."""
    if isinstance(kind, dict):
        return {name: _feature(inner) for name, inner in kind.items()}
    if isinstance(kind, list):
        return [_feature(kind[0])]
    return datasets.Value(kind)


def _plain(kind):
    """Return an Arrow type in which JSON values are the strings that they are stored as."""
    if isinstance(kind, pa.BaseExtensionType):
        return kind.storage_type
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _plain(field.type)) for field in kind])
    return kind


def _read(path, kind):
    # With the builtin `open`, which `datasets` replaces where it streams.
    with open(path, "rb") as file:
        if kind == "arrow":
            with pa.ipc.open_stream(file) as stream:
                yield from stream
        else:
            with pq.ParquetFile(file) as parquet:
                yield from parquet.iter_batches(batch_size=_BATCH_ROWS)


class DavinciAgency(datasets.ArrowBasedBuilder):
    """One release; its configs are those that have rows."""

    VERSION = datasets.Version(VERSION)
    BUILDER_CONFIGS = [
        datasets.BuilderConfig(name=name, version=datasets.Version(VERSION))
        for name in (SHARDS or CONFIGS)
    ]

    def _info(self):
        columns = COLUMNS[CONFIGS[self.config.name]]
        return datasets.DatasetInfo(features=datasets.Features(_feature(columns)))

    def _split_generators(self, dl_manager):
        splits = self._paths()
        if not splits:
            raise ValueError(f"This release has no rows for {self.config.name!r}.")
        generators = []
        for split, paths in splits.items():
            files = dl_manager.download(paths)
            # A downloaded file has lost its name, and with it the suffix that tells its format.
            formats = ["arrow" if path.endswith(".arrow") else "parquet" for path in paths]
            shards = {"shards": list(zip(files, formats))}  # noqa: B905 - Python 3.9 has no strict
            generators.append(datasets.SplitGenerator(name=split, gen_kwargs=shards))
        return generators

    def _paths(self):
        if self.config.data_dir is None and REPOSITORY:
            root = f"{datasets.config.HF_ENDPOINT}/datasets/{REPOSITORY}/resolve/v{VERSION}"
            return {
                split: [f"{root}/{path}" for path in paths]
                for split, paths in SHARDS.get(self.config.name, {}).items()
            }
        if self.config.data_dir is None:
            raise ValueError("Say where the release is: data_dir='release'.")
        folder = Path(self.config.data_dir)
        shards = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["shards"]
        splits = {}
        for shard in shards:
            if shard["config"] == self.config.name:
                splits.setdefault(shard["split"], []).append(str(folder / shard["path"]))
        return splits

    def _generate_tables(self, shards):
        for number, (path, kind) in enumerate(shards):
            for place, batch in enumerate(_read(path, kind)):
                columns = [column.cast(_plain(column.type)) for column in batch.columns]
                yield f"{number}-{place}", pa.table(columns, names=batch.schema.names)
