"""What says that a commit is a merged pull request, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mine.support import mine
from tests.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of one commit and one merged pull request, #1."""
    repository = Repository.init(tmp_path / "repository")
    repository.commit("Begin", {"a.py": "1\n"})
    repository.branch("first", {"first.py": "1\n"}, author="Grace")
    repository.merge_pull(1, "first", "Add the first")
    return repository


def test_a_merge_is_read_with_its_title_its_body_and_its_commits(
    repository: Repository, tmp_path: Path
) -> None:
    base = repository.sha()
    repository.switch("work", "HEAD~1")
    first = repository.commit("Start\n\nWith care.", {"b.py": "1\n2\n"}, author="Grace")
    head = repository.commit("Finish", {"b.py": "1\n3\n"}, author="Grace")
    repository.switch("main")
    merge = repository.merge_pull(7, "work", "Add b", "It was wanted.\n\nBy many.")
    pull = mine(repository.folder, tmp_path).pulls[7]
    assert pull["merge_style"] == "merge"
    assert (pull["title"], pull["body"]) == ("Add b", "It was wanted.\n\nBy many.")
    assert (pull["base_commit"], pull["merge_commit"]) == (base, merge)
    assert (pull["head_commit"], pull["merge_base"]) == (head, repository.sha("HEAD~1~1"))
    assert [commit["sha"] for commit in pull["commits"]] == [first, head]
    assert pull["commits"][0]["message"] == "Start\n\nWith care."
    assert pull["merged_at"] == "2024-01-01T05:00:00Z"
    assert pull["commits"][1]["authored_at"] == "2024-01-01T04:00:00Z"
    assert (pull["additions"], pull["deletions"], pull["language"]) == (2, 0, "Python")
    assert pull["gaps"] == []


def test_a_merge_without_words_of_its_own_takes_those_of_its_only_commit(
    repository: Repository, tmp_path: Path
) -> None:
    repository.branch("work", {"b.py": "1\n"}, message="Add b\n\nIt was wanted.")
    repository.pull_head(2, repository.sha("work"))
    repository.merge("work", message="Merge pull request #2 from someone/work")
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert (pull["title"], pull["body"]) == ("Add b", "It was wanted.")


def test_a_squash_is_read_with_its_number_taken_off_its_title(
    repository: Repository, tmp_path: Path
) -> None:
    base = repository.sha()
    repository.branch("work", {"b.py": "1\n"})
    merge = repository.squash_pull(2, "work", "Add b (and c)", "It was wanted.", author="Grace")
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert pull["merge_style"] == "squash"
    assert (pull["title"], pull["body"]) == ("Add b (and c)", "It was wanted.")
    assert (pull["base_commit"], pull["merge_base"], pull["merge_commit"]) == (base, base, merge)
    assert pull["head_commit"] == repository.sha("work")
    assert [commit["sha"] for commit in pull["commits"]] == [repository.sha("work")]
    assert pull["gaps"] == []


def test_a_fast_forward_of_one_commit_is_found_by_its_head(
    repository: Repository, tmp_path: Path
) -> None:
    base = repository.sha()
    head = repository.commit("Add b\n\nIt was wanted.", {"b.py": "1\n"}, author="Grace")
    repository.pull_head(2, head)
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert pull["merge_style"] == "fast-forward"
    assert (pull["title"], pull["body"]) == ("Add b", "It was wanted.")
    assert (pull["base_commit"], pull["head_commit"], pull["merge_commit"]) == (base, head, head)
    assert pull["gaps"] == []


def test_a_fast_forward_of_several_commits_says_that_its_range_is_inferred(
    repository: Repository, tmp_path: Path
) -> None:
    base = repository.commit("By somebody else", {"c.py": "1\n"}, author="Ada")
    commits = [
        repository.commit(f"Step {step}", {"b.py": f"{step}\n"}, author="Grace")
        for step in range(3)
    ]
    repository.pull_head(2, commits[-1])
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert pull["base_commit"] == base
    assert [commit["sha"] for commit in pull["commits"]] == commits
    assert pull["title"] == "Step 0"
    assert pull["gaps"] == ["range-inferred"]


