"""The machinery that makes repositories makes what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repositories import Repository, run_git


def _example(folder: Path) -> Repository:
    repository = Repository.init(folder)
    repository.commit("Begin", {"a.py": "1\n"})
    repository.branch("one", {"b.py": "1\n"})
    repository.branch("two", {"c.py": "1\n"}, author="Grace")
    repository.merge_pull(1, "one", "Add b")
    repository.squash_pull(2, "two", "Add c", author="Grace")
    return repository


def test_the_same_steps_make_the_same_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _example(tmp_path / "first")
    (tmp_path / "config").write_text("[user]\nname = Somebody\n[commit]\ngpgSign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    second = _example(tmp_path / "second")
    assert first.git("for-each-ref") == second.git("for-each-ref")
    assert first.sha() == second.sha()


def test_merges_have_two_parents_and_squashes_one(tmp_path: Path) -> None:
    repository = _example(tmp_path / "r")
    assert len(repository.git("log", "-1", "--format=%P", "HEAD~1").split()) == 2
    assert len(repository.git("log", "-1", "--format=%P", "HEAD").split()) == 1
    assert repository.git("log", "-1", "--format=%s") == "Add c (#2)"
    assert repository.git("log", "-1", "--format=%an %ae") == "Grace grace@example.org"
    assert repository.sha("refs/pull/2/head") == repository.sha("two")


def test_a_bare_clone_has_the_pull_heads(tmp_path: Path) -> None:
    repository = _example(tmp_path / "r")
    clone = repository.bare_clone(tmp_path / "clone.git")
    refs = run_git(clone, "for-each-ref", "--format=%(refname)", "refs/pull").decode().split()
    assert refs == ["refs/pull/1/head", "refs/pull/2/head"]
