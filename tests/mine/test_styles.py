"""Every way in which pull requests are merged, through real repositories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mine.support import mine
from tests.repositories import Repository, run_git

URL = "https://github.com/example/thing/pull"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of one commit and one merged pull request, #1."""
    repository = Repository.init(tmp_path / "repository")
    repository.commit("Begin", {"a.py": "1\n"})
    repository.branch("first", {"first.py": "1\n"}, author="Grace")
    repository.merge_pull(1, "first", "Add the first")
    return repository


def work(repository: Repository, number: int, start: str = "main", steps: int = 3) -> list[str]:
    """Make a pull request's branch of some commits by Grace, go back, and return them."""
    here = repository.git("branch", "--show-current")
    repository.switch(f"work-{number}", start)
    commits = [
        repository.commit(
            f"Step {step} of {number}", {f"b{number}.py": f"{step}\n"}, author="Grace"
        )
        for step in range(steps)
    ]
    repository.pull_head(number, commits[-1])
    repository.switch(here)
    return commits


def copy(repository: Repository, *commits: str, author: str = "Mel", more: str = "") -> list[str]:
    """Put copies of commits on the current branch, as another committer; return their names."""
    copies = []
    for commit in commits:
        repository.git("cherry-pick", "--allow-empty", *more.split(), commit, author=author)
        repository.now += 60
        copies.append(repository.sha())
    return copies


def shas(pull: dict[str, Any]) -> list[str]:
    return [commit["sha"] for commit in pull["commits"]]


def applies(repository: Repository, pull: dict[str, Any]) -> bool:
    """Tell whether a pull request's patches turn its base's tree into its merge's."""
    repository.git("switch", "-q", "--detach", pull["base_commit"])
    patch = (pull["patch"] + pull["test_patch"]).encode()
    run_git(repository.folder, "apply", "--index", "-", stdin=patch)
    tree = repository.git("write-tree")
    repository.git("reset", "-q", "--hard")
    repository.switch("main")
    return tree == repository.sha(f"{pull['merge_commit']}^{{tree}}")


def test_a_rebase_of_several_commits_is_found_whole(repository: Repository, tmp_path: Path) -> None:
    commits = work(repository, 2)
    base = repository.commit("Meanwhile", {"c.py": "1\n"})
    copies = copy(repository, *commits)
    repository.commit("Afterwards", {"c.py": "2\n"})
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert (pull["merge_style"], pull["found_by"]) == ("rebase", "rebased-head")
    assert (pull["base_commit"], pull["merge_commit"]) == (base, copies[-1])
    assert (pull["head_commit"], pull["merge_base"]) == (commits[-1], repository.sha(f"{base}~"))
    assert shas(pull) == copies
    assert pull["gaps"] == []
    assert [file["path"] for file in pull["files"]] == ["b2.py"]
    assert applies(repository, pull)


def test_a_rebase_with_a_reworded_subject_is_found_and_flagged(
    repository: Repository, tmp_path: Path
) -> None:
    first, second = work(repository, 2, steps=2)
    base = repository.commit("Meanwhile", {"c.py": "1\n"})
    copy(repository, first)
    repository.git("commit", "-q", "--amend", "-m", "Begin with two", author="Mel")
    copies = [repository.sha(), *copy(repository, second)]
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert (pull["merge_style"], pull["base_commit"]) == ("rebase", base)
    assert shas(pull) == copies
    assert pull["gaps"] == ["head-differs"]


def test_two_pull_requests_with_the_same_rebased_commits_are_one(
    repository: Repository, tmp_path: Path
) -> None:
    commits = work(repository, 2)
    repository.switch("again", "HEAD")
    repository.commit("Elsewhere", {"c.py": "1\n"})
    again = copy(repository, *commits, author="Alan")
    repository.switch("main")
    repository.pull_head(3, again[-1])
    repository.commit("Elsewhere", {"c.py": "1\n"}, authored=repository.now - 9000)
    copies = copy(repository, *commits)
    mined = mine(repository.folder, tmp_path)
    assert [pull["merge_commit"] for pull in mined.pulls.values()].count(copies[-1]) == 1
    assert len(mined.pulls) == 2


