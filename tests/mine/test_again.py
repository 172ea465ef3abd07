"""Mining again what was mined before: the same bytes, and only what is new is made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from davinci_agency.errors import DataError, OutputError
from davinci_agency.files import locked
from davinci_agency.mine.filters import Filters
from tests.mine.hosted import REPO, make_hosted
from tests.mine.support import change, mine
from tests.repositories import Repository, run_git

STORE = "example__thing.sqlite"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of one pull request of each style; #4 is still open."""
    repository = Repository.init(tmp_path / "repository")
    repository.commit("Begin", {"a.py": "1\n"})
    repository.branch("one", {"one.py": "1\n"}, author="Grace")
    repository.merge_pull(1, "one", "Add one")
    repository.branch("two", {"two.py": "1\n"})
    repository.squash_pull(2, "two", "Add two", author="Alan")
    repository.pull_head(3, repository.commit("Add three", {"three.py": "1\n"}, author="Grace"))
    repository.pull_head(4, repository.branch("four", {"four.py": "1\n"}))
    return repository


def rows(cache: Path) -> dict[int, tuple[bytes, bytes]]:
    """Return the key and the line of every record that a store holds, by number."""
    with closing(sqlite3.connect(cache / STORE)) as connection:
        found = connection.execute("SELECT number, key, line FROM record").fetchall()
    return {number: (key, line) for number, key, line in found}


def watch(cache: Path) -> None:
    """Let a store note which records are put there from now on."""
    with closing(sqlite3.connect(cache / STORE)) as connection:
        connection.executescript(
            "CREATE TABLE made (number INTEGER);"
            "CREATE TRIGGER note AFTER INSERT ON record BEGIN INSERT INTO made VALUES (NEW.number);"
            "END;"
        )


def made(cache: Path) -> list[int]:
    """Return which records were put into a store since it was watched."""
    with closing(sqlite3.connect(cache / STORE)) as connection:
        return [n for (n,) in connection.execute("SELECT number FROM made ORDER BY number")]


def test_after_new_merges_the_bytes_are_those_of_a_fresh_mine(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path / "first", cache=cache)
    repository.merge_pull(4, "four", "Add four")
    repository.branch("five", {"one.py": None})
    repository.squash_pull(5, "five", 'Revert "Add one (#1)"')
    again = mine(repository.folder, tmp_path / "again", cache=cache)
    assert set(again.pulls) == {1, 2, 3, 4, 5}
    assert again.content == mine(repository.folder, tmp_path / "fresh").content


def test_only_a_new_pull_request_is_made(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path, cache=cache)
    before = rows(cache)
    watch(cache)
    mine(repository.folder, tmp_path, cache=cache)
    assert made(cache) == []
    repository.merge_pull(4, "four", "Add four")
    mine(repository.folder, tmp_path, cache=cache)
    assert made(cache) == [4]
    assert {number: row for number, row in rows(cache).items() if number != 4} == before


def test_only_what_changed_is_made_again(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path, cache=cache)
    watch(cache)
    repository.switch("two")
    repository.pull_head(2, repository.commit("Later", {"two.py": "2\n"}))
    repository.switch("main")
    again = mine(repository.folder, tmp_path / "again", cache=cache)
    assert made(cache) == [2]
    assert again.content == mine(repository.folder, tmp_path / "fresh").content


def test_new_attributes_reach_records_that_were_made_before(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path, cache=cache)
    repository.commit("Tell", {".gitattributes": "two.py linguist-generated\n"})
    pull = mine(repository.folder, tmp_path, cache=cache).pulls[2]
    assert change(pull, "two.py")["omitted"] == "generated"