def test_two_fast_forwards_in_a_row_do_not_share_commits(
    repository: Repository, tmp_path: Path
) -> None:
    heads = [
        repository.commit(f"Step {step}", {"b.py": f"{step}\n"}, author="Grace")
        for step in range(4)
    ]
    repository.pull_head(2, heads[1])
    repository.pull_head(3, heads[3])
    pulls = mine(repository.folder, tmp_path).pulls
    assert pulls[3]["base_commit"] == pulls[2]["merge_commit"] == heads[1]
    assert [commit["sha"] for commit in pulls[3]["commits"]] == heads[2:]


def test_a_local_merge_of_a_pull_s_head_is_found_without_a_number_in_its_message(
    repository: Repository, tmp_path: Path
) -> None:
    head = repository.branch("work", {"b.py": "1\n"}, message="Add b\n\nIt was wanted.")
    repository.pull_head(2, head)
    merge = repository.merge("work", message="Merge branch 'work'")
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert (pull["merge_style"], pull["merge_commit"]) == ("merge", merge)
    assert (pull["title"], pull["body"]) == ("Add b", "It was wanted.")
    assert pull["head_commit"] == head


def test_another_repository_s_pull_request_is_no_pull_request_here(
    repository: Repository, tmp_path: Path
) -> None:
    repository.branch("work", {"b.py": "1\n"})
    repository.merge("work", message="Merge pull request other/project#5 from x/y\n\nWork")
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.rules == [("5", "other-repository")]


def test_a_number_with_its_own_repository_before_it_is_ours(
    repository: Repository, tmp_path: Path
) -> None:
    repository.pull_head(5, repository.branch("work", {"b.py": "1\n"}))
    repository.merge("work", message="Merge pull request Example/Thing#5 from x/y\n\nWork")
    assert set(mine(repository.folder, tmp_path).pulls) == {1, 5}