@pytest.mark.parametrize(
    ("message", "found_by"),
    [
        ("Merge #2\n\n2: Add b r=ada a=grace\n\nWords.", "bors"),
        ("Auto merge of #2 - grace:work, r=ada\n\nAdd b\n\nWords.", "homu"),
        ("Add b (#2)\n\nWords.", "squash-subject"),
    ],
)
def test_a_robot_s_merge_commit_is_a_merge(
    message: str, found_by: str, repository: Repository, tmp_path: Path
) -> None:
    base, commits = repository.sha(), work(repository, 2)
    merge = repository.merge("work-2", message=message, author="bors")
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert (pull["merge_style"], pull["found_by"]) == ("merge", found_by)
    assert (pull["title"], pull["body"]) == ("Add b", "Words.")
    assert (pull["base_commit"], pull["merge_commit"]) == (base, merge)
    assert (pull["head_commit"], shas(pull)) == (commits[-1], commits)
    assert (pull["author_kind"], pull["gaps"]) == ("person", [])


def test_a_batch_of_bors_is_left_out_with_a_receipt_for_each(
    repository: Repository, tmp_path: Path
) -> None:
    work(repository, 2)
    work(repository, 3)
    repository.merge("work-2", "work-3", message="Merge #2 #3\n\n2: b r=x a=x\n\n3: c r=x a=x")
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.rules == [("2", "merged-in-a-batch"), ("3", "merged-in-a-batch")]


def test_a_closing_line_of_the_pull_s_author_is_a_merge(
    repository: Repository, tmp_path: Path
) -> None:
    commits = work(repository, 2)
    message = "[THING-9] Add b\n\nCloses #2 from grace/work."
    merge = repository.commit(message, {"b2.py": "2\n"}, author="Grace")
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert (pull["merge_style"], pull["found_by"]) == ("squash", "closing-line")
    assert (pull["title"], pull["merge_commit"]) == ("[THING-9] Add b", merge)
    assert pull["head_commit"] == commits[-1]


def test_a_closing_line_over_another_author_s_work_is_no_merge(
    repository: Repository, tmp_path: Path
) -> None:
    work(repository, 2)
    repository.commit("Another way\n\nThis closes #2", {"c.py": "1\n"}, author="Alan")
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.rules == [("2", "other-work")]


def test_consecutive_commits_with_one_trailer_are_one_pull_request(
    repository: Repository, tmp_path: Path
) -> None:
    base, commits = repository.sha(), work(repository, 2, steps=2)
    landed = [
        repository.commit(f"{step}\n\nPR-URL: {URL}/2", {"b2.py": f"{step}\n"}, author="Grace")
        for step in range(2)
    ]
    repository.commit(f"Next\n\nPR-URL: {URL}/9", {"c.py": "1\n"})
    pulls = mine(repository.folder, tmp_path).pulls
    assert set(pulls) == {1, 2, 9}
    assert (pulls[2]["merge_style"], pulls[2]["found_by"]) == ("rebase", "trailer")
    assert (pulls[2]["base_commit"], pulls[2]["merge_commit"]) == (base, landed[-1])
    assert pulls[2]["head_commit"] == commits[-1]
    assert len(shas(pulls[2])) == 2
    assert applies(repository, pulls[2])


@pytest.mark.parametrize("is_squash", [True, False])
def test_a_squash_that_is_stacked_on_another_lists_only_its_own_commits(
    is_squash: bool, repository: Repository, tmp_path: Path
) -> None:
    lower, upper = work(repository, 2), work(repository, 3, start="work-2")
    (repository.squash_pull if is_squash else repository.merge_pull)(2, "work-2", "Add b")
    repository.squash_pull(3, "work-3", "Add c")
    pulls = mine(repository.folder, tmp_path).pulls
    assert pulls[3]["stacked_on"] == 2 or not is_squash
    assert (shas(pulls[2]), shas(pulls[3])) == (lower, upper)
    assert [file["path"] for file in pulls[3]["files"]] == ["b3.py"]


