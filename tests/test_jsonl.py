"""Records in files: every bad line set aside with a note, every good one kept, all accounted."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.errors import CommandError, DataError, StrictError
from davinci_agency.jsonl import open_inspected, open_records
from davinci_agency.parallel import Pool
from davinci_agency.parsing import MAX_LINE_BYTES
from davinci_agency.records import Attempt, PullRequest, from_json, to_json, to_row
from davinci_agency.schema import load_schema
from davinci_agency.stage import Quarantined, Summary, side_file, stage_output
from davinci_agency.surveying import Seen
from tests.samples import example, read_lines, write_lines
from tests.schema.strategies import rows_of


def pull(number: int, **changes: Any) -> dict[str, Any]:
    """Return a pull request in JSON's types."""
    return example("pull-request", number=number, **changes)


def line(number: int, **changes: Any) -> bytes:
    """Return a pull request as a line."""
    return orjson.dumps(pull(number, **changes)) + b"\n"


def read_pulls(paths: list[Path], out: Path, *, strict: bool = False) -> tuple[Summary, list[int]]:
    """Run a stage that hands its pull requests on as they are."""
    with (
        stage_output("chain", out, strict=strict) as output,
        open_records(paths, PullRequest, output) as records,
    ):
        for record in records:
            output.kept += 1
            output.write(record, record.merge_style)
    return output.summary(), [value["number"] for value in read_lines(out)]


def notes_of(out: Path) -> list[dict[str, Any]]:
    """Return what the quarantine file says."""
    return read_lines(side_file(out, "quarantine"))


WRONG_VERSION = orjson.dumps(pull(2, schema_version="7.0.0"))
WITHOUT_TITLE = orjson.dumps({k: v for k, v in pull(2).items() if k != "title"})

UNUSABLE: dict[str, tuple[bytes, str, str]] = {
    "no JSON": (b"not json", "$", "not JSON"),
    "cut off": (line(2)[:200], "$", "not JSON"),
    "two values": (line(2).strip() + line(3).strip(), "$", "not JSON"),
    "not UTF-8": (line(2).strip().replace(b"rounding", b"round\xefng"), "$", "not JSON"),
    "half a surrogate": (
        line(2).strip().replace(b"Fix rounding of", b"Fix \\ud800 of"),
        "$",
        "not JSON",
    ),
    "NaN": (line(2).strip().replace(b'"additions":12', b'"additions":NaN'), "$", "not JSON"),
    "infinity": (line(2).strip().replace(b'"additions":12', b'"additions":1e999'), "$", "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + line(2).strip(), "$", "not JSON"),
    "nested without end": (b'{"a":' + b"[" * 100_000, "$", "not JSON"),
    "a list": (b"[1]", "$", "expected an object"),
    "null": (b"null", "$", "expected an object"),
    "an unknown version": (WRONG_VERSION, "$.schema_version", "'7.0.0'; this program knows 1.0.0"),
    "a version of no text": (
        orjson.dumps({**pull(2), "schema_version": 1}),
        "$.schema_version",
        "$.schema_version is 1; expected",
    ),
    "another record": (orjson.dumps(example("attempt")), "$.", "(schema pull-request 1.0.0)"),
    "a missing property": (WITHOUT_TITLE, "$.title", "$.title is missing; expected a value"),
    "a wrong type": (orjson.dumps({**pull(2), "number": "2"}), "$.number", "expected integer"),
    "a whole number as a fraction": (
        line(2).strip().replace(b'"number":2,', b'"number":2.0,'),
        "$",
        "int",
    ),
    "an impossible date": (
        orjson.dumps(pull(2, merged_at="2023-02-29T00:00:00Z")),
        "$.merged_at",
        "date-time",
    ),
    "the year nought": (orjson.dumps(pull(2, merged_at="0000-01-01T00:00:00Z")), "$", ""),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_bad_line_is_set_aside_with_its_place_and_the_good_ones_survive(
    kind: str, tmp_path: Path
) -> None:
    bad, json_path, reason = UNUSABLE[kind]
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1) + bad + b"\n" + line(3))
    summary, numbers = read_pulls([path], out)
    assert numbers == [1, 3]
    assert (summary.read, summary.out, summary.removed, summary.quarantined) == (3, 2, 0, 1)
    (note,) = notes_of(out)
    assert note["file"] == str(path)
    assert note["line"] == 2
    assert note["offset"] == len(line(1))
    assert note["sha256"] == hashlib.sha256(bad + b"\n").hexdigest()
    assert note["json_path"].startswith(json_path)
    assert reason in note["reason"]
    assert len(note["reason"]) < 400


