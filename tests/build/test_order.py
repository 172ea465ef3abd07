"""The order of rows over releases: as first published, and new ones at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.errors import ReleaseError
from davinci_agency.release import check_release, read_batches, read_manifest
from tests.command import davinci, tree
from tests.samples import attempt, task, write_lines


def build(folder: Path, names: list[str], after: Path | None = None, **changes: Any) -> Path:
    """Build a release of an attempt for each name; a bad one gets a receipt too."""
    folder.mkdir(parents=True)
    tasks = [task(f"task-{name}") for name in names]
    attempts = [attempt(f"attempt-{name}", f"task-{name}", **changes) for name in names]
    bad = [attempt(f"attempt-bad-{name}", f"task-{name}", score=0.1) for name in names]
    inputs = BuildInputs(
        tasks=(write_lines(folder / "tasks.jsonl", tasks),),
        attempts=(write_lines(folder / "attempts.jsonl", attempts + bad),),
        after=after,
    )
    write_release(inputs, folder / "release")
    return folder / "release"


def order(release: Path, config: str, column: str) -> list[str]:
    """Return a column of a config, without the words that all have in common."""
    shards = read_manifest(release).shards_of(config)
    values = [
        value
        for shard in shards
        for batch in read_batches(release, shard, [column])
        for value in batch[column].to_pylist()
    ]
    return [value.rpartition("-")[2] for value in values]


CONFIGS = {
    "tasks": "task_id",
    "single-pr": "attempt_id",
    "removals": "record_id",
}


@pytest.mark.parametrize("config", list(CONFIGS))
def test_rows_stay_where_they_are_and_new_ones_come_last(config: str, tmp_path: Path) -> None:
    first = build(tmp_path / "1", ["m", "d", "x"])
    second = build(tmp_path / "2", ["a", "m", "x", "d", "k"], first)
    third = build(tmp_path / "3", ["z", "k", "m", "a", "d", "b"], second)
    column = CONFIGS[config]
    assert order(first, config, column) == ["d", "m", "x"]
    assert order(second, config, column) == ["d", "m", "x", "a", "k"]
    assert order(third, config, column) == ["d", "m", "a", "k", "b", "z"]
    assert list(check_release(third)) == []


def test_a_row_that_says_something_else_keeps_its_place(tmp_path: Path) -> None:
    first = build(tmp_path / "1", ["m", "d"])
    second = build(tmp_path / "2", ["d", "m", "a"], first, score=0.9)
    assert order(second, "single-pr", "attempt_id") == ["d", "m", "a"]


def test_the_same_release_again_is_the_same_whether_or_not_it_is_built_on_itself(
    tmp_path: Path,
) -> None:
    first = build(tmp_path / "1", ["m", "d", "x"])
    again = build(tmp_path / "2", ["x", "d", "m"], first)
    kept, found = tree(first), tree(again)
    # The manifest names the release that it was built after.
    assert kept.pop("manifest.json") != found.pop("manifest.json")
    assert kept == found
    assert "release" in {file.record for file in read_manifest(again).inputs}


def test_a_release_before_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is no release"):
        build(tmp_path / "1", ["m"], tmp_path)
    tasks = write_lines(tmp_path / "tasks.jsonl", [task("task-1")])
    said = davinci(
        "build", "--tasks", tasks, "--out", tmp_path / "release", "--after", tmp_path / "nothing"
    )
    assert (said.code, "is no release" in said.stderr) == (1, True)
    assert not (tmp_path / "release").exists()
