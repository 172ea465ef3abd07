"""Clones as people have them: cut short, without blobs, hostile, in a hostile environment."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.schema import validator
from tests.mine.support import change, mine
from tests.repositories import Repository, digest_tree, run_git

LONG = "".join(f"line {number}\n" for number in range(400))
"""More than a kilobyte, which ``--filter=blob:limit=1k`` leaves out."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of two pull requests, one merged and one squashed."""
    repository = Repository.init(tmp_path / "repository")
    repository.commit("Begin", {"a.py": LONG, "b.py": "1\n"})
    repository.branch("one", {"a.py": LONG.replace("line 200", "two hundred")}, author="Grace")
    repository.merge_pull(1, "one", "Change a", "It was wrong.")
    repository.branch("two", {"b.py": "2\n", "c.py": "1\n"})
    repository.squash_pull(2, "two", "Add c", author="Alan")
    return repository


def _partial(repository: Repository, folder: Path, what: str) -> Path:
    repository.git("config", "uploadpack.allowFilter", "true")
    return repository.bare_clone(folder, f"--filter={what}")


def test_a_clone_without_large_blobs_keeps_every_patch_of_the_small_ones(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": LONG, "b.py": "1\n"})
    repository.commit("Change it (#1)", {"a.py": LONG + "more\n", "b.py": "2\n"})
    repository.commit("Move it (#2)", {"a.py": None, "moved.py": LONG + "more\n", "b.py": "3\n"})
    repository.commit("Drop it (#3)", {"moved.py": None, "b.py": "4\n"})
    whole = mine(repository.folder, tmp_path / "whole").pulls
    pulls = mine(_partial(repository, tmp_path / "c.git", "blob:limit=1k"), tmp_path).pulls
    assert [(n, f["path"]) for n, p in pulls.items() for f in p["files"] if f["omitted"]] == [
        (1, "a.py"),
        (2, "moved.py"),
        (3, "moved.py"),
    ]
    for number, pull in pulls.items():
        assert change(pull, "b.py") == change(whole[number], "b.py")
        assert pull["patch"].count("diff --git ") == 1
        assert pull["patch"] in whole[number]["patch"]
        assert pull["gaps"] == sorted({*whole[number]["gaps"], "omitted-files"})


@pytest.mark.parametrize(("before", "after"), [("", LONG), (LONG, "")], ids=["filled", "emptied"])
def test_a_missing_blob_of_a_file_that_was_empty_takes_no_other_file_s_patch(
    before: str, after: str, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": before, "z.py": "1\n"})
    repository.commit("Fill it (#1)", {"a.py": after, "z.py": "2\n"})
    whole = mine(repository.folder, tmp_path / "whole").pulls[1]
    pull = mine(_partial(repository, tmp_path / "c.git", "blob:limit=1k"), tmp_path).pulls[1]
    assert change(pull, "a.py")["omitted"] == "missing-blob"
    assert change(pull, "z.py") == change(whole, "z.py")
    assert pull["patch"] == whole["patch"][whole["patch"].index("diff --git a/z.py") :]


def test_a_clone_without_any_blob_may_have_had_an_empty_file(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "1\n"})
    repository.commit("Add a package (#1)", {"thing/__init__.py": "", "b.py": "1\n"})
    pull = mine(_partial(repository, tmp_path / "c.git", "blob:none"), tmp_path).pulls[1]
    assert [file["path"] for file in pull["files"]] == ["b.py", "thing/__init__.py"]
    assert change(pull, "b.py")["omitted"] == "missing-blob"


def _unpack(clone: Path) -> None:
    """Make every object of a bare clone a file of its own."""
    for pack in list((clone / "objects" / "pack").glob("*.pack")):
        moved = clone / pack.name
        for part in pack.parent.glob(f"{pack.stem}.*"):
            shutil.move(part, clone / part.name)
        run_git(clone, "unpack-objects", "-q", stdin=moved.read_bytes())


def _lose(clone: Path, blobs: list[str]) -> None:
    for blob in blobs:
        path = clone / "objects" / blob[:2] / blob[2:]
        path.chmod(0o600)
        path.unlink()


def _parts(pull: dict[str, Any]) -> dict[str, str]:
    """Return the patch of every file by its path, a change of type in one piece."""
    parts: dict[str, str] = {}
    for part in re.split(r"(?m)^(?=diff --git )", pull["patch"] + pull["test_patch"]):
        if part:
            name = re.match(r"diff --git a/(\S+) ", part)
            assert name is not None
            parts[name[1]] = parts.get(name[1], "") + part
    return parts


@pytest.mark.parametrize("seed", range(4))
def test_whichever_blobs_are_missing_every_other_file_keeps_its_own_patch(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)  # noqa: S311
    repository = Repository.init(tmp_path / "r")
    names = [*"abcdefgh", "tests/x", "tests/y"]
    repository.commit("Begin", {name: f"{name} begins\n" for name in names})
    for number in range(1, 9):
        for name in chance.sample(names, 5):
            path = repository.folder / name
            path.unlink(missing_ok=True)
            match chance.choice(["write", "empty", "mode", "link", "remove"]):
                case "write":
                    path.write_text("".join(f"{chance.random()}\n" for _ in range(3)))
                case "empty":
                    path.write_text("")
                case "mode":
                    path.write_text(f"{name} {number}\n")
                    path.chmod(0o755)
                case "link":
                    path.symlink_to(f"{name} {number}")
        (repository.folder / "last.py").write_text(f"{number}\n")
        (repository.folder / "tests").mkdir(exist_ok=True)
        repository.commit(f"Change it (#{number})")
    # No rename: git can't tell one whose contents it lacks.
    whole = mine(repository.folder, tmp_path / "whole").pulls
    clone = repository.bare_clone(tmp_path / "clone.git")
    _unpack(clone)
    listed = run_git(clone, "cat-file", "--batch-all-objects", "--batch-check").decode()
    blobs = [line.split()[0] for line in listed.splitlines() if " blob " in line]
    _lose(clone, chance.sample(blobs, len(blobs) // 3))
    pulls = mine(clone, tmp_path / "partial").pulls
    assert pulls.keys() == whole.keys()
    for number, pull in pulls.items():
        assert validator("pull-request").faults(pull) == []
        kept = {f["path"] for f in pull["files"] if f["omitted"] is None}
        lost = {f["path"] for f in pull["files"] if f["omitted"] is not None}
        expected = _parts(whole[number])
        assert kept | lost == {f["path"] for f in whole[number]["files"]}
        assert _parts(pull) == {name: part for name, part in expected.items() if name in kept}
        for name in kept:
            assert change(pull, name) == change(whole[number], name)
    assert any(pull["gaps"] != whole[number]["gaps"] for number, pull in pulls.items())


def test_a_shallow_clone_s_oldest_commit_is_no_pull_request_with_a_base_that_is_absent(
    repository: Repository, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "-q", "--depth=3", repository.folder.as_uri(), clone)
    present = set(run_git(clone, "rev-list", "--all").decode().split())
    for pull in mine(clone, tmp_path / "out").pulls.values():
        assert {pull["base_commit"], pull["merge_commit"]} <= present


def test_a_repository_that_becomes_submodule_file_and_folder_is_counted_as_git_does(
    tmp_path: Path,
) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "1\n", "x": "1\n2\n"})
    repository.git("rm", "-q", "x")
    entry = f"160000,{'1' * 40},x"
    repository.git("update-index", "--add", "--cacheinfo", entry)
    repository.git("commit", "-q", "-m", "Take the module in (#1)")
    repository.git("update-index", "--force-remove", "x")
    repository.commit("Copy the module (#2)", {"x": "1\n2\n3\n"})
    repository.commit("Split it", {"x": None})
    repository.commit("Split it in two (#3)", {"x/y.py": "1\n"})
    pulls = mine(repository.folder, tmp_path).pulls
    found = {
        number: [(f["path"], f["status"], f["additions"], f["deletions"]) for f in pull["files"]]
        for number, pull in pulls.items()
    }
    assert found == {
        1: [("x", "type-changed", 1, 2)],
        2: [("x", "type-changed", 3, 1)],
        3: [("x/y.py", "added", 1, 0)],
    }


def test_hooks_and_included_configuration_are_not_run(
    repository: Repository, tmp_path: Path
) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    trace = tmp_path / "it-ran"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    names = ("post-checkout", "pre-auto-gc", "reference-transaction", "fsmonitor-watchman")
    for name in (*names, "post-index-change", "post-update"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch '{trace}'\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "included").write_text(
        f"[core]\nhooksPath = {hooks}\nfsmonitor = touch {trace}\nsshCommand = touch {trace}\n"
        f"[diff]\nexternal = touch {trace}\nsuppressBlankEmpty = true\ncontext = 9\n"
        f"[gc]\nauto = 1\n[trace2]\neventTarget = {trace}\n"
    )
    repository.git("config", "include.path", tmp_path / "included")
    before = digest_tree(repository.folder)
    trace.unlink(missing_ok=True)
    assert mine(repository.folder, tmp_path / "again").content == expected
    assert not trace.exists()
    assert digest_tree(repository.folder) == before


def test_grafts_and_replaced_commits_and_blobs_change_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    repository.git("replace", repository.sha("HEAD:b.py"), repository.sha("HEAD~1:b.py"))
    repository.git("replace", repository.sha("HEAD^{tree}"), repository.sha("HEAD~1^{tree}"))
    graft = f"{repository.sha()} {repository.sha('HEAD~2')}\n"
    (repository.git_dir / "info").mkdir(exist_ok=True)
    (repository.git_dir / "info" / "grafts").write_text(graft)
    assert mine(repository.folder, tmp_path / "again").content == expected


def test_pull_refs_that_name_no_commit_are_passed_over(
    repository: Repository, tmp_path: Path
) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    repository.git("update-ref", "refs/pull/9/head", repository.sha("HEAD:b.py"))
    repository.git("tag", "-a", "-m", "A tag", "v1")
    repository.git("update-ref", "refs/pull/8/head", repository.git("rev-parse", "refs/tags/v1"))
    for name in ("1234567890/head", "7/merge", "7/head/more", "x7/head"):
        repository.git("update-ref", f"refs/pull/{name}", repository.sha("HEAD~2"))
    assert mine(repository.folder, tmp_path / "again").content == expected


@pytest.mark.parametrize("subject", ["Add d (#0)", "Add d (#000)"])
def test_no_pull_request_has_the_number_zero(subject: str, tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "1\n"})
    repository.commit("Add b (#1)", {"b.py": "1\n"})
    repository.commit(subject, {"d.py": "1\n"})
    pulls = mine(repository.folder, tmp_path).pulls
    assert list(pulls) == [1]
    assert validator("pull-request").faults(pulls[1]) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_EXTERNAL_DIFF", "false"),
        ("GIT_INDEX_FILE", "nowhere"),
        ("GIT_NAMESPACE", "other"),
        ("GIT_PREFIX", "tests/"),
        ("GIT_PAGER", "false"),
        ("GIT_TRACE", "1"),
        ("GIT_CONFIG_PARAMETERS", "'diff.noprefix'='true'"),
        ("GIT_REPLACE_REF_BASE", "refs/pull/"),
        ("GIT_LITERAL_PATHSPECS", "1"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("TZ", "Asia/Tokyo"),
    ],
)
def test_the_environment_changes_nothing(
    name: str,
    value: str,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    monkeypatch.setenv(name, value)
    assert mine(repository.folder, tmp_path / "again").content == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIFF_OPTS", "-u0"),
        ("GIT_DIR", "other/.git"),
        ("GIT_WORK_TREE", "other"),
        ("GIT_COMMON_DIR", "other/.git"),
        ("GIT_OBJECT_DIRECTORY", "other/.git/objects"),
        ("GIT_SHALLOW_FILE", "shallow"),
        ("GIT_GRAFT_FILE", "shallow"),
    ],
)
def test_variables_that_steer_git_elsewhere_change_nothing(
    name: str,
    value: str,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A hook of git runs with GIT_DIR set, and with GIT_OBJECT_DIRECTORY while it receives a push.
    Repository.init(tmp_path / "other").commit("Begin", {"a.py": "1\n"})
    (tmp_path / "shallow").write_text(f"{repository.sha()}\n")
    expected = mine(repository.folder, tmp_path / "expected").content
    monkeypatch.setenv(name, value if value.startswith("-") else str(tmp_path / value))
    assert mine(repository.folder, tmp_path / "again").content == expected


@pytest.mark.parametrize("name", ["with space", '"quoted', "#hash", "caf\u00e9", "a:b", "-dash"])
def test_a_clone_may_lie_in_an_oddly_named_folder(name: str, tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / name)
    repository.commit("Begin", {"a.py": "1\n"})
    repository.commit("Add b (#1)", {"b.py": "1\n"})
    assert list(mine(repository.folder, tmp_path / "out").pulls) == [1]


@pytest.mark.parametrize("name", ["new\nline", "andr\udce9"], ids=["line-end", "not-utf-8"])
def test_a_clone_may_lie_in_a_folder_whose_name_is_no_line_of_text(
    name: str, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / name)
    repository.commit("Begin", {"a.py": "1\n"})
    repository.commit("Add b (#1)", {"b.py": "1\n"})
    assert list(mine(repository.folder, tmp_path / "out").pulls) == [1]


def test_no_address_in_a_trailer_stands_in_the_output(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "1\n"})
    signed = "Add b\n\nSigned-off-by: Grace <grace@example.org>"
    repository.branch("one", {"b.py": "1\n"}, message=signed)
    repository.merge_pull(1, "one", "Add b")
    repository.branch("two", {"c.py": "1\n"})
    repository.squash_pull(2, "two", "Add c", "Co-authored-by: Alan <alan@example.org>")
    assert b"@example.org" not in mine(repository.folder, tmp_path).content