def test_several_faults_of_a_line_are_counted(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    write_lines(path, [{**pull(1), "additions": "x", "deletions": "y", "body": 3}, pull(2)])
    read_pulls([path], out)
    assert "And 2 more faults." in notes_of(out)[0]["reason"]


def test_a_line_of_more_than_64_mib_is_set_aside_unread(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    with path.open("wb") as file:
        file.write(line(1))
        file.write(b'{"title":"')
        for _ in range(MAX_LINE_BYTES >> 20):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n')
        file.write(line(2))
    summary, numbers = read_pulls([path], out)
    assert numbers == [1, 2]
    assert summary.quarantined == 1
    (note,) = notes_of(out)
    assert (note["line"], note["offset"], note["sha256"]) == (2, len(line(1)), None)
    assert "longer than 64 MiB" in note["reason"]


def test_a_version_of_a_megabyte_makes_a_short_note(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    write_lines(path, [pull(1, schema_version="9" * 1_000_000), pull(2)])
    read_pulls([path], out)
    assert len(notes_of(out)[0]["reason"]) < 1_000


def test_free_form_values_nested_300_deep_stop_nothing(tmp_path: Path) -> None:
    path, out = tmp_path / "attempts.jsonl", tmp_path / "out.jsonl"
    deep = orjson.dumps(example("attempt", metadata={}, attempt_id="a-2"))
    deep = deep.replace(b'"metadata":{}', b'"metadata":{"a":' + b"[" * 300 + b"]" * 300 + b"}")
    path.write_bytes(orjson.dumps(example("attempt", attempt_id="a-1")) + b"\n" + deep + b"\n")
    with (
        stage_output("build", out) as output,
        open_records([path], Attempt, output) as records,
    ):
        output.kept += len(records)
        assert "a-1" in {attempt.attempt_id for attempt in records}


@pytest.mark.parametrize("deep", [300, 900])
def test_a_wrong_value_nested_deeply_is_set_aside(deep: int, tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    bad = line(2).replace(b'"number":2,', b'"number":' + b"[" * deep + b"]" * deep + b",")
    path.write_bytes(line(1) + bad)
    assert read_pulls([path], out)[1] == [1]


def test_blank_lines_are_no_records_and_keep_their_numbers(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(b"\n" + line(1) + b"  \t\r\n\n" + b"bad\n")
    summary, numbers = read_pulls([path], out)
    assert numbers == [1]
    assert (summary.read, summary.quarantined) == (2, 1)
    assert notes_of(out)[0]["line"] == 5


def test_the_last_line_needs_no_end_and_others_may_end_as_windows_ends_them(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1).replace(b"\n", b"\r\n") + line(2).rstrip(b"\n"))
    assert read_pulls([path], out)[1] == [1, 2]


def test_an_empty_file_is_no_records(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(b"")
    summary, numbers = read_pulls([path], out)
    assert (summary.read, numbers) == (0, [])


def test_compressed_records_are_read_and_written(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl.zst", tmp_path / "out.jsonl.zst"
    path.write_bytes(zstandard.compress(line(1) + b"bad\n"))
    with stage_output("chain", out) as output, open_records([path], PullRequest, output) as records:
        for record in records:
            output.kept += 1
            output.write(record, "pull")
    text = zstandard.ZstdDecompressor().decompressobj().decompress(out.read_bytes())
    assert text == line(1)
    (note,) = read_lines(tmp_path / "out.quarantine.jsonl")
    assert (note["file"], note["line"]) == (str(path), 2)


def test_a_file_that_is_not_there_stops_the_stage_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not there"):
        read_pulls([tmp_path / "no.jsonl"], tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_of_exact_copies_one_stays_and_the_others_get_receipts(tmp_path: Path) -> None:
    first, second, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "out.jsonl"
    turned = dict(reversed(pull(1).items()))
    spaced = json.dumps(pull(1), indent=None, separators=(" , ", " : ")).encode() + b"\n"
    write_lines(first, [pull(1), turned])
    second.write_bytes(spaced + line(2))
    summary, numbers = read_pulls([first, second], out)
    assert numbers == [1, 2]
    assert summary.rules == {"exact-copy": 2}
    assert (summary.read, summary.out, summary.removed) == (4, 2, 2)
    for receipt in read_lines(side_file(out, "removed")):
        assert receipt["record_id"] == receipt["kept_id"] == "numpy/numpy#1"
        assert (receipt["stage"], receipt["rule"]) == ("chain", "exact-copy")


def test_of_records_with_one_id_and_different_content_none_is_trusted(tmp_path: Path) -> None:
    first, second, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "out.jsonl"
    write_lines(first, [pull(1), pull(2), pull(1)])
    write_lines(second, [pull(1, title="Another title")])
    summary, numbers = read_pulls([first, second], out)
    assert numbers == [2]
    assert (summary.read, summary.out, summary.quarantined) == (4, 1, 3)
    notes = sorted(notes_of(out), key=lambda note: (note["file"], note["line"]))
    assert [(note["file"], note["line"]) for note in notes] == [
        (str(first), 1),
        (str(first), 3),
        (str(second), 1),
    ]
    assert all("numpy/numpy#1" in note["reason"] for note in notes)
    assert all("different contents" in note["reason"] for note in notes)


def test_records_that_are_only_looked_up_are_not_counted(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(1) + b"bad\n")
    with (
        stage_output("build", out) as output,
        open_records([path], PullRequest, output, counted=False) as records,
    ):
        assert len(records) == 1
    summary = output.summary()
    assert (summary.read, summary.out, summary.removed, summary.quarantined) == (0, 0, 0, 0)
    assert len(notes_of(out)) == 1


def test_of_records_that_are_only_looked_up_none_with_two_contents_is_found(
    tmp_path: Path,
) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(2) + line(1, title="Another title"))
    with (
        stage_output("build", out) as output,
        open_records([path], PullRequest, output, counted=False) as records,
    ):
        assert [record.number for record in records] == [2]
    summary = output.summary()
    assert (summary.read, summary.out, summary.removed, summary.quarantined) == (0, 0, 0, 0)
    assert {note["line"] for note in notes_of(out)} == {1, 3}
    assert read_lines(side_file(out, "removed")) == []


def _lines() -> list[bytes]:
    odd = pull(3, title="Other")
    return [line(1), line(2), line(2), line(3), orjson.dumps(odd) + b"\n", line(4), b"bad\n"]


@settings(deadline=None, max_examples=20)
@given(order=st.permutations(_lines()), cut=st.integers(0, 7), turned=st.booleans())
def test_the_order_of_lines_and_files_does_not_matter(
    order: list[bytes], cut: int, turned: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("order")
    first, second, out = folder / "a.jsonl", folder / "b.jsonl", folder / "out.jsonl"
    first.write_bytes(b"".join(order[:cut]))
    second.write_bytes(b"".join(order[cut:]))
    paths = [second, first] if turned else [first, second]
    summary, _ = read_pulls(paths, out)
    assert out.read_bytes() == line(1) + line(2) + line(4)
    assert summary.rules == {"exact-copy": 1}
    assert (summary.read, summary.out, summary.quarantined) == (7, 3, 3)
    digests = sorted(note["sha256"] for note in notes_of(out))
    bad = [b"bad\n", line(3), line(3, title="Other")]
    assert digests == sorted(hashlib.sha256(raw).hexdigest() for raw in bad)


def test_records_come_sorted_by_repository_and_number_as_a_number(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    write_lines(path, [pull(10), pull(9), pull(2, repo="a/b")])
    assert read_pulls([path], out)[1] == [2, 9, 10]


def test_strict_stops_at_a_bad_line_and_leaves_the_notes_but_not_the_records(
    tmp_path: Path,
) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1) + b"bad\n")
    out.write_bytes(b"what an earlier run made\n")
    with pytest.raises(StrictError, match=r"1 records .*pulls\.jsonl:2: the line is not JSON"):
        read_pulls([path], out, strict=True)
    assert out.read_bytes() == b"what an earlier run made\n"
    assert [note["line"] for note in notes_of(out)] == [2]


def test_strict_lets_good_records_pass(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(1))
    assert read_pulls([path], out, strict=True)[1] == [1]


def test_a_stage_with_nothing_but_bad_records_fails_and_leaves_the_notes(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(b"bad\nworse\n")
    with pytest.raises(DataError, match=r"None of the 2 records .*pulls\.jsonl:1: the line is no"):
        read_pulls([path], out)
    assert not out.exists()
    assert [note["line"] for note in notes_of(out)] == [1, 2]


def test_an_account_that_does_not_add_up_leaves_nothing(tmp_path: Path) -> None:
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(2))

    def lose_one() -> None:
        with (
            stage_output("chain", out) as output,
            open_records([path], PullRequest, output) as records,
        ):
            output.kept += 1
            output.write(records.read(0), "pull")

    with pytest.raises(RuntimeError, match="2 records in, but 1 out"):
        lose_one()
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_file_whose_name_is_no_utf_8_can_be_named_in_a_note(tmp_path: Path) -> None:
    path, out = Path(f"{tmp_path}/pulls-\udcff.jsonl"), tmp_path / "out.jsonl"
    try:
        path.write_bytes(line(1) + b"bad\n")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system has only names that are UTF-8")
    assert read_pulls([path], out)[1] == [1]
    assert notes_of(out)[0]["line"] == 2


def test_a_note_reads_as_a_place_and_a_reason() -> None:
    assert str(Quarantined("a.jsonl", 3, "$", "it is bad.")) == "a.jsonl:3: it is bad."
    assert str(Quarantined("a.json", None, "$", "it is bad.")) == "a.json: it is bad."


@settings(deadline=None, max_examples=40)
@given(rows_of("pull-request"))
def test_a_record_is_its_json_and_its_json_is_the_record(row: dict[str, Any]) -> None:
    record = from_json(row, PullRequest)
    text = to_json(record)
    assert b"\n" not in text
    assert from_json(orjson.loads(text), PullRequest) == record
    assert to_row(record) == row
    assert list(to_row(record)) == list(load_schema("pull-request").document["properties"])


@settings(deadline=None, max_examples=12)
@given(rows=st.lists(rows_of("pull-request"), min_size=1, max_size=4))
def test_records_with_odd_text_survive_a_file(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    rows = [{**row, "number": number} for number, row in enumerate(copy.deepcopy(rows), start=1)]
    path, out = write_lines(folder / "pulls.jsonl", rows), folder / "out.jsonl"
    read_pulls([path], out)
    by_key: Callable[[dict[str, Any]], Any] = lambda row: (row["repo"], row["number"])  # noqa: E731
    assert list(_values(out)) == sorted(rows, key=by_key)


def _values(path: Path) -> Iterator[Any]:
    # Not str.splitlines, which also cuts at characters that are no line end in JSON Lines.
    yield from (orjson.loads(raw) for raw in path.read_bytes().split(b"\n") if raw)


def test_a_note_quotes_no_secret(tmp_path: Path) -> None:
    key = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    path, out = tmp_path / "pulls.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(2).replace(b'"number":2,', b'"number":"%s",' % key.encode()))
    assert read_pulls([path], out)[1] == [1]
    (note,) = notes_of(out)
    assert "<github-token>" in note["reason"]
    assert key not in (tmp_path / "out.quarantine.jsonl").read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_how_a_file_is_cut_and_who_reads_it_changes_nothing(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line(number) for number in range(1, 9)]
    respelt = orjson.dumps({"title": "", **pull(9)}, option=orjson.OPT_INDENT_2)
    lines += [b"\n", b"not json\n", respelt.replace(b"\n", b"") + b"\n", line(3), b"[1]"]
    path = tmp_path / "pulls.jsonl"
    path.write_bytes(b"".join(lines))
    found = []
    for size in (1 << 20, 700):
        monkeypatch.setattr("davinci_agency.surveying._RANGE_BYTES", size)
        out = tmp_path / f"{size}.jsonl"
        with (
            stage_output("chain", out) as output,
            Pool(workers) as pool,
            open_inspected([path], PullRequest, _title, output, engine=pool) as records,
        ):
            output.kept = len(records)
            found.append(([records.line(n) for n in range(len(records))], list(records.seen())))
        notes, receipts = notes_of(out), read_lines(side_file(out, "removed"))
        assert [(note["line"], note["sha256"]) for note in notes] == [
            (10, hashlib.sha256(lines[9]).hexdigest()),
            (13, hashlib.sha256(lines[12]).hexdigest()),
        ]
        assert [receipt["rule"] for receipt in receipts] == ["exact-copy"]
    assert found[0] == found[1]
    assert found[0][0] == [to_json(from_json(pull(n), PullRequest)) for n in range(1, 10)]


def _title(record: PullRequest) -> Seen[str]:
    return Seen(record.title)
