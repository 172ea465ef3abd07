"""The split of everything that a release holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from davinci_agency.curate.views import pull_key
from davinci_agency.records import Split
from davinci_agency.release import read_batches, read_manifest


def published_splits(release: Path) -> Iterator[tuple[str, Split]]:
    """Yield what every pull request and task of a release is called, and its split.

    Raises `ReleaseError` if it can't be read.
    """
    for shard in read_manifest(release).shards:
        if shard.config == "pull-requests":
            for batch in read_batches(release, shard, ["repo", "number"]):
                for row in batch.to_pylist():
                    yield pull_key(row["repo"], row["number"]), shard.split
        elif shard.config == "tasks":
            for batch in read_batches(release, shard, ["task_id"]):
                for task_id in batch["task_id"].to_pylist():
                    yield task_id, shard.split
