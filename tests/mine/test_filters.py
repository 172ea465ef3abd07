"""What is left out: pull requests by a recipe's filters, and files of the patches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from davinci_agency.mine.filters import Filters, Traits, removal_by
from tests.mine.support import Mined, change, mine
from tests.repositories import Content, Repository
from tests.samples import example


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of one commit and one plain pull request, #1."""
    repository = Repository.init(tmp_path / "repository")
    repository.commit("Begin", {"a.py": "1\n"})
    squash(repository, 1, "Add the first", {"first.py": "1\n2\n3\n"}, author="Grace")
    return repository


def squash(
    repository: Repository,
    number: int,
    title: str,
    files: dict[str, Content],
    *,
    body: str = "",
    author: str = "Ada",
) -> str:
    """Squash a pull request of one commit."""
    repository.branch(f"work-{number}", files, author=author, message=title)
    return repository.squash_pull(number, f"work-{number}", title, body, author=author)


def filtered(repository: Repository, out: Path, **filters: Any) -> Mined:
    """Mine with some filters, and hold the account against everything that is there."""
    everything = mine(repository.folder, out / "everything")
    mined = mine(repository.folder, out / "some", {"filters": Filters(**filters)})
    summary = mined.summary
    assert summary.read == summary.out + summary.removed + summary.quarantined
    assert summary.read == everything.summary.read
    assert summary.removed == len(mined.receipts)
    kept = {number: everything.pulls[number] for number in mined.pulls}
    assert mined.pulls == kept
    assert len(kept) + len(mined.receipts) == summary.read
    return mined


def rule(title: str, path: str, **filters: Any) -> str | None:
    """Return by which rule a pull request of one file is left out."""
    pull = example("pull-request", title=title, backport_of=None, reverts=[])
    pull["files"] = [{"path": path}]
    found = removal_by(Filters(**filters), msgspec.convert(pull, Traits), {})
    return None if found is None else found[0]


def test_without_filters_everything_stays(repository: Repository, tmp_path: Path) -> None:
    squash(repository, 2, "Bump x from 1 to 2", {"poetry.lock": "1\n"}, author="renovate[bot]")
    assert set(filtered(repository, tmp_path).pulls) == {1, 2}


def test_pull_requests_of_programs_are_left_out(repository: Repository, tmp_path: Path) -> None:
    squash(repository, 2, "Add b", {"b.py": "1\n"}, author="dependabot[bot]")
    squash(repository, 3, "Add a robot", {"c.py": "1\n"}, author="Abbott")
    mined = filtered(repository, tmp_path, bots=True)
    assert (set(mined.pulls), mined.rules) == ({1, 3}, [("2", "bot")])


@pytest.mark.parametrize(
    "title",
    [
        "Bump requests from 2.1 to 2.2", "build(deps): bump requests from 2.1 to 2.2 in /docs",
        "chore(deps): update dependency requests to v3",
        "fix(deps): update all non-major dependencies", "Upgrade numpy to 2.0", "Pin requirements",
        "Update pre-commit hooks", "Bump actions/checkout from 3 to 4",
    ],
)  # fmt: skip
def test_a_bump_is_told_by_its_title(title: str) -> None:
    assert rule(title, "setup.cfg", dependency_bumps=True) == "dependency-bump"


def test_a_change_of_nothing_but_lock_files_is_a_bump(
    repository: Repository, tmp_path: Path
) -> None:
    squash(repository, 2, "Refresh", {"Cargo.lock": "1\n", "web/yarn.lock": "1\n"})
    squash(repository, 3, "Refresh and mend", {"Cargo.lock": "2\n", "b.py": "1\n"})
    repository.commit("Nothing at all (#4)")
    mined = filtered(repository, tmp_path, dependency_bumps=True)
    assert (set(mined.pulls), mined.rules) == ({1, 3, 4}, [("2", "dependency-bump")])


@pytest.mark.parametrize(
    "title",
    [
        "Update the docs of the parser",
        "Bumpy terrain generator",
        "Fix upgrade of pip from 1 to 2",
        "Update dependents when a node moves",
        "Update progress bar to 100 percent width",
        "Upgrade path from sqlite to postgres",
        "Pin mouse to window from start to end",
        "Update lock file handling in the parser",
    ],
)
def test_what_only_looks_like_a_bump_stays(title: str) -> None:
    assert rule(title, "b.py", dependency_bumps=True) is None


