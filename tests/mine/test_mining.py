"""Whole repositories, good and broken: nothing written to them, nothing asked of anybody."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from davinci_agency.errors import CommandError, DataError, SourceError
from davinci_agency.ids import author_id
from davinci_agency.mine import MineOptions, hosted_at, mine_pulls, read_source
from davinci_agency.paths import is_test, language
from davinci_agency.schema import validator
from tests.mine.support import REPO, change, mine
from tests.repositories import Repository, digest_tree, email_of, run_git


def _build(folder: Path, *, object_format: str = "sha1") -> Repository:
    """Make a repository of three pull requests, one of each style."""
    repository = Repository.init(folder, object_format=object_format)
    repository.commit("Begin", {"a.py": "1\n", "data.txt": "old\n", "tests/test_a.py": "1\n"})
    repository.branch("one", {"a.py": "2\n", "tests/test_a.py": "2\n"}, author="Grace Hopper")
    repository.merge_pull(1, "one", "Change a", "It was wrong.")
    repository.branch("two", {"b.py": "1\n", "data.txt": "new\n"})
    repository.squash_pull(2, "two", "Add b", author="Alan Turing")
    repository.pull_head(3, repository.commit("Add c", {"c.py": "1\n"}, author="Grace Hopper"))
    return repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return _build(tmp_path / "repository")


def test_every_record_follows_its_schema_and_stands_at_its_number(
    repository: Repository, tmp_path: Path
) -> None:
    mined = mine(repository.folder, tmp_path, {"host": "github.com", "license": "MIT"})
    assert list(mined.pulls) == [1, 2, 3]
    for number, pull in mined.pulls.items():
        assert validator("pull-request").faults(pull) == []
        assert pull["url"] == f"https://github.com/{REPO}/pull/{number}"
        assert (pull["repo"], pull["license"]) == (REPO, "MIT")
    assert mined.summary.written == {"fast-forward": 1, "merge": 1, "squash": 1}


def test_a_bare_clone_gives_the_same_bytes(repository: Repository, tmp_path: Path) -> None:
    clone = repository.bare_clone(tmp_path / "clone.git")
    (tmp_path / "first").mkdir()
    expected = mine(repository.folder, tmp_path / "first")
    assert mine(clone, tmp_path / "second").content == expected.content


def test_two_workers_give_the_bytes_of_one(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "0\n"})
    tree, parent = repository.sha("HEAD^{tree}"), repository.sha()
    for number in range(1, 131):
        # More than one batch, each commit made without its work tree.
        blob = repository.git("hash-object", "-w", "--stdin", stdin=f"{number}\n".encode())
        tree = repository.git("mktree", stdin=f"100644 blob {blob}\ta.py\n".encode())
        parent = repository.git("commit-tree", tree, "-p", parent, "-m", f"Change (#{number})")
    repository.git("update-ref", "refs/heads/main", parent)
    one = mine(repository.folder, tmp_path / "one")
    two = mine(repository.folder, tmp_path / "two", workers=2)
    assert len(one.pulls) == 130
    assert two.content == one.content


def test_nothing_in_the_repository_changes(repository: Repository, tmp_path: Path) -> None:
    before = digest_tree(repository.folder)
    mine(repository.folder, tmp_path)
    assert digest_tree(repository.folder) == before


def test_nothing_that_the_repository_configures_is_run(
    repository: Repository, tmp_path: Path
) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    trace = tmp_path / "it-ran"
    run = f"touch {trace}; cat"
    for name, value in {
        "core.fsmonitor": run,
        "core.pager": run,
        "diff.external": run,
        "diff.evil.textconv": run,
        "filter.evil.smudge": run,
        "diff.noprefix": "true",
        "diff.renames": "false",
        "diff.algorithm": "patience",
        "core.quotePath": "false",
        "color.ui": "always",
        "log.showSignature": "true",
        "diff.orderFile": "/dev/null",
    }.items():
        repository.git("config", name, value)
    attributes = repository.git_dir / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("*.py diff=evil filter=evil\n*.txt binary\n")
    assert mine(repository.folder, tmp_path / "again").content == expected
    assert not trace.exists()


def test_replaced_objects_and_grafts_are_seen_through(
    repository: Repository, tmp_path: Path
) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    repository.git("replace", repository.sha("HEAD~1"), repository.sha("HEAD~2"))
    assert mine(repository.folder, tmp_path / "again").content == expected


def _drop_blob(clone: Path, blob: str) -> None:
    """Take one object out of a bare clone, as a partial clone lacks it."""
    for pack in list((clone / "objects" / "pack").glob("*.pack")):
        moved = clone / pack.name
        for part in pack.parent.glob(f"{pack.stem}.*"):
            shutil.move(part, clone / part.name)
        run_git(clone, "unpack-objects", "-q", stdin=moved.read_bytes())
    path = clone / "objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.unlink()


def test_a_clone_that_lacks_a_blob_is_mined_with_the_file_flagged(
    repository: Repository, tmp_path: Path
) -> None:
    whole = mine(repository.folder, tmp_path / "whole").pulls
    clone = repository.bare_clone(tmp_path / "clone.git")
    _drop_blob(clone, repository.sha("HEAD~1:data.txt"))
    pulls = mine(clone, tmp_path / "partial").pulls
    flagged = change(pulls[2], "data.txt")
    assert (flagged["omitted"], flagged["additions"]) == ("missing-blob", None)
    assert pulls[2]["gaps"] == ["omitted-files"]
    assert change(pulls[2], "b.py") == change(whole[2], "b.py")
    assert "data.txt" not in pulls[2]["patch"]
    assert {n: p for n, p in pulls.items() if n != 2} == {n: p for n, p in whole.items() if n != 2}


def test_a_file_of_which_both_blobs_are_missing_takes_no_other_file_s_patch(
    tmp_path: Path,
) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.txt": "a\n", "b.py": "b\n", "c.py": "c\n"})
    repository.commit("Change all (#1)", {"a.txt": "A\n", "b.py": "B\n", "c.py": "C\nC\n"})
    whole = mine(repository.folder, tmp_path / "whole").pulls[1]
    clone = repository.bare_clone(tmp_path / "clone.git")
    _drop_blob(clone, repository.sha("HEAD:a.txt"))
    _drop_blob(clone, repository.sha("HEAD~1:a.txt"))
    pull = mine(clone, tmp_path / "partial").pulls[1]
    assert change(pull, "a.txt")["omitted"] == "missing-blob"
    assert change(pull, "b.py") == change(whole, "b.py")
    assert change(pull, "c.py") == change(whole, "c.py")
    assert pull["patch"] == whole["patch"][whole["patch"].index("diff --git a/b.py") :]


def test_a_clone_without_any_blob_is_mined_and_nothing_is_fetched(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = repository.bare_clone(tmp_path / "clone.git", "--filter=blob:none")
    before = digest_tree(clone)
    pulls = mine(clone, tmp_path / "out").pulls
    assert {file["omitted"] for pull in pulls.values() for file in pull["files"]} == {
        "missing-blob"
    }
    assert digest_tree(clone) == before


def test_a_clone_without_trees_is_refused_with_advice(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = repository.bare_clone(tmp_path / "clone.git", "--filter=tree:0")
    with pytest.raises(DataError, match="If the clone is partial, fetch what it lacks"):
        mine(clone, tmp_path)
    assert not (tmp_path / "pulls.jsonl").exists()


def test_a_shallow_clone_is_mined_as_far_as_it_goes(repository: Repository, tmp_path: Path) -> None:
    whole = mine(repository.folder, tmp_path / "whole").pulls
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "-q", "--depth=2", repository.folder.as_uri(), clone)
    run_git(clone, "fetch", "-q", "--depth=2", "origin", "refs/pull/*/head:refs/pull/*/head")
    pulls = mine(clone, tmp_path / "shallow").pulls
    assert 3 in pulls
    assert pulls[3]["patch"] == whole[3]["patch"]


def test_a_shallow_clone_of_one_commit_has_no_pull_request_to_show(
    repository: Repository, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "-q", "--depth=1", repository.folder.as_uri(), clone)
    with pytest.raises(DataError, match="no merged pull request"):
        mine(clone, tmp_path / "out")


def test_a_repository_without_a_configuration_file_is_mined(
    repository: Repository, tmp_path: Path
) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    clone = repository.bare_clone(tmp_path / "clone.git")
    (clone / "config").unlink()
    assert mine(clone, tmp_path / "again").content == expected


def test_a_linked_work_tree_is_mined(repository: Repository, tmp_path: Path) -> None:
    expected = mine(repository.folder, tmp_path / "expected").content
    repository.git("worktree", "add", "-q", "--detach", tmp_path / "linked")
    assert mine(tmp_path / "linked", tmp_path / "again").content == expected


def test_a_clone_that_borrows_its_objects_is_mined(repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "-q", "--shared", repository.folder, clone)
    run_git(clone, "fetch", "-q", "origin", "refs/pull/*/head:refs/pull/*/head")
    assert set(mine(clone, tmp_path / "out").pulls) == {1, 2, 3}


def test_a_clone_that_borrows_its_objects_by_a_relative_path_is_mined(
    repository: Repository, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "-q", "--shared", repository.folder, clone)
    run_git(clone, "fetch", "-q", "origin", "refs/pull/*/head:refs/pull/*/head")
    alternates = clone / ".git" / "objects" / "info" / "alternates"
    alternates.write_text("../../../repository/.git/objects\n")
    assert run_git(clone, "rev-parse", "HEAD^{tree}")
    assert set(mine(clone, tmp_path / "out").pulls) == {1, 2, 3}


def test_a_repository_of_sha_256_is_mined(tmp_path: Path) -> None:
    repository = _build(tmp_path / "r", object_format="sha256")
    pulls = mine(repository.folder, tmp_path).pulls
    assert list(pulls) == [1, 2, 3]
    for pull in pulls.values():
        assert len(pull["merge_commit"]) == 64
        assert validator("pull-request").faults(pull) == []


def test_a_folder_that_is_no_repository_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is not a git repository; .*git clone --mirror"):
        mine(tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_within_a_repository_is_not_taken_for_it(
    repository: Repository, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="is not a git repository"):
        mine(repository.folder / "tests", tmp_path)


def test_an_empty_repository_is_refused_with_advice(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    with pytest.raises(DataError, match="has no commit on its default branch; fetch"):
        mine(repository.folder, tmp_path)


def test_a_repository_without_pull_requests_says_what_was_looked_for(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "1\n"})
    with pytest.raises(DataError, match=r"squashes that end in \(#N\), or refs/pull"):
        mine(repository.folder, tmp_path)
    assert not (tmp_path / "pulls.jsonl").exists()


def test_a_damaged_repository_is_refused_with_advice(
    repository: Repository, tmp_path: Path
) -> None:
    clone = repository.bare_clone(tmp_path / "clone.git")
    for pack in (clone / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:64])
    with pytest.raises((DataError, SourceError)) as caught:
        mine(clone, tmp_path / "out")
    assert str(clone) in str(caught.value) or "git fsck" in str(caught.value)


def test_one_repository_named_twice_is_refused(repository: Repository, tmp_path: Path) -> None:
    sources = [(repository.folder, MineOptions(REPO))] * 2
    with pytest.raises(CommandError, match="are both example/thing"):
        mine_pulls(sources, tmp_path / "pulls.jsonl")


def test_several_repositories_make_one_file_sorted_by_their_names(
    repository: Repository, tmp_path: Path
) -> None:
    other = _build(tmp_path / "other")
    names = [(repository.folder, MineOptions("z/z")), (other.folder, MineOptions("a/a"))]
    summary = mine_pulls(names, tmp_path / "first.jsonl")
    mine_pulls(names[::-1], tmp_path / "second.jsonl")
    assert summary.out == 6
    content = (tmp_path / "first.jsonl").read_bytes()
    assert content == (tmp_path / "second.jsonl").read_bytes()
    found = [json.loads(line)["repo"] for line in content.splitlines()]
    assert found == ["a/a"] * 3 + ["z/z"] * 3


def test_the_name_and_the_host_come_from_the_clone_s_origin(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("remote", "add", "origin", "https://me:secret@git.example.org/ours/thing.git")
    path = tmp_path / "pulls.jsonl"
    mine_pulls([(repository.folder, MineOptions())], path)
    first = json.loads(path.read_bytes().splitlines()[0])
    assert first["url"] == "https://git.example.org/ours/thing/pull/1"
    assert b"secret" not in path.read_bytes()


def test_a_clone_that_does_not_say_its_name_is_asked_for_it(
    repository: Repository, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="--repo OWNER/NAME"):
        mine_pulls([(repository.folder, MineOptions())], tmp_path / "pulls.jsonl")


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://github.com/numpy/numpy", ("github.com", "numpy/numpy")),
        ("ssh://git@github.com:22/numpy/numpy.git", ("github.com", "numpy/numpy")),
        ("git@github.com:numpy/numpy.git", ("github.com", "numpy/numpy")),
        ("/srv/numpy/numpy.git", None),
        ("file:///srv/numpy.git", None),
        ("https://gitlab.example.org/group/sub/thing", None),
        (None, None),
        ("", None),
    ],
)
def test_an_address_says_the_host_and_the_name_or_nothing(
    origin: str | None, expected: tuple[str, str] | None
) -> None:
    assert hosted_at(origin) == expected


@pytest.mark.parametrize("options", [{"repo": "a/b\n"}, {"license": "MIT\n"}])
def test_a_name_that_ends_in_a_line_end_is_refused(
    options: dict[str, str], repository: Repository, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="mend --"):
        mine(repository.folder, tmp_path, options)


def test_no_address_of_an_author_stands_in_the_output(
    repository: Repository, tmp_path: Path
) -> None:
    mined = mine(repository.folder, tmp_path)
    assert b"@example.org" not in mined.content
    addresses = {author_id(email_of(name).encode()) for name in ("Grace Hopper", "Alan Turing")}
    authors = {pull["author_id"] for pull in mined.pulls.values()}
    assert authors == addresses
    for pull in mined.pulls.values():
        for commit in pull["commits"]:
            assert re.fullmatch("[0-9a-f]{16}", commit["author_id"])


def _raw_commit(repository: Repository, message: bytes, seconds: int) -> None:
    """Put a commit on main that git itself would have mended."""
    who = f"A <a@example.org> {seconds} +0000"
    parent, tree = repository.sha(), repository.sha("HEAD^{tree}")
    head = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\n"
    options = ("-t", "commit", "-w", "--literally", "--stdin")
    commit = repository.git("hash-object", *options, stdin=head.encode() + message)
    repository.git("update-ref", "refs/heads/main", commit)


def test_a_message_that_is_no_utf_8_is_kept_with_marks_and_flagged(
    repository: Repository, tmp_path: Path
) -> None:
    _raw_commit(repository, "Andr\xe9 was here (#4)\n".encode("latin-1"), repository.now)
    pull = mine(repository.folder, tmp_path).pulls[4]
    assert pull["title"] == "Andr\ufffd was here"
    assert "not-utf-8-text" in pull["gaps"]


def test_a_message_that_names_its_encoding_is_read_in_it(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("config", "i18n.commitEncoding", "ISO-8859-1")
    repository.commit("Andr\xe9 was here (#4)".encode("latin-1"), {"d.py": "1\n"})
    pull = mine(repository.folder, tmp_path).pulls[4]
    assert pull["title"] == "Andr\xe9 was here"
    assert pull["gaps"] == ["head-missing"]


@pytest.mark.parametrize("seconds", [10**12, 2**62])
def test_a_clock_that_ran_far_ahead_stops_nothing(
    seconds: int, repository: Repository, tmp_path: Path
) -> None:
    _raw_commit(repository, b"From the future (#9)\n", seconds)
    pulls = mine(repository.folder, tmp_path).pulls
    assert {1, 2, 3} <= set(pulls)


def test_the_fingerprint_changes_with_any_ref_and_with_nothing_else(
    repository: Repository, tmp_path: Path
) -> None:
    before = read_source(repository.folder).fingerprint
    (repository.folder / "a.py").write_text("not committed\n")
    assert read_source(repository.folder).fingerprint == before
    repository.pull_head(9, repository.sha())
    assert read_source(repository.folder).fingerprint != before


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/test_a.py", True),
        ("src/test/java/A.java", True),
        ("src/AppTest.java", True),
        ("web/app.spec.ts", True),
        ("pkg/sum_test.go", True),
        ("conftest.py", True),
        ("src/contest.py", False),
        ("src/latest.py", False),
        ("testify/run.py", False),
        ("docs/testing.md", False),
    ],
)
def test_a_test_is_told_by_its_path(path: str, expected: bool) -> None:
    assert is_test(path) is expected


def test_a_language_is_told_by_the_suffix() -> None:
    assert (language("a/b.PY"), language("a.tsx"), language("Makefile"), language("a.md")) == (
        "Python",
        "TypeScript",
        None,
        None,
    )