def test_a_stack_on_an_older_form_of_another_branch_is_seen(
    repository: Repository, tmp_path: Path
) -> None:
    older = work(repository, 2, steps=2)
    upper = work(repository, 3, start="work-2")
    repository.commit("Meanwhile", {"c.py": "1\n"})
    repository.switch("work-2b", "main")
    lower = copy(repository, *older)
    repository.pull_head(2, lower[-1])
    repository.git("branch", "-q", "-D", "work-2")
    repository.switch("main")
    repository.squash_pull(2, "work-2b", "Add b")
    repository.squash_pull(3, "work-3", "Add c")
    pulls = mine(repository.folder, tmp_path).pulls
    assert (pulls[2]["stacked_on"], pulls[3]["stacked_on"]) == (None, 2)
    assert (shas(pulls[2]), shas(pulls[3])) == (lower, upper)


def test_copies_of_what_was_squashed_on_a_release_branch_are_not_the_branch_s_own(
    repository: Repository, tmp_path: Path
) -> None:
    repository.switch("release", "main")
    work(repository, 2)
    repository.squash_pull(2, "work-2", "Add b")
    upper = work(repository, 3)
    repository.switch("main")
    repository.commit("Meanwhile", {"c.py": "1\n"})
    copy(repository, repository.sha("release"))
    repository.squash_pull(3, "work-3", "Add c")
    repository.git("branch", "-q", "-D", "release")
    pulls = mine(repository.folder, tmp_path).pulls
    assert shas(pulls[3]) == upper
    assert pulls[3]["stacked_on"] is None


def test_a_commit_that_names_an_issue_stays_its_branch_s_own(
    repository: Repository, tmp_path: Path
) -> None:
    repository.branch("fix", {"b.py": "1\n"}, message="Mend it (#7)", author="Grace")
    head = repository.sha("fix")
    repository.pull_head(8, head)
    repository.squash_pull(8, "fix", "Mend it")
    assert shas(mine(repository.folder, tmp_path).pulls[8]) == [head]


def test_work_that_was_taken_back_and_done_again_stands_on_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    commits = work(repository, 2, steps=2)
    landed = repository.squash_pull(2, "work-2", "Add b")
    repository.git("revert", "--no-edit", landed, author="Mel")
    repository.switch("again", "main")
    again = copy(repository, *commits)
    again.append(repository.commit("Mend it", {"mend.py": "1\n"}, author="Grace"))
    repository.pull_head(3, again[-1])
    repository.switch("main")
    repository.squash_pull(3, "again", "Add b once more")
    pulls = mine(repository.folder, tmp_path).pulls
    assert pulls[3]["stacked_on"] is None
    assert shas(pulls[3]) == again
    assert {file["path"] for file in pulls[3]["files"]} == {"b2.py", "mend.py"}


def test_a_pull_request_that_was_merged_into_another_s_branch_says_so(
    repository: Repository, tmp_path: Path
) -> None:
    outer = work(repository, 2)
    inner = work(repository, 3, start="work-2")
    repository.switch("work-2")
    nested = repository.merge_pull(3, "work-3", "Add c")
    repository.switch("main")
    repository.merge_pull(2, "work-2", "Add b")
    pulls = mine(repository.folder, tmp_path).pulls
    assert [pulls[n]["merged_into"] for n in (2, 3)] == ["default-branch", "pull-request"]
    assert (pulls[3]["base_commit"], pulls[3]["merge_commit"]) == (outer[-1], nested)
    assert shas(pulls[3]) == inner
    assert pulls[3]["base_branch"] is None
    assert [file["path"] for file in pulls[3]["files"]] == ["b3.py"]


