"""The split of everything that a release holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from davinci_agency.curate.views import pull_key
from davinci_agency.records import Split
from davinci_agency.release import read_batches, read_manifest


def published_splits(release: Path) -> Mapping[str, Split]:
    """Return the split of every pull request and task of a release, by what it is called.

    Held in memory: a key for each row. Raises `ReleaseError` if it can't be read.
    """
    splits: dict[str, Split] = {}
    for shard in read_manifest(release).shards:
        if shard.config == "pull-requests":
            for batch in read_batches(release, shard, ["repo", "number"]):
                for row in batch.to_pylist():
                    splits[pull_key(row["repo"], row["number"])] = shard.split
        elif shard.config == "tasks":
            for batch in read_batches(release, shard, ["task_id"]):
                splits.update(dict.fromkeys(batch["task_id"].to_pylist(), shard.split))
    return splits
