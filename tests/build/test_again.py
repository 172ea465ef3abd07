"""A release that is there already is left as it is; one that would be another is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Result, davinci, tree
from tests.samples import attempt, task, write_lines


def _build(folder: Path, *more: str) -> Result:
    inputs = ("--tasks", folder / "tasks.jsonl", "--attempts", folder / "attempts.jsonl")
    return davinci("build", *inputs, "--out", folder / "release", "--json", *more)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Give a folder with a release, and what it was made of."""
    write_lines(tmp_path / "tasks.jsonl", [task("task-1")])
    write_lines(tmp_path / "attempts.jsonl", [attempt("attempt-1", "task-1"), {"bad": True}])
    assert _build(tmp_path).summary["skipped"] is False
    return tmp_path


def test_nothing_changed_is_nothing_done_and_the_same_account(built: Path) -> None:
    before = tree(built)
    again = _build(built)
    assert again.summary["skipped"] is True
    assert (again.summary["in"], again.summary["quarantined"]) == (2, 1)
    assert tree(built) == before


def _damage(folder: Path) -> None:
    next((folder / "release").rglob("*.parquet")).write_bytes(b"nothing")


CHANGES: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "an input": (
        lambda folder: write_lines(folder / "tasks.jsonl", [task("task-1"), task("task-2")]),
        (),
    ),
    "an option": (lambda folder: None, ("--threshold", "0.1")),
    "a shard": (_damage, ()),
    "a receipt": (lambda folder: (folder / "release.removed.jsonl").unlink(), ()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_made_again(built: Path, change: str) -> None:
    act, options = CHANGES[change]
    act(built)
    assert _build(built, *options).summary["skipped"] is False
    assert davinci("validate", built / "release").code == 0


def test_a_fault_that_was_let_pass_is_none_that_strict_lets_pass(built: Path) -> None:
    assert _build(built, "--strict").code != 0


def test_the_same_file_read_as_something_else_is_another_build(built: Path) -> None:
    out = ("--out", built / "release", "--json")
    assert davinci("build", "--tasks", built / "tasks.jsonl", *out).summary["skipped"] is False
    assert davinci("build", "--pulls", built / "tasks.jsonl", *out).summary["skipped"] is False
