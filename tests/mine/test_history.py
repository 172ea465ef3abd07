"""The graph behind a branch, read from what git prints, however it is cut."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.mine.history import LOG_FORMAT, History, Log, LogCommit
from tests.repositories import Repository, run_git

HEX = st.text("0123456789abcdef", min_size=40, max_size=40)
# git cuts a commit's text at a NUL and knows no other end.
TEXT = st.binary(max_size=20).map(lambda raw: raw.replace(b"\0", b""))
COMMITS = st.builds(
    LogCommit,
    sha=HEX,
    parents=st.lists(HEX, max_size=3).map(tuple),
    authored=st.integers(0, 2**40),
    committed=st.integers(0, 2**40),
    email=TEXT,
    name=TEXT,
    message=TEXT,
)


def _printed(commits: list[LogCommit]) -> bytes:
    """Return what ``git log -z`` prints: fields ended by NUL."""
    fields: list[bytes] = []
    for commit in commits:
        fields += [
            commit.sha.encode(),
            " ".join(commit.parents).encode(),
            str(commit.authored).encode(),
            str(commit.committed).encode(),
            commit.email,
            commit.name,
            commit.message,
        ]
    return b"".join(field + b"\0" for field in fields)


@settings(deadline=None, max_examples=50)
@given(st.lists(COMMITS, max_size=5), st.data())
def test_a_log_cut_anywhere_is_the_same_log(commits: list[LogCommit], data: st.DataObject) -> None:
    printed = _printed(commits)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(printed)), max_size=12)))
    blocks = [printed[a:b] for a, b in zip([0, *cuts], [*cuts, len(printed)], strict=True)]
    assert list(Log(blocks)) == commits


@settings(deadline=None, max_examples=50)
@given(st.lists(COMMITS, min_size=1, max_size=3), st.integers(1, 4))
def test_a_log_that_ends_within_a_commit_is_refused(commits: list[LogCommit], lost: int) -> None:
    fields = _printed(commits).split(b"\0")[:-1]
    with pytest.raises(ValueError, match="in the middle of a commit"):
        Log([b"\0".join(fields[:-lost]) + b"\0"])


def test_a_message_has_a_subject_and_a_body() -> None:
    commit = LogCommit("a", (), 0, 0, b"", b"", b"\nFix it \r\n\nBecause.\nIndeed.\n")
    assert commit.subject == b"Fix it"
    assert commit.body == b"Because.\nIndeed."


def _history(repository: Repository) -> History:
    arguments = ("log", "-z", f"--format={LOG_FORMAT}", "HEAD")
    return History(Log([run_git(repository.folder, *arguments)]), [repository.sha()])


def _merge_base(history: History, position: int) -> str | None:
    sides = history.parents[history.mainline[position]][1:]
    base = history.merge_base(history.places(position), sides)
    return None if base is None else history.log.shas[base]


def _check_against_git(repository: Repository) -> int:
    history = _history(repository)
    first_parents = repository.git("rev-list", "--first-parent", "--reverse", "HEAD").split()
    assert [history.at(position).sha for position in range(len(first_parents))] == first_parents
    merges = 0
    for position in range(len(history.mainline)):
        commit = history.at(position)
        if len(commit.parents) == 2:
            merges += 1
            best = repository.git("merge-base", "--all", *commit.parents).split()
            assert _merge_base(history, position) in best, commit.subject
            own = repository.git("rev-list", commit.sha, f"^{commit.parents[0]}").split()
            found = [c.sha for c in history.brought_in(position)]
            assert sorted([commit.sha, *found]) == sorted(own)
            for place, sha in enumerate(found):
                later = set(found[place + 1 :])
                assert later.isdisjoint(repository.git("rev-list", sha).split())
    return merges


def test_a_branch_that_merged_main_into_itself_has_its_newest_base(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a": "1"})
    repository.branch("work", {"b": "1"})
    middle = repository.commit("On main", {"c": "1"})
    repository.switch("work")
    repository.merge("main", message="Merge branch 'main' into work")
    repository.commit("More", {"b": "2"})
    repository.switch("main")
    repository.commit("On main again", {"d": "1"})
    repository.merge_pull(1, "work", "Work")
    history = _history(repository)
    assert _merge_base(history, len(history.mainline) - 1) == middle
    assert _check_against_git(repository) == 1


def test_a_merge_that_could_have_been_fast_forwarded_has_main_as_its_base(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    base = repository.commit("Begin", {"a": "1"})
    repository.branch("work", {"b": "1"})
    repository.merge_pull(1, "work", "Work")
    assert _merge_base(_history(repository), 1) == base


def test_histories_that_share_nothing_have_no_base(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a": "1"})
    repository.git("switch", "-q", "--orphan", "other")
    repository.commit("Begin elsewhere", {"b": "1"})
    repository.switch("main")
    repository.git("merge", "-q", "--allow-unrelated-histories", "-m", "Join", "other")
    assert _merge_base(_history(repository), 1) is None


@pytest.mark.parametrize("seed", range(2))
def test_merge_bases_are_git_s_on_a_tangled_history(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"0": ""})
    branches: list[str] = []
    for step in range(14):
        tip = chance.choice(["main", *branches])
        match chance.choice(["commit", "branch", "merge", "take"]):
            case "branch":
                branches.append(f"b{step}")
                repository.switch(f"b{step}", tip)
                repository.commit(f"Step {step}", {f"f{step}": ""})
            case "commit":
                repository.switch(tip)
                repository.commit(f"Step {step}", {f"f{step}": ""})
            case "merge" if tip != "main":
                repository.switch("main")
                _merge(repository, tip, step)
            case "take" if tip != "main":
                repository.switch(tip)
                _merge(repository, chance.choice(["main", *branches]), step)
    repository.switch("main")
    for place, branch in enumerate(branches):
        _merge(repository, branch, 100 + place)
    assert _check_against_git(repository) > 0


def _merge(repository: Repository, branch: str, step: int) -> None:
    """Merge a branch, unless there is nothing of it to merge."""
    if repository.git("rev-list", "-1", branch, "^HEAD"):
        repository.merge(branch, message=f"Merge {step}")


def test_an_empty_history_has_no_mainline() -> None:
    assert History(Log([]), ["a" * 40]).mainline == []
