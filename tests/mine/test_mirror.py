"""Mirrors of repositories that are named by owner/name, fetched by real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from davinci_agency.errors import RemoteError
from davinci_agency.mine import MineOptions, locate, mine_pulls
from davinci_agency.progress import SILENT
from tests.repositories import Repository, run_git
from tests.samples import read_lines

NAME = Path("octo/demo")


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with one pull request, which git takes for octo/demo on GitHub."""
    repository = Repository.init(tmp_path / "hub" / "octo" / "demo.git")
    repository.commit("Begin", {"a.py": "1\n"})
    repository.branch("work", {"b.py": "1\n"})
    repository.merge_pull(1, "work", "Add b")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{(tmp_path / 'hub').as_uri()}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
    return repository


def mined(tmp_path: Path) -> list[int]:
    source = locate(NAME, MineOptions(), tmp_path / "cache", SILENT)
    mine_pulls([source], tmp_path / "pulls.jsonl", cache=tmp_path / "cache")
    pulls = read_lines(tmp_path / "pulls.jsonl")
    assert all(pull["gaps"] == [] for pull in pulls)
    assert all(pull["url"].startswith("https://github.com/octo/demo/pull/") for pull in pulls)
    return [pull["number"] for pull in pulls]


def test_a_mirror_has_the_pull_heads_and_is_updated(upstream: Repository, tmp_path: Path) -> None:
    assert mined(tmp_path) == [1]
    upstream.branch("more", {"c.py": "1\n"})
    upstream.squash_pull(2, "more", "Add c")
    assert mined(tmp_path) == [1, 2]


def test_a_default_branch_that_was_renamed_is_followed(
    upstream: Repository, tmp_path: Path
) -> None:
    assert mined(tmp_path) == [1]
    upstream.branch("more", {"c.py": "1\n"})
    upstream.squash_pull(2, "more", "Add c")
    upstream.git("branch", "-m", "main", "trunk")
    assert mined(tmp_path) == [1, 2]
    assert {pull["base_branch"] for pull in read_lines(tmp_path / "pulls.jsonl")} == {"trunk"}


def test_a_mirror_that_can_t_be_fetched_says_so_and_keeps_what_it_has(
    upstream: Repository, tmp_path: Path
) -> None:
    assert mined(tmp_path) == [1]
    upstream.folder.rename(tmp_path / "gone")
    with pytest.raises(RemoteError, match="can't be fetched"):
        mined(tmp_path)
    (tmp_path / "gone").rename(upstream.folder)
    assert mined(tmp_path) == [1]


def test_a_path_that_is_there_is_no_name(upstream: Repository, tmp_path: Path) -> None:
    run_git(tmp_path, "clone", "-q", upstream.folder, tmp_path / "here")
    path, options = locate(tmp_path / "here", MineOptions(), tmp_path / "cache", SILENT)
    assert (path, options) == (tmp_path / "here", MineOptions())
    assert not (tmp_path / "cache").exists()