@pytest.mark.parametrize(
    "title",
    [
        "Release 1.2.3", "release: v1.2.0", "chore(release): 1.2.3", "Prepare release 1.2",
        "v1.2.3", "Bump version to 1.2.3", "Version 2.0", "Changelog for the next one",
        "REL: Prepare for the NumPy release 1.2.3",
    ],
)  # fmt: skip
def test_a_release_is_told_by_its_title(title: str) -> None:
    assert rule(title, "version.py", releases=True) == "release"


@pytest.mark.parametrize(
    "title",
    [
        "Release the lock before waiting",
        "Fix the release of memory in 3.12 builds",
        "Conversion to 1.5 spacing",
        "Support Python 3.13.0",
        "Release resources on version mismatch",
        "Version checks accept 1.10 and above",
        "Release the GIL while reading 1.5 GB",
    ],
)
def test_what_only_looks_like_a_release_stays(title: str) -> None:
    assert rule(title, "b.py", releases=True) is None


def test_a_release_alone_is_left_out(repository: Repository, tmp_path: Path) -> None:
    squash(repository, 2, "Release 1.2.3", {"version.py": "1\n"})
    assert filtered(repository, tmp_path, releases=True).rules == [("2", "release")]


def test_a_revert_and_what_it_takes_back_are_left_out(
    repository: Repository, tmp_path: Path
) -> None:
    squash(repository, 2, "Add b", {"b.py": "1\n"})
    squash(repository, 3, 'Revert "Add b (#2)"', {"b.py": None})
    mined = filtered(repository, tmp_path, reverts=True)
    assert (set(mined.pulls), mined.rules) == ({1}, [("2", "reverted"), ("3", "revert")])


