"""Chain files made elsewhere: tasks, with the facts from the mined pull requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import davinci
from tests.samples import example, read_lines, write_lines

PATCH = "diff --git a/core.py b/core.py\n--- a/core.py\n+++ b/core.py\n@@ -1 +1 @@\n-a\n+SomeName\n"


NOTES = "tasks.quarantine"


def pull(number: int) -> dict[str, Any]:
    file = {"path": "core.py", "old_path": None, "status": "modified", "additions": 1,
            "deletions": 1, "is_test": False, "omitted": None}  # fmt: skip
    day = f"2024-01-{number:02}T00:00:00Z"
    return {**example("pull-request"), "repo": "owner/name", "number": number, "merged_at": day,
            "files": [file], "patch": PATCH, "merge_commit": f"{number:040x}"}  # fmt: skip


def stage(number: Any, query: str = "Make it exact.", path: str = "core.py") -> dict[str, Any]:
    return {"pr_number": number, "test_query": query, "stage_id": "s", "dependencies": [],
            "patches": [{"path": path, "patch": "@@ -1 +1 @@"}]}  # fmt: skip


def chain(*stages: Any, **changes: Any) -> dict[str, Any]:
    about = {"source_repository": "owner/name", "template_version": "2024-11-05"}
    return {"metadata": about, "stages": list(stages), "validation_messages": [], **changes}


def ingest(folder: Path, files: dict[str, Any], *more: str) -> tuple[int, list[Any], list[str]]:
    for name, value in files.items():
        path = folder / "chains" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    pulls = write_lines(folder / "pulls.jsonl", [pull(number) for number in (1, 2, 3)])
    out = folder / "tasks.jsonl"
    done = davinci("ingest", folder / "chains", "--pulls", pulls, "--out", out, *more)
    lines = [read_lines(path) if path.exists() else [] for path in (out, out.with_stem(NOTES))]
    return done.code, lines[0], [note["reason"] for note in lines[1]]


def test_a_chain_becomes_a_task_with_the_facts_of_its_pull_requests(tmp_path: Path) -> None:
    leaking = chain(stage(3, "Put SomeName into it."))
    first = stage("1")
    first["patches"].append({"path": "merged/meanwhile.py", "patch": "@@ -1 +1 @@"})
    files = {"a.json": chain(first, stage(2, "Go on.")), "b.json": leaking}
    code, tasks, notes = ingest(tmp_path, files)
    assert (code, notes) == (0, [])
    single, several = sorted(tasks, key=lambda task: len(task["stages"]))
    assert (several["kind"], single["kind"]) == ("temporal-chain", "single-pr")
    assert [each["query"] for each in several["stages"]] == ["Make it exact.", "Go on."]
    assert [each["patch"] for each in several["stages"]] == [PATCH, PATCH]
    assert several["edges"] == []
    assert several["query_writer"]["name"] == "agencybench"
    # What gives the change away is kept as it was asked, and said.
    assert (single["marks"], several["marks"]) == (["leak"], [])


BAD: dict[str, tuple[Any, str]] = {
    "no-json": ("{", "no chain file"),
    "other": ({"events": []}, "no chain file"),
    "empty": (chain(), "no stages"),
    "unknown": (chain(stage(9)), "owner/name#9 is not among"),
    "number": (chain(stage("1; rm")), "names no pull request"),
    "silent": (chain(stage(1, " ")), "asks for nothing"),
    "order": (chain(stage(2), stage(1)), "not merged in this order"),
    "paths": (chain(stage(1, path="../other.py")), "the pull request does not"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_none_is_set_aside_and_the_others_stay(name: str, tmp_path: Path) -> None:
    value, reason = BAD[name]
    code, tasks, (note,) = ingest(tmp_path, {"a.json": chain(stage(1)), "b.json": value})
    assert (code, len(tasks)) == (0, 1)
    assert reason in note


def test_trajectories_want_tasks_and_chains_pull_requests(tmp_path: Path) -> None:
    code, _, _ = ingest(tmp_path, {"a.json": chain(stage(1))}, "--tasks", __file__)
    assert code == 2