def test_other_options_give_other_bytes_from_the_same_cache(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    for options in (
        {},
        {"license": "MIT"},
        {"host": "github.com"},
        {"filters": Filters(bots=True)},
    ):
        again = mine(repository.folder, tmp_path / "again", options, cache=cache)
        assert again.content == mine(repository.folder, tmp_path / "fresh", options).content


def test_a_pull_request_that_is_no_longer_there_is_not_taken_from_the_cache(
    repository: Repository, tmp_path: Path
) -> None:
    cache, before = tmp_path / "cache", repository.sha()
    repository.merge_pull(4, "four", "Add four")
    mine(repository.folder, tmp_path, cache=cache)
    repository.git("reset", "-q", "--hard", before)
    again = mine(repository.folder, tmp_path / "again", cache=cache)
    assert set(again.pulls) == {1, 2, 3}
    assert again.content == mine(repository.folder, tmp_path / "fresh").content


def test_a_full_and_a_shallow_clone_may_share_a_cache(
    repository: Repository, tmp_path: Path
) -> None:
    cache, shallow = tmp_path / "cache", tmp_path / "shallow"
    run_git(tmp_path, "clone", "-q", "--depth=3", repository.folder.as_uri(), shallow)
    run_git(shallow, "fetch", "-q", "--depth=2", "origin", "refs/pull/*/head:refs/pull/*/head")
    run_git(shallow, "remote", "remove", "origin")
    folders = (repository.folder, shallow)
    fresh = [mine(folder, tmp_path / "fresh").content for folder in folders]
    assert fresh[0] != fresh[1]
    for _ in range(2):
        shared = [mine(folder, tmp_path / "again", cache=cache).content for folder in folders]
        assert shared == fresh


def test_a_full_and_a_partial_clone_may_share_a_cache(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    repository.git("config", "uploadpack.allowFilter", "true")
    folders = (repository.bare_clone(tmp_path / "p.git", "--filter=blob:none"), repository.folder)
    fresh = [mine(folder, tmp_path / "fresh").content for folder in folders]
    shared = [mine(folder, tmp_path / "again", cache=cache).content for folder in folders]
    assert shared == fresh


def test_a_partial_clone_after_a_full_one_may_only_know_more(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    repository.git("config", "uploadpack.allowFilter", "true")
    partial = repository.bare_clone(tmp_path / "p.git", "--filter=blob:none")
    whole = mine(repository.folder, tmp_path / "whole", cache=cache).content
    fresh = mine(partial, tmp_path / "fresh").content
    assert mine(partial, tmp_path / "again", cache=cache).content in (whole, fresh)


def test_a_blob_that_arrives_later_closes_the_gap(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = repository.bare_clone(tmp_path / "p.git", "--filter=blob:none")
    first = mine(clone, tmp_path / "first", cache=cache)
    assert change(first.pulls[2], "two.py")["omitted"] == "missing-blob"
    blob = (repository.folder / "two.py").read_bytes()
    # All these files hold the same, so that one blob mends them all.
    run_git(clone, "hash-object", "-w", "--stdin", stdin=blob)
    again = mine(clone, tmp_path / "again", cache=cache)
    assert change(again.pulls[2], "two.py")["omitted"] is None
    assert again.content == mine(repository.folder, tmp_path / "whole").content


def test_after_a_blob_has_arrived_nothing_is_made_twice(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = repository.bare_clone(tmp_path / "p.git", "--filter=blob:none")
    mine(clone, tmp_path, cache=cache)
    run_git(clone, "hash-object", "-w", "--stdin", stdin=b"1\n")
    mine(clone, tmp_path, cache=cache)
    watch(cache)
    mine(clone, tmp_path, cache=cache)
    assert made(cache) == []


def test_blobs_that_arrive_one_by_one_close_one_gap_after_another(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r")
    repository.commit("Begin", {"a.py": "1\n"})
    for number in (1, 2, 3):
        repository.commit(f"Add {number} (#{number})", {f"{number}.py": f"{number}0\n"})
    repository.git("config", "uploadpack.allowFilter", "true")
    clone, cache = repository.bare_clone(tmp_path / "p.git", "--filter=blob:none"), tmp_path / "c"
    mine(clone, tmp_path, cache=cache)
    for number in (2, 1, 3):
        run_git(clone, "hash-object", "-w", "--stdin", stdin=b"%d0\n" % number)
        again = mine(clone, tmp_path / "again", cache=cache)
        assert again.content == mine(clone, tmp_path / "fresh").content
        assert again.pulls[number]["gaps"] == ["head-missing"]


@pytest.mark.parametrize("content", [b"This is no database.\n" * 100, b"SQLite format 3\0" * 99])
def test_a_damaged_cache_says_that_it_is_to_be_deleted(
    content: bytes, repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path, cache=cache)
    for path in cache.glob(f"{STORE}*"):
        path.unlink()
    (cache / STORE).write_bytes(content)
    with pytest.raises(DataError, match="delete it"):
        mine(repository.folder, tmp_path / "again", cache=cache)
    (cache / STORE).unlink()
    assert set(mine(repository.folder, tmp_path, cache=cache).pulls) == {1, 2, 3}


def test_a_cache_whose_records_are_damaged_says_that_it_is_to_be_deleted(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path, cache=cache)
    with closing(sqlite3.connect(cache / STORE)) as connection, connection:
        connection.execute("UPDATE record SET line = x'00112233'")
    with pytest.raises(DataError, match="delete it"):
        mine(repository.folder, tmp_path / "again", cache=cache)


def test_a_cache_of_another_version_says_that_it_is_to_be_deleted(
    repository: Repository, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path, cache=cache)
    with closing(sqlite3.connect(cache / STORE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="delete it"):
        mine(repository.folder, tmp_path / "again", cache=cache)


def test_a_cache_that_another_run_has_is_refused(repository: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    mine(repository.folder, tmp_path, cache=cache)
    with locked(cache / STORE), pytest.raises(OutputError, match="Another run"):
        mine(repository.folder, tmp_path / "again", cache=cache)
    assert set(mine(repository.folder, tmp_path, cache=cache).pulls) == {1, 2, 3}


def test_only_the_newest_or_those_since_a_day_are_kept(tmp_path: Path) -> None:
    hosted = make_hosted(tmp_path / "demo.git", 60)
    cache = tmp_path / "cache"
    whole = mine(hosted.folder, tmp_path, {"repo": REPO}).pulls
    day = date(2023, 11, 16)
    late = {n for n, pull in whole.items() if pull["merged_at"] >= "2023-11-16"}
    assert 0 < len(late) < 60
    for _ in range(2):
        since = mine(hosted.folder, tmp_path, {"repo": REPO, "since": day}, cache=cache)
        newest = mine(hosted.folder, tmp_path, {"repo": REPO, "limit": 7}, cache=cache)
        both = mine(hosted.folder, tmp_path, {"repo": REPO, "since": day, "limit": 99}, cache=cache)
        assert (set(since.pulls), set(both.pulls)) == (late, late)
        assert list(newest.pulls) == list(range(54, 61))
        assert all(whole[n] == pull for n, pull in [*since.pulls.items(), *newest.pulls.items()])
        assert newest.summary.read == newest.summary.out + newest.summary.removed
    assert mine(hosted.folder, tmp_path, {"repo": REPO}, cache=cache).pulls == whole
