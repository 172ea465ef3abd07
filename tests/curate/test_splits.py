"""What belongs together is never divided, and what was published keeps its split."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.curate import FILES
from davinci_agency.curate.register import Register, open_register
from davinci_agency.curate.splits import SplitOptions, assign_splits
from davinci_agency.records import RecordName, Split
from tests.curate.support import Curated, Json, attempt, curate, pull, task

HALF = SplitOptions(test=0.4, validation=0.2)


@dataclass(frozen=True, slots=True)
class Member:
    """A pull request or a task, and what it is tied to."""

    key: str
    repo: str
    merged_at: datetime
    ties: tuple[str, ...]
    is_task: bool = False


@dataclass(frozen=True, slots=True)
class Splits:
    """The split and the group of every member, and the keys of those that would join two splits."""

    split: Mapping[str, Split]
    group: Mapping[str, str]
    joining: frozenset[str]


def _assigned(
    members: Sequence[Member], published: Mapping[str, Split], options: SplitOptions
) -> Splits:
    """Return the splits of some members."""
    with tempfile.TemporaryDirectory() as folder, open_register(Path(folder)) as register:
        register.publish(published.items())
        keys = {_add(register, member): member.key for member in members}
        joining = frozenset(keys[struck.id] for struck in assign_splits(register, options))
        placed = list(register.rows("SELECT id, split, split_group FROM placing"))
        return Splits(
            {keys[own]: split for own, split, _ in placed},
            {keys[own]: group for own, _, group in placed},
            joining,
        )


_KINDS: tuple[RecordName, ...] = ("pull-request", "task")


def _add(register: Register, member: Member) -> int:
    """Add what splits look at, and return the record's number."""
    moment = (member.merged_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    columns = "INSERT INTO record (record, key, repo, merged_at) VALUES (?, ?, ?, ?) RETURNING id"
    ((own,),) = register.rows(columns, _KINDS[member.is_task], member.key, member.repo, moment)
    register.insert("tie", ((own, name) for name in member.ties))
    return int(own)


def _members(numbers: list[tuple[int, list[int]]], first: int = 0) -> list[Member]:
    """Return members, each a day younger than the one before, tied to some numbers of topics."""
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    return [
        Member(
            f"acme/anvil#{first + place}",
            f"acme/{repo}",
            begin + timedelta(days=first + place),
            tuple(f"topic:{number}" for number in topics),
        )
        for place, (repo, topics) in enumerate(numbers)
    ]


MEMBERS = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.integers(0, 30), max_size=3)), max_size=40
)


@given(numbers=MEMBERS)
def test_what_is_tied_is_in_one_split(numbers: list[tuple[int, list[int]]]) -> None:
    members = _members(numbers)
    found = _assigned(members, {}, HALF)
    assert found.joining == frozenset()
    topics: dict[str, Split] = {}
    for member in members:
        for topic in member.ties:
            assert topics.setdefault(topic, found.split[member.key]) == found.split[member.key]