def test_a_squash_that_names_an_issue_is_not_a_pull_request(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Fix what was reported (#2)", {"b.py": "1\n"})
    repository.branch("work", {"c.py": "1\n"})
    repository.squash_pull(3, "work", "Add c")
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1, 3}
    assert mined.rules == [("2", "no-such-pull")]


def test_the_newest_number_without_a_head_is_kept_and_flagged(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Add b (#9)", {"b.py": "1\n"})
    pull = mine(repository.folder, tmp_path).pulls[9]
    assert pull["gaps"] == ["head-missing"]
    assert pull["head_commit"] is None


def test_without_any_pull_heads_every_finding_is_flagged(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "1\n"})
    repository.commit("Add b (#9)", {"b.py": "1\n"})
    repository.branch("work", {"c.py": "1\n"})
    repository.merge("work", message="Merge pull request #4 from x/work\n\nAdd c")
    pulls = mine(repository.folder, tmp_path).pulls
    assert {number: pull["gaps"] for number, pull in pulls.items()} == {
        4: ["head-missing"],
        9: ["head-missing"],
    }
    assert pulls[4]["head_commit"] == repository.sha("work")


def test_a_merge_s_subject_on_a_commit_of_one_parent_is_not_a_merge(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Merge pull request #2 from someone/work\n\nAdd b", {"b.py": "1\n"})
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.rules == [("2", "not-a-merge")]


def test_a_revert_that_quotes_a_merge_s_subject_is_not_that_pull_request(
    repository: Repository, tmp_path: Path
) -> None:
    subject = 'Revert "Merge pull request #1 from someone/first"'
    repository.commit(subject, {"first.py": None})
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.pulls[1]["merge_commit"] == repository.sha("HEAD~1")


def test_a_number_seen_twice_stays_with_the_first(repository: Repository, tmp_path: Path) -> None:
    repository.branch("work", {"b.py": "1\n"})
    first = repository.squash_pull(2, "work", "Add b")
    repository.commit("Add b once more (#2)", {"c.py": "1\n"})
    mined = mine(repository.folder, tmp_path)
    assert mined.pulls[2]["merge_commit"] == first
    assert mined.rules == [("2", "number-seen-before")]
    assert mined.summary.read == mined.summary.out + mined.summary.removed == 3


def test_a_pull_request_that_was_closed_unmerged_is_not_found(
    repository: Repository, tmp_path: Path
) -> None:
    repository.pull_head(2, repository.branch("work", {"b.py": "1\n"}))
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.summary.read == 1


def test_a_merge_that_holds_other_work_than_the_pull_s_head_is_not_that_pull_request(
    repository: Repository, tmp_path: Path
) -> None:
    other = repository.branch("other", {"c.py": "1\n"}, author="Alan")
    repository.branch("work", {"b.py": "1\n"})
    repository.pull_head(2, other)
    repository.merge("work", message="Merge pull request #2 from someone/work\n\nAdd b")
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.rules == [("2", "other-work")]


def test_a_head_that_was_rebased_before_the_merge_is_flagged(
    repository: Repository, tmp_path: Path
) -> None:
    repository.switch("work", "HEAD")
    authored = repository.now
    repository.commit("Add b", {"b.py": "1\n"}, author="Grace", authored=authored)
    repository.switch("rebased", "main")
    head = repository.commit("Add b", {"b.py": "1\n"}, author="Grace", authored=authored)
    repository.switch("main")
    repository.pull_head(2, head)
    repository.merge("work", message="Merge pull request #2 from someone/work\n\nAdd b")
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert pull["gaps"] == ["head-differs"]
    assert pull["head_commit"] == head


def test_a_number_whose_head_is_younger_than_the_commit_is_another_thing_s(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Imported from elsewhere (#2)", {"b.py": "1\n"})
    repository.now += 3 * 86_400
    repository.pull_head(2, repository.branch("work", {"c.py": "1\n"}))
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1}
    assert mined.rules == [("2", "younger-than-merge")]


def test_two_pull_requests_with_one_head_are_one(repository: Repository, tmp_path: Path) -> None:
    head = repository.commit("Add b", {"b.py": "1\n"}, author="Grace")
    repository.pull_head(2, head)
    repository.pull_head(3, head)
    mined = mine(repository.folder, tmp_path)
    assert set(mined.pulls) == {1, 2}
    assert mined.rules == [("3", "same-head")]


def test_an_octopus_merge_is_read_with_the_commits_of_all_its_branches(
    repository: Repository, tmp_path: Path
) -> None:
    tips = [repository.branch(name, {f"{name}.py": "1\n"}) for name in ("x", "y")]
    repository.pull_head(2, tips[0])
    message = "Merge pull request #2 from someone/x\n\nAdd x and y"
    repository.merge("x", "y", message=message)
    pull = mine(repository.folder, tmp_path).pulls[2]
    assert sorted(commit["sha"] for commit in pull["commits"]) == sorted(tips)
    assert [file["path"] for file in pull["files"]] == ["x.py", "y.py"]


@pytest.mark.parametrize(
    ("author", "kind"),
    [("dependabot[bot]", "bot"), ("pre-commit-ci[bot]", "bot"), ("Abbott", "person")],
)
def test_a_program_is_told_from_a_person(
    author: str, kind: str, repository: Repository, tmp_path: Path
) -> None:
    repository.branch("work", {"b.py": "1\n"})
    repository.squash_pull(2, "work", "Add b", author=author)
    assert mine(repository.folder, tmp_path).pulls[2]["author_kind"] == kind


def test_the_author_is_who_wrote_most_of_the_commits(
    repository: Repository, tmp_path: Path
) -> None:
    repository.switch("work", "HEAD")
    repository.commit("One", {"b.py": "1\n"}, author="Ada")
    repository.commit("Two", {"b.py": "2\n"}, author="Grace")
    repository.commit("Three", {"b.py": "3\n"}, author="Grace")
    repository.switch("main")
    repository.merge_pull(2, "work", "Add b")
    pulls = mine(repository.folder, tmp_path).pulls
    assert pulls[2]["author_id"] == pulls[1]["author_id"] == pulls[2]["commits"][1]["author_id"]
    assert pulls[2]["author_id"] != pulls[2]["commits"][0]["author_id"]