def test_a_backport_names_its_branch_and_what_it_brings(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("branch", "maintenance/1.x")
    work(repository, 2)
    landed = repository.squash_pull(2, "work-2", "Add b")
    repository.switch("backport", "maintenance/1.x")
    copies = copy(repository, landed, more="-x")
    repository.switch("maintenance/1.x")
    merge = repository.merge_pull(3, "backport", "Bring b to 1.x")
    repository.switch("main")
    pulls = mine(repository.folder, tmp_path).pulls
    assert (pulls[3]["merged_into"], pulls[3]["base_branch"]) == ("other-branch", "maintenance/1.x")
    assert (pulls[3]["backport_of"], pulls[3]["merge_commit"]) == (2, merge)
    assert shas(pulls[3]) == copies
    assert (pulls[2]["backport_of"], pulls[2]["base_branch"]) == (None, "main")


def test_a_copy_of_a_squash_on_a_maintenance_branch_is_no_second_record(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("branch", "maintenance/1.x")
    work(repository, 2)
    landed = repository.squash_pull(2, "work-2", "Add b")
    repository.switch("maintenance/1.x")
    copy(repository, landed, more="-x")
    repository.commit("Only here", {"only.py": "1\n"})
    repository.switch("main")
    mined = mine(repository.folder, tmp_path)
    assert mined.pulls[2]["merge_commit"] == landed
    assert (mined.pulls[2]["merged_into"], mined.rules) == ("default-branch", [])


@pytest.mark.parametrize("by_number", [True, False])
def test_a_revert_names_the_pull_request_that_it_takes_back(
    by_number: bool, repository: Repository, tmp_path: Path
) -> None:
    work(repository, 2)
    landed = repository.squash_pull(2, "work-2", "Add b")
    taken = landed if not by_number else "0" * 40
    title = 'Revert "Add b (#2)"' if by_number else "Revert b"
    repository.branch("undo", {"b2.py": None}, message="Undo")
    repository.squash_pull(3, "undo", title, f"This reverts commit {taken}.")
    pulls = mine(repository.folder, tmp_path).pulls
    assert {number: pull["reverts"] for number, pull in pulls.items()} == {1: [], 2: [], 3: [2]}


def test_a_foreign_number_of_an_imported_history_does_not_take_a_later_pull_s_place(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Of elsewhere (#2)", {"old.py": "1\n"}, author="Alan")
    repository.now += 7 * 86_400
    work(repository, 2)
    merge = repository.squash_pull(2, "work-2", "Add b")
    mined = mine(repository.folder, tmp_path)
    assert mined.pulls[2]["merge_commit"] == merge
    assert mined.rules == [("2", "younger-than-merge")]


def test_a_foreign_number_above_all_pull_heads_long_before_them_is_no_pull_request(
    tmp_path: Path,
) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"old.py": "1\n"})
    repository.commit("Of elsewhere (#5000)", {"old.py": "2\n"}, author="Alan")
    repository.now += 365 * 86_400
    work(repository, 1)
    repository.squash_pull(1, "work-1", "Add b")
    assert set(mine(repository.folder, tmp_path).pulls) == {1}


@pytest.mark.parametrize("place", ["HEAD", "HEAD~2", "HEAD~3"])
def test_a_head_that_was_reset_to_an_old_commit_of_main_is_no_merge(
    place: str, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Of nobody's pull request", {"c.py": "1\n"})
    repository.branch("work-2", {"b.py": "1\n"})
    repository.squash_pull(2, "work-2", "Add b")
    repository.pull_head(3, repository.sha(place))
    assert set(mine(repository.folder, tmp_path).pulls) == {1, 2}


def test_a_head_that_is_older_than_those_of_all_numbers_before_it_was_set_back(
    tmp_path: Path,
) -> None:
    repository = Repository.init(tmp_path / "repository")
    repository.commit("Begin", {"a.py": "1\n"})
    old = repository.commit("Of nobody's pull request", {"c.py": "1\n"})
    repository.branch("work-1", {"b.py": "1\n"})
    repository.squash_pull(1, "work-1", "Add b")
    repository.pull_head(2, old)
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.rules == [("2", "older-than-its-number")]
