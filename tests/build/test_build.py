"""Which attempts become samples, and how rows become shards."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.build import BuildInputs, BuildOptions, write_release
from davinci_agency.build.order import open_rows
from davinci_agency.build.rows import RowSource
from davinci_agency.build.shards import cut_shards, cut_sizes
from davinci_agency.errors import OutputError
from davinci_agency.layout import ROW_GROUP_BYTES
from davinci_agency.parallel import Engine
from davinci_agency.release import check_release, read_batches, read_manifest
from davinci_agency.schema.arrow import dataset_rows
from davinci_agency.spooling import Location
from tests.command import tree
from tests.samples import attempt, example, read_lines, task, write_lines


def _rows(release: Path, config: str) -> list[dict[str, Any]]:
    shards = read_manifest(release).shards_of(config)
    return [
        row for s in shards for batch in read_batches(release, s) for row in dataset_rows(batch)
    ]


def _build(folder: Path, tasks: list[Any], attempts: list[Any], **options: Any) -> Path:
    inputs = BuildInputs(
        tasks=(write_lines(folder / "tasks.jsonl", tasks),),
        attempts=(write_lines(folder / "attempts.jsonl", attempts),),
    )
    write_release(inputs, folder / "release", BuildOptions(**options))
    return folder / "release"


REFUSED: dict[str, dict[str, Any]] = {
    "not-judged": {"score": None, "judge": None},
    "below-threshold": {"score": 0.79},
    "not-resolved": {"resolved": False},
    "incomplete": {"task_id": "task-of-two-stages"},
    "unfinished": {"messages": [{"role": "assistant", "content": ""},
                                {"role": "tool", "content": "", "tool_call_id": "1"}]},
}  # fmt: skip


@pytest.mark.parametrize("rule", list(REFUSED))
def test_an_attempt_that_breaks_a_rule_is_no_sample_and_has_a_receipt(
    rule: str, tmp_path: Path
) -> None:
    changes = {"task_id": "task-1", **REFUSED[rule]}
    tasks = [task("task-1"), task("task-of-two-stages", stages=2, kind="semantic-chain")]
    attempts = [attempt("attempt-good", "task-1"), attempt("attempt-bad", **changes)]
    release = _build(tmp_path, tasks, attempts)
    assert [row["attempt_id"] for row in _rows(release, "single-pr")] == ["attempt-good"]
    assert len(_rows(release, "attempts")) == 2
    (receipt,) = read_lines(tmp_path / "release.removed.jsonl")
    assert (receipt["rule"], receipt["record_id"]) == (rule, "attempt-bad")
    assert _rows(release, "removals") == [receipt]


def test_the_threshold_is_an_option(tmp_path: Path) -> None:
    attempts = [attempt("attempt-1", "task-1", score=0.5)]
    release = _build(tmp_path, [task("task-1")], attempts, threshold=0.5)
    (row,) = _rows(release, "single-pr")
    assert row["judge"] == {"name": "unittest", "rationale": None, "threshold": 0.5}


def test_a_sample_s_rows_are_valid_and_the_release_is_what_it_says(tmp_path: Path) -> None:
    release = _build(tmp_path, [task("task-1")], [attempt("attempt-1", "task-1")])
    assert list(check_release(release)) == []


def test_a_config_without_rows_has_no_shard(tmp_path: Path) -> None:
    release = _build(tmp_path, [task("task-1")], [])
    assert sorted(path.name for path in release.iterdir() if path.is_dir()) == ["schemas", "tasks"]
    assert read_manifest(release).rows["semantic-chain"] == 0


@settings(deadline=None, max_examples=10)
@given(seed=st.integers())
def test_shuffled_inputs_give_the_same_release(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tasks = [task(f"task-{n}") for n in range(4)]
    attempts = [attempt(f"attempt-{n}", f"task-{n % 4}", score=n / 9) for n in range(10)]
    ordered = tmp_path_factory.mktemp("ordered")
    shuffled = tmp_path_factory.mktemp("shuffled")
    expected = tree(_build(ordered, tasks, attempts))
    random.Random(seed).shuffle(tasks)  # noqa: S311
    random.Random(seed).shuffle(attempts)  # noqa: S311
    found = tree(_build(shuffled, tasks, attempts))
    # The manifest names the digests of the inputs, which differ.
    expected.pop("manifest.json")
    found.pop("manifest.json")
    assert found == expected


def test_what_a_row_holds_comes_back_byte_for_byte(tmp_path: Path) -> None:
    hostile = {
        "date": "2026-06-13T08:00:00Z",
        "number in text": "1e400",
        "big": 2**63,
        "float": 0.1,
        "mixed": [1, "1", None, {"a": []}, {}],
        "text": "\x00\u2028\ufeff\U0001f600 line\r\nend",
        "": "no key",
    }
    messages = [
        {"role": "user", "content": "2026-06-13T08:00:00Z"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": hostile}}]},
        {"role": "tool", "content": '{"a": 1}', "tool_call_id": "1"},
        {"role": "assistant", "content": "{}", "extra": hostile},
    ]  # fmt: skip
    made = attempt("attempt-1", "task-1", messages=messages, metadata=hostile)
    release = _build(tmp_path, [task("task-1")], [made])
    (row,) = _rows(release, "attempts")
    assert row == made
    assert _rows(release, "single-pr")[0]["messages"] == messages


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 200 << 20), max_size=40))
def test_shards_hold_every_row_once_and_in_order(sizes: list[int]) -> None:
    sources = [
        RowSource(str(offset), (Location(Path("f"), offset, size),))
        for offset, size in enumerate(sizes)
    ]
    with TemporaryDirectory() as folder, open_rows(Path(folder)) as rows:
        rows.add("tasks", [((n,), source) for n, source in reversed(list(enumerate(sources)))])
        rows.settle()
        cuts = list(cut_shards(rows, "tasks", "parquet"))
        read = [list(rows.read(cut.config, cut.split, cut.first, cut.count)) for cut in cuts]
    assert [row for found in read for row in found] == sources
    for number, (cut, found) in enumerate(zip(cuts, read, strict=True)):
        assert cut.path == f"tasks/train-{number:05d}-of-{len(cuts):05d}.parquet"
        assert cut.size == sum(row.size for row in found)
        assert cut.size <= 256 << 20 or len(found) == 1


def test_the_last_two_shards_share_their_rows_and_the_others_stay_full() -> None:
    def counts(rows: int) -> list[int]:
        return [count for count, _ in cut_sizes([10 << 20] * rows)]

    assert counts(0) == []
    assert counts(25) == [25]
    assert counts(26) == [13, 13]
    assert counts(51) == [25, 13, 13]
    assert counts(60) == [25, 17, 18]
    assert counts(75) == [25, 25, 25]


def test_row_groups_are_cut_by_bytes(tmp_path: Path) -> None:
    text = "".join(chr(97 + (n * n + n // 7) % 26) for n in range(1 << 20))
    pulls = [
        example("pull-request", number=n, patch=text * 12, base_commit=f"{n:040x}")
        for n in range(1, 13)
    ]
    inputs = BuildInputs(pulls=(write_lines(tmp_path / "pulls.jsonl", pulls),))
    write_release(inputs, tmp_path / "release")
    shard = tmp_path / "release" / "pull-requests" / "train-00000-of-00001.parquet"
    metadata = pq.ParquetFile(shard).metadata
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    fit = ROW_GROUP_BYTES // (12 << 20)
    assert groups == [fit, fit, 12 - 2 * fit]


def test_where_a_row_is_a_page_short_values_are_not_compressed(tmp_path: Path) -> None:
    long = [{"role": "user", "content": "word " * 60_000}, {"role": "assistant", "content": "."}]
    rows = [attempt(f"attempt-{n}", "task-1", messages=long) for n in range(3)]
    release = _build(tmp_path, [task("task-1")], rows)
    columns = {}
    for config in ("attempts", "tasks"):
        shard = pq.ParquetFile(release / read_manifest(release).shards_of(config)[0].path)
        group = shard.metadata.row_group(0)
        columns[config] = {c.path_in_schema: c for c in map(group.column, range(group.num_columns))}
    attempts, tasks = columns["attempts"], columns["tasks"]
    assert attempts["messages.list.element"].compression == "ZSTD"
    assert attempts["messages.list.element"].dictionary_page_offset is None
    assert attempts["tools.list.element"].dictionary_page_offset is not None
    assert attempts["messages.list.element"].total_compressed_size < 3_000
    assert attempts["split"].compression == "UNCOMPRESSED"
    assert {column.compression for column in tasks.values()} == {"ZSTD"}
    assert attempts["split"].statistics.min == "train"
    assert attempts["messages.list.element"].statistics is None
    assert tasks["problem_statement"].statistics is None
    assert list(check_release(release)) == []


def test_a_release_is_replaced_whole_and_a_foreign_folder_never(tmp_path: Path) -> None:
    first = tree(_build(tmp_path, [task("task-1")], []))
    second = tree(_build(tmp_path, [task("task-1"), task("task-2")], []))
    assert first.keys() == second.keys()
    assert first != second
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "file").write_text("mine")
    with pytest.raises(OutputError, match="holds something else"):
        write_release(BuildInputs(), tmp_path / "foreign")
    assert tree(tmp_path / "foreign") == {"file": b"mine"}


def test_a_failure_while_finishing_leaves_the_old_release(tmp_path: Path) -> None:
    before = tree(_build(tmp_path, [task("task-1")], []))

    def fail(_: Path, __: Engine) -> None:
        raise RuntimeError("no ink")

    with pytest.raises(RuntimeError, match="no ink"):
        write_release(BuildInputs(), tmp_path / "release", finish=fail)
    assert tree(tmp_path / "release") == before
    assert not (tmp_path / ".release.partial").exists()
