"""A release without JSON values: nothing of a row is lost, and any client reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.errors import CommandError, OutputError
from davinci_agency.export import export_release
from davinci_agency.export.portable import portable_message, whole_message
from davinci_agency.release import read_batches, read_manifest
from davinci_agency.schema.arrow import dataset_rows
from tests.command import davinci, tree
from tests.samples import attempt, task, write_lines

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
calls = st.fixed_dictionaries(
    {
        "id": st.text(max_size=3),
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": st.text(max_size=3), "arguments": values}),
    }
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"])},
    optional={
        "content": st.text(max_size=5) | values,
        "tool_calls": st.lists(calls, max_size=2) | values,
        "tool_call_id": values,
        "extra": values,
        "reasoning_content": values,
        "step_loss_mask": st.integers(0, 1),
    },
)


@given(messages)
def test_a_message_comes_back_whole(message: dict[str, Any]) -> None:
    assert whole_message(portable_message(message)) == message


def _release(folder: Path, **options: Any) -> Path:
    said = [
        {"role": "user", "content": "Do it.", "cache": {"a": [1, None]}},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "1", "type": "function",
             "function": {"name": "bash", "arguments": {"command": "ls", "2": None}}}]},
        {"role": "tool", "content": "[]", "tool_call_id": "1"},
        {"role": "assistant", "content": "Done."},
    ]  # fmt: skip
    inputs = BuildInputs(
        tasks=(write_lines(folder / "tasks.jsonl", [task("task-1")]),),
        attempts=(
            write_lines(
                folder / "attempts.jsonl",
                [attempt("attempt-1", "task-1", messages=said, metadata={"a": {"b": 1.5}})],
            ),
        ),
    )
    write_release(inputs, folder / "release", **options)
    return folder / "release"


def test_every_row_comes_back_from_plain_columns(tmp_path: Path) -> None:
    release = _release(tmp_path)
    summary = export_release(release, tmp_path / "out")
    rows = {config: n for config, n in read_manifest(release).rows.items() if n}
    assert (summary.written, summary.out) == (rows, sum(rows.values()))
    (shard,) = read_manifest(release).shards_of("attempts")
    (batch,) = read_batches(release, shard)
    (whole,) = dataset_rows(batch)
    table = pq.read_table(tmp_path / "out" / shard.path)
    assert "json" not in str(table.schema)
    (row,) = table.to_pylist()
    assert [whole_message(message) for message in row["messages"]] == whole["messages"]
    assert row["messages"][1]["tool_calls"][0]["function"]["arguments"] == (
        '{"command":"ls","2":null}'
    )
    assert row["metadata"] == '{"a":{"b":1.5}}'
    assert row["attempt_id"] == whole["attempt_id"]


def test_its_card_names_the_files(tmp_path: Path) -> None:
    export_release(_release(tmp_path), tmp_path / "out")
    front = yaml.safe_load((tmp_path / "out" / "README.md").read_text().split("---\n")[1])
    for config in front["configs"]:
        for path in config["data_files"][0]["path"]:
            assert (tmp_path / "out" / path).is_file()


def test_it_is_made_again_and_nothing_else_is_written_over(tmp_path: Path) -> None:
    release = _release(tmp_path)
    export_release(release, tmp_path / "out")
    before = tree(tmp_path / "out")
    export_release(release, tmp_path / "out")
    assert tree(tmp_path / "out") == before
    for taken in (release, tmp_path):
        with pytest.raises((CommandError, OutputError)):
            export_release(release, taken)
    assert davinci("validate", release).code == 0


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    done = davinci("export", _release(tmp_path), "--out", tmp_path / "out", "--json")
    assert (done.code, done.summary["out"]) == (0, 3)
    missing = davinci("export", tmp_path / "nothing", "--out", tmp_path / "other")
    assert (missing.code, "is no release" in missing.stderr) == (1, True)
