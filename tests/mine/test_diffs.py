"""Changed files and patches: whatever git prints, kept or left out with the reason."""

from __future__ import annotations

import random
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.mine import read_source
from davinci_agency.mine.diffs import EMPTY, Omit, parse_diff, unquote
from davinci_agency.repository.differ import Differ
from davinci_agency.repository.overlay import open_overlay
from tests.mine.support import change, mine
from tests.repositories import Content, Repository, run_git


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a file of each sort."""
    repository = Repository.init(tmp_path / "repository")
    text = "".join(f"line {n}\n" for n in range(30))
    repository.commit(
        "Begin",
        {
            "text.py": text,
            "other.py": text + "more\n",
            "binary.dat": b"\0\1\2" * 50,
            "latin.py": "name = 'andr\xe9'\n".encode("latin-1"),
            "tests/test_text.py": "old\n",
        },
    )
    return repository


def _pull(repository: Repository, out: Path, files: dict[str, Content]) -> dict[str, Any]:
    """Return the pull request #1 that writes some files."""
    repository.commit("Change it (#1)", files)
    pull: dict[str, Any] = mine(repository.folder, out).pulls[1]
    return pull


def _apply(repository: Repository, pull: dict[str, Any]) -> tuple[str, str]:
    """Return the trees that a pull's patches make of its base, and that its merge has."""
    with tempfile.TemporaryDirectory() as folder:
        more = {"GIT_INDEX_FILE": f"{folder}/index"}
        run_git(repository.folder, "read-tree", pull["base_commit"], more=more)
        for text in (pull["patch"], pull["test_patch"]):
            if text:
                options = ("--cached", "--whitespace=nowarn", "-")
                run_git(repository.folder, "apply", *options, stdin=text.encode(), more=more)
        made = run_git(repository.folder, "write-tree", more=more).decode().strip()
    return made, repository.sha(f"{pull['merge_commit']}^{{tree}}")


