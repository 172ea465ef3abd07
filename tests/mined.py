"""Tasks of a real repository, made by the commands."""

from __future__ import annotations

from pathlib import Path

from tests.command import davinci


def make_tasks(repository: Path, folder: Path, kind: str) -> Path:
    """Mine the example's repository, and return the file of its tasks of one kind."""
    pulls, chains, tasks = (folder / f"{name}.jsonl" for name in ("pulls", "chains", "tasks"))
    commands: list[list[str | Path]] = [
        ["mine", repository, "--repo", "example/tallybook", "--license", "MIT", "--out", pulls],
        ["chain", pulls, "--out", chains, "--kind", kind],
        ["query", chains, "--out", tasks],
    ]
    for command in commands:
        done = davinci(*command)
        assert done.code == 0, done.stderr
    return tasks
