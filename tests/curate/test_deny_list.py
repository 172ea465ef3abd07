"""Which pull requests stand in benchmarks: the shipped lists, a user's own, and asking them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.curate.deny_import import ImportedList, UnusableRow, import_list
from davinci_agency.curate.deny_index import DenyIndex, Hit
from davinci_agency.curate.deny_list import (
    SHIPPED,
    DeniedTask,
    DenyList,
    load_shipped,
    read_list,
    render_list,
    usual_instance_id,
)
from davinci_agency.curate.patch_ids import patch_ids_of
from davinci_agency.errors import CommandError, DataError

BASE, COMMIT, PATCH_ID, OTHER = ("1a" * 20, "2b" * 20, "3c" * 20, "4d" * 20)
GOLD = "diff --git a/bell.py b/bell.py\n--- a/bell.py\n+++ b/bell.py\n@@ -1 +1 @@\n-quiet\n+loud\n"
TEST = "diff --git a/test.py b/test.py\n--- a/test.py\n+++ b/test.py\n@@ -1 +1 @@\n-one\n+two\n"


def deny_list(*tasks: DeniedTask, name: str = "bells") -> DenyList:
    return DenyList(name, "Bells", "https://example.org/bells", "2024-01-02", None, "Some.", tasks)


def task(number: int | None = 12, repo: str = "ringers/bells", **more: Any) -> DeniedTask:
    name = usual_instance_id(repo, number) or f"{repo}-of-old"
    return replace(DeniedTask(repo, name, number), **more)


@pytest.fixture(scope="module")
def shipped() -> dict[str, DenyList]:
    return {one.name: one for one in load_shipped()}


# The shipped lists


def test_every_shipped_list_names_a_public_source_a_date_and_what_is_known(
    shipped: dict[str, DenyList],
) -> None:
    for name, one in shipped.items():
        assert (SHIPPED / f"{name}.json").is_file()
        assert one.source.startswith(("https://", "the Python package "))
        assert one.note.endswith(".")
        assert one.tasks


def test_a_shipped_list_that_is_shorter_than_its_benchmark_says_so(
    shipped: dict[str, DenyList],
) -> None:
    short = {name for name, one in shipped.items() if len(one.tasks) != one.published}
    assert short == {"swe-gym", "swe-bench-live"}
    assert shipped["swe-gym"].note.startswith("Incomplete")
    assert "are not here" in shipped["swe-bench-live"].note


def test_the_shipped_files_are_written_as_lists_are_written(shipped: dict[str, DenyList]) -> None:
    for name, one in shipped.items():
        assert (SHIPPED / f"{name}.json").read_bytes() == render_list(one)


def test_the_parts_of_swe_bench_agree_with_the_whole(shipped: dict[str, DenyList]) -> None:
    whole = {one.instance_id: one for one in shipped["swe-bench"].tasks}
    for part in ("swe-bench-verified", "swe-bench-lite"):
        of_test = [one for one in shipped[part].tasks if one.instance_id in whole]
        assert len(of_test) == {"swe-bench-verified": 500, "swe-bench-lite": 300}[part]
        assert all(whole[one.instance_id] == one for one in of_test)


def test_a_known_task_is_found_in_every_list_that_has_it(shipped: dict[str, DenyList]) -> None:
    hits = DenyIndex(shipped.values()).hits("Django/Django", 11099, BASE, [])
    assert [(hit.list_name, hit.by) for hit in hits] == [
        ("swe-bench", "number"),
        ("swe-bench-lite", "number"),
        ("swe-bench-verified", "number"),
    ]


# Lists in files


TASKS = st.builds(
    DeniedTask,
    repo=st.sampled_from(["a/b", "A/b", "a/b.c", "d/e"]),
    instance_id=st.text(min_size=1, max_size=9),
    number=st.integers(1, 10**6),
    base_commit=st.sampled_from([None, BASE]),
    commit=st.sampled_from([None, COMMIT]),
    patch_ids=st.sampled_from([(), (PATCH_ID,), (PATCH_ID, OTHER)]),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(TASKS, max_size=6, unique_by=lambda one: one.instance_id))
def test_a_list_reads_as_it_was_written_one_task_a_line(
    tmp_path_factory: pytest.TempPathFactory, tasks: list[DeniedTask]
) -> None:
    path = tmp_path_factory.getbasetemp() / "bells.json"
    path.write_bytes(render_list(deny_list(*tasks)))
    back = read_list(path)
    assert replace(back, tasks=()) == deny_list()
    assert sorted(map(repr, back.tasks)) == sorted(map(repr, tasks))
    assert path.read_bytes() == render_list(back)
    assert path.read_bytes().count(b'\n{"number":') == len(tasks)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"}}\n", b"", "truncated"),
        (b'"number":12', b'"number":"12"', "number|int"),
        (b'"number":12', b'"number":0', "number|>= 1"),
        (BASE.encode(), b"1a2b", "base_commit|regex"),
        (b'"number":12', b'"nummer":12', "unknown field `nummer`"),
        (b'"ringers/bells"', b'"bells"', "regex"),
        (b'{"number":12,', b'{"number":12},{"number":12,', "stands there twice"),
        (b'"number":12,', b"", "neither `number` nor `instance_id`"),
        (b'{"number":12,"base_commit":"%b"}' % BASE.encode(), b'{"instance_id":"x"}', "x names no"),
        (b"2024-01-02", b"today", "as_of"),
        (b'"title"', b"\xff", "UTF-8|utf-8|malformed"),
    ],
)
def test_a_damaged_list_says_what_is_wrong(
    tmp_path: Path, old: bytes, new: bytes, fault: str
) -> None:
    whole = render_list(deny_list(task(base_commit=BASE)))
    assert whole.count(old) == 1
    path = tmp_path / "bells.json"
    path.write_bytes(whole.replace(old, new))
    with pytest.raises(DataError) as caught:
        read_list(path)
    assert str(path) in str(caught.value)
    assert any(word in str(caught.value) for word in fault.split("|"))


def test_a_list_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_list(tmp_path / "none.json")


# Lists from a user's file


def imported(path: Path, name: str = "own", as_of: str = "2024-01-02") -> ImportedList:
    return import_list(path, name=name, title="Own", source="https://x.org", as_of=as_of)


def from_lines(path: Path, rows: Iterable[object]) -> ImportedList:
    path.write_bytes(
        b"\n".join(row if isinstance(row, bytes) else orjson.dumps(row) for row in rows)
    )
    return imported(path)


ROW = {
    "instance_id": "ringers__bells-12",
    "repo": "ringers/bells",
    "base_commit": BASE,
    "patch": GOLD,
    "test_patch": TEST,
    "problem_statement": "The bells are quiet.",
}
FULL = task(base_commit=BASE, patch_ids=patch_ids_of(GOLD, TEST))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (ROW, FULL),
        ({**ROW, "instance_id": "ringers__bells-77", "pull_number": "12"}, None),
        ({"repo": "ringers/bells", "number": 12}, task()),
        (
            {"org": "ringers", "repo": "bells", "number": 12, "base": {"sha": BASE}}
            | {"fix_patch": GOLD, "test_patch": TEST},
            FULL,
        ),
        ({"instance_id": "ringers__bells-12"}, task()),
        ({"instance_id": "ringers/bells:pr-12", "repo": "ringers/bells"}, None),
        (
            {"instance_id": f"instance_ringers__bells-of-old-{COMMIT}-vnan", "base_commit": BASE},
            DeniedTask(
                "ringers/bells-of-old",
                f"instance_ringers__bells-of-old-{COMMIT}-vnan",
                None,
                BASE,
                COMMIT,
            ),
        ),
    ],
)
def test_each_known_layout_gives_the_task(
    tmp_path: Path, row: dict[str, Any], expected: DeniedTask | None
) -> None:
    lines = from_lines(tmp_path / "own.jsonl", [row])
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "own.parquet")
    assert imported(tmp_path / "own.parquet") == lines
    (found,) = lines.deny_list.tasks
    assert found.number == 12 or expected
    assert expected is None or found == expected


def test_a_compressed_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(orjson.dumps(ROW)))
    assert imported(path).deny_list.tasks == (FULL,)


@pytest.mark.parametrize(("name", "as_of"), [("My Own", "2024-01-02"), ("own", "2024-13-02")])
def test_a_list_that_could_not_be_read_again_is_not_made(
    tmp_path: Path, name: str, as_of: str
) -> None:
    (tmp_path / "own.jsonl").write_bytes(orjson.dumps(ROW))
    with pytest.raises(CommandError, match=r"--name|--as-of"):
        imported(tmp_path / "own.jsonl", name, as_of)


def test_no_text_of_a_benchmark_is_kept(tmp_path: Path) -> None:
    written = render_list(from_lines(tmp_path / "own.jsonl", [ROW]).deny_list)
    assert b"quiet" not in written
    assert b"loud" not in written


def test_every_row_is_a_task_or_repeated_or_named_with_a_reason(tmp_path: Path) -> None:
    rows = [
        ROW,
        ROW,
        {**ROW, "base_commit": OTHER},
        b"{broken",
        [1],
        {"number": 3},
        {"repo": "ringers/bells"},
        {"repo": "ringers/bells", "patch": GOLD},
        {"repo": "ringers/bells", "number": True},
        {"repo": "ringers/bells", "number": 3},
    ]
    got = from_lines(tmp_path / "own.jsonl", rows)
    assert [one.number for one in got.deny_list.tasks] == [12, 3]
    assert (got.rows, got.repeated) == (10, 1)
    assert got.rows == len(got.deny_list.tasks) + got.repeated + len(got.unusable)
    assert [one.row for one in got.unusable] == [3, 4, 5, 6, 7, 8, 9]
    assert got.unusable[0] == UnusableRow(
        3, "ringers__bells-12 stands in the file with other content, too"
    )
    assert "names no repository" in got.unusable[3].reason
    assert "names no pull request" in got.unusable[4].reason


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b'{"a": 1}\n'])
def test_a_file_without_a_single_task_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own"
    path.write_bytes(content)
    with pytest.raises(DataError, match="own: "):
        imported(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        imported(tmp_path / "none.parquet")


# Asking


def signs(
    index: DenyIndex, *, repo: str = "ringers/bells", number: int = 12, **more: Any
) -> list[str]:
    asked: dict[str, Any] = {"base_commit": OTHER, "patch_ids": (), **more}
    return [hit.by for hit in index.hits(repo, number, **asked)]


def test_the_same_number_meets_only_in_the_same_repository_whatever_its_case() -> None:
    index = DenyIndex([deny_list(task())])
    assert index.hits("Ringers/BELLS", 12, OTHER, ()) == (
        Hit("bells", "number", "ringers__bells-12"),
    )
    assert signs(index, repo="ringers/horns") == []
    assert signs(index, number=13) == []


def test_a_former_name_of_a_repository_is_the_present_one() -> None:
    index = DenyIndex([deny_list(task(repo="spulec/moto"), task(13, repo="getmoto/moto"))])
    assert signs(index, repo="getmoto/moto") == ["number"]
    assert signs(index, repo="Spulec/Moto", number=13) == ["number"]
    assert index.repos == {"getmoto/moto"}


def test_the_same_patch_meets_in_any_repository() -> None:
    index = DenyIndex([deny_list(task(patch_ids=(PATCH_ID,)))])
    assert signs(index, repo="fork/bells", number=1, patch_ids=[OTHER, PATCH_ID]) == ["patch"]


def test_the_commit_that_solves_a_task_meets() -> None:
    index = DenyIndex([deny_list(task(None, commit=COMMIT))])
    assert signs(index, commits=[OTHER, COMMIT]) == ["commit"]


def test_a_base_commit_meets_only_where_no_number_is_known() -> None:
    numbered = DenyIndex([deny_list(task(base_commit=BASE))])
    unnumbered = DenyIndex([deny_list(task(None, base_commit=BASE))])
    assert signs(numbered, number=13, base_commit=BASE) == []
    assert signs(unnumbered, number=13, base_commit=BASE) == ["base-commit"]
    assert signs(unnumbered, repo="ringers/horns", base_commit=BASE) == []


def test_a_task_is_met_once_by_its_strongest_sign() -> None:
    one = task(base_commit=BASE, commit=COMMIT, patch_ids=(PATCH_ID,))
    index = DenyIndex([deny_list(one), deny_list(replace(one, number=99), name="all")])
    hits = index.hits("ringers/bells", 12, BASE, [PATCH_ID], [COMMIT])
    assert [(hit.list_name, hit.by) for hit in hits] == [("all", "commit"), ("bells", "number")]


def test_whole_repositories_can_be_named() -> None:
    index = DenyIndex([deny_list(task()), deny_list(task(repo="Ringers/Bells"), name="all")])
    assert index.repos == {"ringers/bells"}
    assert index.lists_with("RINGERS/bells") == ("all", "bells")
    assert index.lists_with("ringers/horns") == ()
