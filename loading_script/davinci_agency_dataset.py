"""Reads a release with `datasets` 2.x and 3.x, which know no JSON columns.

Newer versions need no script: they read the shards as the card names them, and refuse a repository
that holds one beside the data. So this file belongs on a branch of its own (``script``), and old
clients say ``load_dataset(repo, config, revision="script", trust_remote_code=True)``.

Everything comes from the release's manifest and shards; JSON values arrive as strings.
"""

import json

import datasets
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

_CONFIGS = [
    "single-pr",
    "temporal-chain",
    "semantic-chain",
    "tasks",
    "attempts",
    "pull-requests",
    "removals",
]
_BATCH_ROWS = 64


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
    if kind == "arrow":
        with pa.memory_map(path) as file, pa.ipc.open_stream(file) as stream:
            yield from stream
    else:
        with pq.ParquetFile(path) as parquet:
            yield from parquet.iter_batches(batch_size=_BATCH_ROWS)


class DavinciAgency(datasets.ArrowBasedBuilder):
    """One release; its configs are those of the manifest that have rows."""

    BUILDER_CONFIGS = [datasets.BuilderConfig(name=name) for name in _CONFIGS]

    def _info(self):
        return datasets.DatasetInfo()

    def _split_generators(self, dl_manager):
        root = self.config.data_dir + "/" if self.config.data_dir else ""
        with open(dl_manager.download(root + "manifest.json"), encoding="utf-8") as file:
            shards = json.load(file)["shards"]
        paths = [root + shard["path"] for shard in shards if shard["config"] == self.config.name]
        if not paths:
            raise ValueError(f"This release has no rows for {self.config.name!r}.")
        files = dl_manager.download(paths)
        # A downloaded file has lost its name, and with it the suffix that tells its format.
        formats = ["arrow" if path.endswith(".arrow") else "parquet" for path in paths]
        shards = {"shards": list(zip(files, formats, strict=True))}
        return [datasets.SplitGenerator(name=datasets.Split.TRAIN, gen_kwargs=shards)]

    def _generate_tables(self, shards):
        for number, (path, kind) in enumerate(shards):
            for place, batch in enumerate(_read(path, kind)):
                columns = [column.cast(_plain(column.type)) for column in batch.columns]
                yield f"{number}-{place}", pa.table(columns, names=batch.schema.names)