def _counts(repository: Repository, pull: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return the added and removed lines of every file, as git counts them."""
    arguments = ("diff", "--numstat", "--no-renames", pull["base_commit"], pull["merge_commit"])
    lines = [line.split("\t") for line in repository.git(*arguments).splitlines()]
    return {path: (int(added), int(removed)) for added, removed, path in lines}


def test_a_rename_keeps_both_paths(repository: Repository, tmp_path: Path) -> None:
    text = (repository.folder / "text.py").read_text()
    pull = _pull(repository, tmp_path, {"text.py": None, "moved/text.py": text + "new\n"})
    file = change(pull, "moved/text.py")
    assert (file["status"], file["old_path"]) == ("renamed", "text.py")
    assert (file["additions"], file["deletions"]) == (1, 0)
    assert [file["path"] for file in pull["files"]] == ["moved/text.py"]
    made, expected = _apply(repository, pull)
    assert made == expected


def test_source_and_tests_are_apart(repository: Repository, tmp_path: Path) -> None:
    pull = _pull(repository, tmp_path, {"text.py": "new\n", "tests/test_text.py": "new\n"})
    assert "text.py b/text.py" in pull["patch"]
    assert "tests/test_text.py" not in pull["patch"]
    assert pull["test_patch"].startswith("diff --git a/tests/test_text.py b/tests/test_text.py\n")
    assert [file["is_test"] for file in pull["files"]] == [True, False]
    made, expected = _apply(repository, pull)
    assert made == expected


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("binary.dat", b"\0\3\4" * 50, "binary"),
        ("latin.py", "name = 'ren\xe9'\n".encode("latin-1"), "not-utf-8"),
        ("large.py", b"# comment\n" * 120_000, "too-large"),
    ],
)
def test_what_can_t_be_kept_as_text_is_left_out_with_the_reason(
    name: str, content: bytes, reason: str, repository: Repository, tmp_path: Path
) -> None:
    pull = _pull(repository, tmp_path, {name: content, "text.py": "new\n"})
    file = change(pull, name)
    assert (file["omitted"], file["additions"], file["deletions"]) == (reason, None, None)
    assert pull["gaps"] == ["head-missing", "omitted-files"]
    assert name not in pull["patch"]
    assert "text.py" in pull["patch"]


def test_a_file_that_says_binary_files_is_none(repository: Repository, tmp_path: Path) -> None:
    pull = _pull(repository, tmp_path, {"text.py": "\nBinary files a and b differ\n@@ -1 +1 @@\n"})
    assert change(pull, "text.py")["omitted"] is None
    made, expected = _apply(repository, pull)
    assert made == expected


def test_a_change_of_mode_alone_is_a_change_without_lines(
    repository: Repository, tmp_path: Path
) -> None:
    (repository.folder / "text.py").chmod(0o755)
    pull = _pull(repository, tmp_path, {})
    file = change(pull, "text.py")
    assert (file["status"], file["additions"], file["deletions"]) == ("modified", 0, 0)
    assert "old mode 100644\nnew mode 100755\n" in pull["patch"]
    made, expected = _apply(repository, pull)
    assert made == expected


def _make_link(repository: Repository, name: str) -> None:
    (repository.folder / name).unlink()
    (repository.folder / name).symlink_to("other.py")


def test_a_file_that_becomes_a_link_is_one_change_and_its_patch_applies(
    repository: Repository, tmp_path: Path
) -> None:
    _make_link(repository, "text.py")
    pull = _pull(repository, tmp_path, {"other.py": "new\n"})
    assert [file["path"] for file in pull["files"]] == ["other.py", "text.py"]
    assert change(pull, "text.py")["status"] == "type-changed"
    made, expected = _apply(repository, pull)
    assert made == expected


def test_a_link_that_becomes_a_file_is_one_change_and_its_patch_applies(
    repository: Repository, tmp_path: Path
) -> None:
    _make_link(repository, "text.py")
    repository.commit("Make it a link")
    pull = _pull(repository, tmp_path, {"text.py": "a file again\n", "zzz.py": "1\n"})
    assert change(pull, "text.py")["status"] == "type-changed"
    assert change(pull, "zzz.py")["additions"] == 1
    made, expected = _apply(repository, pull)
    assert made == expected


def test_a_file_that_becomes_a_link_counts_its_lines_as_git_does(
    repository: Repository, tmp_path: Path
) -> None:
    _make_link(repository, "text.py")
    pull = _pull(repository, tmp_path, {})
    file = change(pull, "text.py")
    assert {"text.py": (file["additions"], file["deletions"])} == _counts(repository, pull)


def test_a_binary_file_that_becomes_a_link_is_left_out_as_binary(
    repository: Repository, tmp_path: Path
) -> None:
    _make_link(repository, "binary.dat")
    pull = _pull(repository, tmp_path, {})
    assert change(pull, "binary.dat")["omitted"] == "binary"


def test_a_submodule_is_a_change_of_one_line(repository: Repository, tmp_path: Path) -> None:
    name = "1" * 40
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{name},lib/sub")
    repository.git("commit", "-q", "-m", "Add a submodule (#1)")
    pull = mine(repository.folder, tmp_path).pulls[1]
    file = change(pull, "lib/sub")
    assert (file["status"], file["additions"], file["omitted"]) == ("added", 1, None)
    assert f"+Subproject commit {name}\n" in pull["patch"]
    made, expected = _apply(repository, pull)
    assert made == expected


def test_an_empty_commit_is_a_pull_request_without_files(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Run the checks again (#1)")
    repository.commit("Change it (#2)", {"text.py": "new\n"})
    repository.commit("And again (#3)")
    pulls = mine(repository.folder, tmp_path).pulls
    assert [(n, len(pull["files"]), bool(pull["patch"])) for n, pull in pulls.items()] == [
        (1, 0, False),
        (2, 1, True),
        (3, 0, False),
    ]
    assert pulls[1]["language"] is None


ODD = ["with space.py", 'with"quote.py', "new\nline.py", "tab\there.py", "caf\u00e9/\u732b.py",
       "back\\slash.py", "-dash.py", "a => b.py", " lead.py", "trail .py", "b/b/b.py"]  # fmt: skip


def test_odd_paths_come_out_as_they_are_and_their_patches_apply(
    repository: Repository, tmp_path: Path
) -> None:
    pull = _pull(repository, tmp_path, dict.fromkeys(ODD, "1\n"))
    assert sorted(file["path"] for file in pull["files"]) == sorted(ODD)
    made, expected = _apply(repository, pull)
    assert made == expected


def test_a_path_that_is_no_utf_8_is_shown_with_marks_and_its_patch_applies(
    repository: Repository, tmp_path: Path
) -> None:
    pull = _pull(repository, tmp_path, {"andr\udce9.py": "1\n"})
    assert [file["path"] for file in pull["files"]] == ["andr\ufffd.py"]
    made, expected = _apply(repository, pull)
    assert made == expected


@pytest.mark.parametrize(
    "content",
    [
        "no end of line",
        "carriage\r\nreturns\r\n",
        "a lone\rreturn\n",
        "form\x0cfeed\x0b\x1c\x1d\x85\u2028line\n",
        "-- \n--- a/text.py\n+++ b/text.py\ndiff --git a/x b/x\n@@ -1 +1 @@\n",
        f"{'0' * 40}\n",
        "",
    ],
    ids=["no-end", "crlf", "cr", "odd-ends", "a-patch", "a-name", "empty"],
)
def test_lines_that_look_like_something_else_are_kept_as_they_are(
    content: str, repository: Repository, tmp_path: Path
) -> None:
    pull = _pull(repository, tmp_path, {"text.py": content, "zzz.py": content})
    made, expected = _apply(repository, pull)
    assert made == expected
    counts = {f["path"]: (f["additions"], f["deletions"]) for f in pull["files"]}
    assert counts == _counts(repository, pull)


def _step(chance: random.Random, files: dict[str, str], step: int) -> dict[str, Content]:
    """Return the next change of a repository, and remember what it holds."""
    changes: dict[str, Content] = {}
    for place in range(chance.randint(1, 4)):
        name = chance.choice(
            [*files, f"src/new {step}.{place}.py", f"tests/test_{step}_{place}.py"]
        )
        kind = chance.choice(["write", "write", "remove", "move"])
        if kind == "write" or name not in files:
            lines = [*files.get(name, "").splitlines(keepends=True), "x\n", f"{step}\r\n", "é"]
            chance.shuffle(lines)
            files[name] = changes[name] = "".join(lines)
        else:
            content = files.pop(name)
            changes[name] = None
            if kind == "move":
                files[f"moved/{step}.{place}.py"] = changes[f"moved/{step}.{place}.py"] = content
    return {name: content for name, content in changes.items() if content is not None} | {
        name: None for name, content in changes.items() if content is None
    }


@pytest.mark.parametrize("seed", range(2))
def test_the_patches_turn_the_base_s_tree_into_the_merge_s(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311
    repository = Repository.init(tmp_path / "r")
    files = {"README": "Read me.\n", "src/a.py": "1\n2\n3\n", "tests/test_a.py": "1\n"}
    repository.commit("Begin", files)
    for number in range(1, 13):
        repository.switch(f"work-{number}", "HEAD")
        for part in range(chance.randint(1, 2)):
            changes = _step(chance, files, 10 * number + part)
            existing = {n: c for n, c in changes.items() if c or (repository.folder / n).exists()}
            repository.commit(f"Part {part}", existing)
        repository.switch("main")
        style = chance.choice(["merge", "squash", "forward"])
        if style == "merge":
            repository.merge_pull(number, f"work-{number}", f"Work {number}")
        elif style == "squash":
            repository.squash_pull(number, f"work-{number}", f"Work {number}")
        else:
            repository.git("merge", "-q", "--ff-only", f"work-{number}")
            repository.pull_head(number, repository.sha())
    pulls = mine(repository.folder, tmp_path).pulls
    assert set(pulls) == set(range(1, 13))
    for pull in pulls.values():
        made, expected = _apply(repository, pull)
        assert made == expected, pull["number"]
        assert pull["additions"] == pull["patch"].count("\n+") + pull["test_patch"].count(
            "\n+"
        ) - pull["patch"].count("\n+++ ") - pull["test_patch"].count("\n+++ ")


def test_a_pair_for_which_git_prints_nothing_has_an_empty_diff() -> None:
    assert parse_diff(b"", Omit()) == EMPTY


def test_a_diff_without_the_patches_of_its_files_is_refused() -> None:
    raw = b":100644 100644 " + b"a" * 40 + b" " + b"b" * 40 + b" M\tf.py"
    with pytest.raises(ValueError, match=r"no patch of f\.py"):
        parse_diff(b"c" * 40 + b"\n" + raw + b"\n", Omit())


@pytest.mark.parametrize("name", [*ODD, "\a\b\v\f\r", "ends with \\"])
def test_a_quoted_path_is_unquoted_as_git_quoted_it(name: str, tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    blob = repository.git("hash-object", "-w", "--stdin", stdin=b"1")
    repository.git(
        "update-index", "--add", "-z", "--index-info", stdin=f"100644 {blob}\t{name}\0".encode()
    )
    printed = run_git(repository.folder, "ls-files").rstrip(b"\n")
    assert unquote(printed) == name


def test_no_file_name_is_taken_for_the_end_of_an_answer(repository: Repository) -> None:
    base = repository.sha()
    files: dict[str, Content] = {"=": "1\n", "a=\n=": "1\n", "x =": "1\n", "text.py": "other\n"}
    tip = repository.commit("Names (#1)", files)
    with open_overlay(read_source(repository.folder)) as overlay:
        pairs = [(tip, base), (tip, tip), (base, tip), (base, base)]
        paths = list(overlay.paths(pairs))
    changed = {b"=", rb'"a=\n="', b"x =", b"text.py"}
    assert paths == [changed, set(), changed, set()]


def test_the_answers_of_a_differ_come_in_the_order_of_asking(repository: Repository) -> None:
    shas = [repository.commit(f"Step {n}", {"=": f"=\n{n}\n"}) for n in range(5)]
    with (
        open_overlay(read_source(repository.folder)) as overlay,
        closing(Differ(overlay)) as differ,
    ):
        differ.ask([(shas[1], shas[0]), (shas[1], shas[1])])
        differ.ask([(shas[2], shas[1])])
        answers = [*differ.answers(2), *differ.answers(1)]
        differ.ask([(shas[4], shas[0]), (shas[3], shas[0])])
        answers += differ.answers(1)
        # What is still open is asked again.
        differ.restart(lambda: None)
        answers += differ.answers(1)
    ends = [printed.rpartition(b"+")[2] for printed, _ in answers]
    assert ends == [b"1\n", b"", b"2\n", b"4\n", b"3\n"]
    assert all(is_whole for _, is_whole in answers)


def test_what_attributes_say_of_diffs_changes_no_patch(
    repository: Repository, tmp_path: Path
) -> None:
    lines = ["class Thing:", "", "    def first(self):", *(f"        {n}" for n in range(20))]
    repository.commit("A class", {"thing.py": "\n".join(lines) + "\n"})
    lines[-1] = "        other"
    changed: dict[str, Content] = {"thing.py": "\n".join(lines) + "\n", "text.py": "new\n"}
    plain = _pull(repository, tmp_path / "plain", changed)
    attributes = "thing.py diff=python\ntext.py -diff linguist-detectable\n"
    repository.commit("Attributes", {".gitattributes": attributes})
    marked = mine(repository.folder, tmp_path / "marked").pulls[1]
    assert marked["patch"] == plain["patch"]
    assert [file["omitted"] for file in marked["files"]] == [None, None]
