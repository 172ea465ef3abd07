"""A tree with some paths of another is named as git names it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.repository.grafting import Graft, grafted
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import read_source
from tests.repositories import Content, Repository

BEFORE: dict[str, Content] = {
    "a": "1", "b/a": "2", "b/c/d": "3", "b/c/e": "4", "b.c": "5", "b0": "6", "only/here": "7",
}  # fmt: skip
AFTER: dict[str, Content] = {
    "a": "10", "b/a": None, "b/c/d": "30", "b/c/e": None, "b.c": None, "b0": "60",
    "only/here": None, "new/in/a/folder": "8", "b/c/new": "9", "b-": "0",
}  # fmt: skip
HEADS = ("HEAD~", "HEAD")
PATHS = sorted({*BEFORE, *AFTER})


@pytest.fixture(scope="module", params=["sha1", "sha256"])
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Repository.init(tmp_path_factory.mktemp("made") / "it", object_format=request.param)
    made.commit("Begin", BEFORE)
    made.commit("Change", AFTER)
    return made.folder


def _git(folder: Path, *arguments: str, given: str = "") -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=True, text=True)
    return done.stdout


@settings(deadline=None, max_examples=25)
@given(chosen=st.sets(st.sampled_from(PATHS)))
def test_it_is_the_tree_that_git_makes(repository: Path, chosen: set[str]) -> None:
    _git(repository, "read-tree", "HEAD~")
    base, other = (_git(repository, "rev-parse", f"{it}^{{tree}}").strip() for it in HEADS)
    absent = "".join(f"0 {'0' * len(base)}\t{path}\n" for path in sorted(chosen))
    _git(repository, "update-index", "--index-info", given=absent)
    listed = _git(repository, "ls-tree", "-r", "HEAD", "--", *(chosen or {"none"}))
    _git(repository, "update-index", "--index-info", given=listed)
    made = _git(repository, "write-tree").strip()

    paths = frozenset(tuple(path.encode().split(b"/")) for path in chosen)
    with open_overlay(read_source(repository)) as overlay:
        assert list(grafted(overlay, [Graft(base, other, paths)])) == [made]


def test_without_a_tree_nobody_knows(repository: Path) -> None:
    tree = _git(repository, "rev-parse", "HEAD^{tree}").strip()
    absent = tree[::-1]
    with open_overlay(read_source(repository)) as overlay:
        found = grafted(overlay, [Graft(tree, absent, frozenset({(b"a",)}))])
        assert list(found) == [None]