def test_a_backport_is_left_out_and_what_it_brings_stays(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("branch", "1.x")
    squash(repository, 2, "Add b", {"b.py": "1\n"})
    repository.switch("port", "1.x")
    repository.commit("Add b", {"b.py": "1\n"})
    repository.switch("1.x")
    repository.merge_pull(3, "port", "Backport of #2")
    repository.switch("port-2", "1.x")
    repository.commit("Only for 1.x", {"c.py": "1\n"}, author="Alan")
    repository.switch("1.x")
    repository.merge_pull(4, "port-2", "Mend 1.x")
    repository.switch("main")
    mined = filtered(repository, tmp_path, backports=True)
    assert (set(mined.pulls), mined.rules) == ({1, 2, 4}, [("3", "backport")])


@pytest.mark.parametrize("path", ["README.md", "docs/conf.py", ".github/test.yml", "a/LICENSE"])
def test_a_change_of_documentation_is_left_out(path: str) -> None:
    assert rule("Mend it", path, docs_only=True) == "docs-only"


@pytest.mark.parametrize(
    "path",
    [
        "documents/b.py",
        "requirements.txt",
        "CMakeLists.txt",
        "tests/data/input.txt",
    ],
)
def test_a_change_of_code_is_no_documentation(path: str) -> None:
    assert rule("Mend it", path, docs_only=True) is None


def test_documentation_together_with_code_stays(repository: Repository, tmp_path: Path) -> None:
    squash(repository, 2, "Mend it", {"README.md": "2\n", "b.py": "1\n"})
    squash(repository, 3, "Mend the words", {"README.md": "3\n"})
    repository.commit("Nothing at all (#4)")
    mined = filtered(repository, tmp_path, docs_only=True)
    assert (set(mined.pulls), mined.rules) == ({1, 2, 4}, [("3", "docs-only")])


def test_what_is_as_large_as_allowed_stays_and_what_is_larger_goes(
    repository: Repository, tmp_path: Path
) -> None:
    squash(repository, 2, "Add two", {"b.py": "1\n2\n3\n", "c.py": "1\n"})
    by_files = filtered(repository, tmp_path / "files", max_files=1)
    by_lines = filtered(repository, tmp_path / "lines", max_lines=3)
    assert (by_files.rules, by_files.receipts[0]["measure"]) == ([("2", "too-many-files")], 2.0)
    assert (by_lines.rules, by_lines.receipts[0]["measure"]) == ([("2", "too-many-lines")], 4.0)


def test_whoever_opted_out_is_left_out_as_author_and_as_helper(
    repository: Repository, tmp_path: Path
) -> None:
    grace = mine(repository.folder, tmp_path).pulls[1]["author_id"]
    squash(repository, 2, "Add b", {"b.py": "1\n"}, author="Alan")
    repository.switch("work-3", "HEAD")
    repository.commit("One", {"c.py": "1\n"}, author="Alan")
    repository.commit("Two", {"c.py": "2\n"}, author="Grace")
    repository.switch("main")
    repository.merge_pull(3, "work-3", "Add c")
    mined = filtered(repository, tmp_path, opted_out=(grace,))
    assert (set(mined.pulls), mined.rules) == ({2}, [("1", "opted-out"), ("3", "opted-out")])


@pytest.mark.parametrize(("name", "kept"), [("MIT", 1), ("GPL-3.0-only", 0), (None, 0)])
def test_only_allowed_licences_stay(
    name: str | None, kept: int, repository: Repository, tmp_path: Path
) -> None:
    options = {"license": name, "filters": Filters(licenses=("MIT", "Apache-2.0"))}
    mined = mine(repository.folder, tmp_path, options)
    assert (len(mined.pulls), mined.summary.removed) == (kept, 1 - kept)


_GENERATED: dict[str, Content] = {
    "Cargo.lock": "1\n",
    "api.go": "// Code generated by x. DO NOT EDIT.\npackage api\n",
    "notes.ipynb": "{}\n",
    "schema/all.json": "{}\n",
    "vendor/x/x.go": "package x\n",
    "web/app.min.js": "1\n",
}


def test_what_a_program_wrote_is_named_and_not_in_the_patch(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Tell", {".gitattributes": "schema/*.json linguist-generated\n"})
    squash(repository, 2, "Add it all", {**_GENERATED, "b.py": "1\n", "schema/b.py": "1\n"})
    pull = mine(repository.folder, tmp_path).pulls[2]
    omitted = {file["path"]: file["omitted"] for file in pull["files"] if file["omitted"]}
    assert omitted == dict.fromkeys(_GENERATED, "generated")
    assert pull["gaps"] == ["omitted-files"]
    assert not [path for path in _GENERATED if path in pull["patch"]]
    assert pull["patch"].count("diff --git ") == 2
    assert change(pull, "api.go")["additions"] is None


def test_what_a_program_wrote_is_named_though_it_was_removed_later(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Tell", {".gitattributes": "schema/*.json linguist-generated\n"})
    squash(repository, 2, "Add it", {"schema/all.json": "{}\n"})
    squash(repository, 3, "Drop it", {"schema/all.json": None})
    pulls = mine(repository.folder, tmp_path).pulls
    assert [pulls[n]["files"][0]["omitted"] for n in (2, 3)] == ["generated", "generated"]


def test_a_change_of_a_whole_history_s_size_is_cut_and_disturbs_no_other(
    repository: Repository, tmp_path: Path
) -> None:
    squash(repository, 2, "Before", {"b.py": "1\n"})
    million = "x=\n=\n\n" * (1_000_000 // 6)
    large: dict[str, Content] = {f"data/{number:02}.py": million for number in range(36)}
    squash(repository, 3, "Import", {**large, "c.py": "1\n", "logo.png": b"\0"})
    squash(repository, 4, "After", {"d.py": "1\n"})
    pulls = mine(repository.folder, tmp_path).pulls
    assert [file["path"] for file in pulls[3]["files"]] == ["c.py", *large, "logo.png"]
    assert {file["omitted"] for file in pulls[3]["files"]} == {"too-large"}
    assert (pulls[3]["patch"], pulls[3]["additions"]) == ("", 0)
    for number, path in ((2, "b.py"), (4, "d.py")):
        assert pulls[number]["gaps"] == []
        assert f"+++ b/{path}\n@@ -0,0 +1 @@\n+1\n" in pulls[number]["patch"]