@given(numbers=MEMBERS, order=st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(
    numbers: list[tuple[int, list[int]]], order: random.Random
) -> None:
    members = _members(numbers)
    straight = _assigned(members, {}, HALF)
    order.shuffle(members)
    assert _assigned(members, {}, HALF) == straight


@given(old=MEMBERS, new=MEMBERS)
def test_what_was_published_keeps_its_split_whatever_is_added(
    old: list[tuple[int, list[int]]], new: list[tuple[int, list[int]]]
) -> None:
    before = _members(old, first=50)
    published = _assigned(before, {}, HALF).split
    added = _members(new)
    found = _assigned([*added, *before], published, HALF)
    assert {key: found.split[key] for key in published} == published
    assert found.joining.isdisjoint(published)
    topics: dict[str, Split] = {}
    for member in [*before, *added]:
        for topic in member.ties if member.key in found.split else ():
            assert topics.setdefault(topic, found.split[member.key]) == found.split[member.key]


def test_the_shares_are_about_those_that_were_asked_for() -> None:
    members = _members([(0, []) for _ in range(4000)])
    splits = list(_assigned(members, {}, HALF).split.values())
    assert abs(splits.count("test") / 4000 - 0.4) < 0.03
    assert abs(splits.count("validation") / 4000 - 0.2) < 0.03


def test_a_repository_is_not_divided_if_asked() -> None:
    members = _members([(number % 3, []) for number in range(60)])
    found = _assigned(members, {}, SplitOptions(test=0.5, by_repository=True))
    assert len({(member.repo, found.split[member.key]) for member in members}) == 3
    assert set(found.group.values()) == {"acme/0", "acme/1", "acme/2"}


def test_repositories_and_times_are_held_out() -> None:
    members = _members([(0, [1]), (0, []), (1, []), (0, [1]), (0, [])])
    held = _assigned(members, {}, SplitOptions(held_out=frozenset({"acme/1"})))
    assert [held.split[member.key] for member in members].count("test") == 1
    late = _assigned(members, {}, SplitOptions(held_out_since=date(2024, 1, 4)))
    # The fourth belongs to the first, which is older.
    assert [late.split[m.key] for m in members] == ["train", "train", "train", "train", "test"]


def _grown(folder: Path, numbers: range, after: Path | None = None) -> Curated:
    pulls = [pull(n, closes=[_issue(n // 3)]) for n in numbers]
    tasks = [task(each) for each in pulls]
    attempts = [attempt(each["task_id"]) for each in tasks]
    return curate(folder, pulls, tasks, attempts, after=after, test=0.4, validation=0.2)


def _issue(number: int) -> Json:
    return {"repo": "acme/anvil", "number": 1000 + number, "title": "", "body": ""}


def _release(curated: Path, out: Path) -> Path:
    pulls, tasks, attempts = ((curated / "curated" / name,) for name in FILES.values())
    write_release(BuildInputs(pulls, tasks, attempts), out)
    return out


def test_rows_of_a_release_keep_their_splits_when_records_are_added(tmp_path: Path) -> None:
    first = _grown(tmp_path / "first", range(10, 60))
    release = _release(tmp_path / "first", tmp_path / "release")
    assert len({each["split"] for each in first.tasks}) == 3
    # Issues tie new pull requests, also older ones, to what was published.
    second = _grown(tmp_path / "second", range(1, 70), after=release)
    kept = {each["task_id"]: each["split"] for each in second.tasks}
    for each in first.tasks:
        assert kept[each["task_id"]] == each["split"]
    by_pull = {each["number"]: each["split"] for each in second.pulls}
    for each in second.tasks:
        assert {by_pull[stage["number"]] for stage in each["stages"]} == {each["split"]}
    for each in second.attempts:
        assert each["split"] == kept[each["task_id"]]


def test_a_task_that_would_join_two_splits_goes(tmp_path: Path) -> None:
    first = _grown(tmp_path / "first", range(10, 60))
    release = _release(tmp_path / "first", tmp_path / "release")
    splits = {each["number"]: each["split"] for each in first.pulls}
    one = next(number for number in splits if splits[number] == "train")
    other = next(number for number in splits if splits[number] == "test")
    pulls = [pull(n, closes=[_issue(n // 3)]) for n in range(10, 60)]
    chosen = [each for each in pulls if each["number"] in (one, other)]
    bridge = task(*chosen)
    out = curate(tmp_path / "second", pulls, [bridge], after=release, test=0.4, validation=0.2)
    assert out.gone == {bridge["task_id"]: "joins-splits"}


def test_a_release_has_its_splits_and_every_client_reads_them(tmp_path: Path) -> None:
    import datasets

    first = _grown(tmp_path / "first", range(10, 60))
    release = _release(tmp_path / "first", tmp_path / "release")
    from davinci_agency.card import write_card

    write_card(release)
    for config, records in (("tasks", first.tasks), ("attempts", first.attempts)):
        loaded = datasets.load_dataset(str(release), config, cache_dir=str(tmp_path / "cache"))
        for split in ("train", "validation", "test"):
            wanted = [each["task_id"] for each in records if each["split"] == split]
            assert sorted(loaded[split]["task_id"]) == sorted(wanted)
            assert set(loaded[split]["split"]) == {split}


def test_a_release_before_is_kept_to_even_if_no_split_is_asked_for(tmp_path: Path) -> None:
    first = _grown(tmp_path / "first", range(10, 60))
    release = _release(tmp_path / "first", tmp_path / "release")
    out = curate(tmp_path / "second", *first.records, after=release)
    assert out.records == first.records


def test_what_is_nearly_the_same_and_only_marked_is_in_one_split(tmp_path: Path) -> None:
    pulls = [pull(number) for number in range(1, 41)]
    copies = [pull(n + 100, patch=pulls[n - 1]["patch"]) for n in range(1, 41)]
    out = curate(tmp_path, [*pulls, *copies], test=0.4, mark=("backport",))
    splits = {each["number"]: each["split"] for each in out.pulls}
    assert set(splits.values()) == {"train", "test"}
    assert all(splits[number] == splits[number + 100] for number in range(1, 41))


def test_published_splits_that_contradict_each_other_stay_as_they_are() -> None:
    members = [
        Member("a", "r", datetime(2024, 1, 2, tzinfo=UTC), (), is_task=False),
        Member("t", "r", datetime(2024, 1, 1, tzinfo=UTC), ("a",), is_task=True),
    ]
    published: dict[str, Split] = {"a": "train", "t": "test"}
    assert _assigned(members, published, HALF).split == published
