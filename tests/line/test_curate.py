"""Curation as a person runs it, on the example."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.command import davinci
from tests.line.conftest import Line
from tests.samples import read_lines, write_lines

PULLS = "pulls.example__tallybook.jsonl"


def _curate(line: Line, out: Path, *options: str | Path) -> None:
    result = davinci(
        "curate", "--pulls", line.work / PULLS, "--tasks", line.work / "tasks.jsonl",
        "--attempts", line.work / "attempts.jsonl", "--out", out, *options,
    )  # fmt: skip
    assert result.code == 0, result.stderr


def test_a_run_curates_what_it_builds(line: Line) -> None:
    account = orjson.loads((line.work / "curated" / "curation.json").read_bytes())
    counts = account["repositories"]["example/tallybook"]
    assert counts["pull-request"]["in"] == len(read_lines(line.work / PULLS))
    for record, name in (("pull-request", "pulls"), ("task", "tasks"), ("attempt", "attempts")):
        kept = read_lines(line.work / "curated" / f"{name}.jsonl")
        removed = sum(counts[record]["removed"].values())
        assert counts[record]["out"] == len(kept) == counts[record]["in"] - removed


@pytest.mark.parametrize("form", ["file", "release"])
def test_withheld_patches_come_back_from_a_clone(
    form: str, line: Line, repository: Path, tmp_path: Path
) -> None:
    curated, whole = tmp_path / "curated", tmp_path / "whole.jsonl"
    _curate(line, curated, "--withhold-patches", "--license", "ISC")
    withheld = read_lines(curated / "tasks.jsonl")
    assert all(stage["patch"] == "" for task in withheld for stage in task["stages"])
    assert not any(task["patch"] or task["test_patch"] for task in withheld)
    target = curated / "tasks.jsonl"
    if form == "release":
        target = tmp_path / "release"
        assert davinci("build", "--tasks", curated / "tasks.jsonl", "--out", target).code == 0
    result = davinci("rehydrate", target, "--clone", f"example/tallybook={repository}",
                     "--out", whole, "--json")  # fmt: skip
    assert result.code == 0, result.stderr
    assert read_lines(whole) == read_lines(line.work / "tasks.jsonl")


def test_withheld_code_is_in_no_attempt(line: Line, tmp_path: Path) -> None:
    _curate(line, tmp_path / "out", "--withhold-patches", "--license", "ISC")
    assert read_lines(tmp_path / "out" / "attempts.jsonl") == []
    receipts = read_lines(tmp_path / "out.removed.jsonl")
    assert {receipt["rule"] for receipt in receipts} == {"license-not-allowed"}


def test_a_patch_that_is_another_is_not_taken_for_the_one(
    line: Line, repository: Path, tmp_path: Path
) -> None:
    _curate(line, tmp_path / "out", "--withhold-patches", "--license", "ISC")
    records = read_lines(tmp_path / "out" / "pulls.jsonl")
    records[0]["withheld"]["patch_sha256"] = "0" * 64
    records[1]["repo"] = "somebody/else"
    path, out = write_lines(tmp_path / "pulls.jsonl", records), tmp_path / "whole.jsonl"
    result = davinci("rehydrate", path, "--clone", f"example/tallybook={repository}",
                     "--out", out, "--json")  # fmt: skip
    assert (result.code, result.summary["quarantined"]) == (0, 2)
    reasons = [note["reason"] for note in read_lines(tmp_path / "whole.quarantine.jsonl")]
    assert any("another patch" in reason for reason in reasons)
    assert any("no clone" in reason for reason in reasons)
    assert len(read_lines(out)) == len(records) - 2


def test_a_release_has_the_receipts_of_curation(line: Line, tmp_path: Path) -> None:
    _curate(line, tmp_path / "out", "--min-score", "0.99", "--off", "license-not-allowed")
    result = davinci(
        "build", "--tasks", tmp_path / "out" / "tasks.jsonl",
        "--attempts", tmp_path / "out" / "attempts.jsonl",
        "--removals", tmp_path / "out.removed.jsonl", "--out", tmp_path / "release",
    )  # fmt: skip
    assert result.code == 0, result.stderr
    card = (tmp_path / "release" / "README.md").read_text()
    assert "| curate | attempt | below-score |" in card


def test_the_report_adds_up_for_people_and_for_machines(line: Line, tmp_path: Path) -> None:
    arguments = (
        "curate", "--tasks", line.work / "tasks.jsonl", "--attempts", line.work / "attempts.jsonl",
        "--min-score", "0.99", "--report",
    )  # fmt: skip
    people = davinci(*arguments, "--out", tmp_path / "a")
    assert "below-score" in people.stdout
    machines = davinci(*arguments, "--out", tmp_path / "b", "--json")
    counts = machines.summary["repositories"]["example/tallybook"]["attempt"]
    assert counts["in"] == counts["out"] + sum(counts["removed"].values())
    summary = orjson.loads(machines.stdout.splitlines()[0])
    assert summary["in"] == summary["out"] + summary["removed"] + summary["quarantined"]


def test_every_rule_and_every_list_can_be_shown() -> None:
    rules = davinci("curate", "rules")
    assert (rules.code, "near-duplicate" in rules.stdout) == (0, True)
    lists = davinci("curate", "deny-list", "list", "--json")
    names = {each["name"] for each in orjson.loads(lists.stdout)}
    assert names >= {"swe-bench-verified", "multi-swe-bench"}


def test_a_benchmark_of_ones_own_is_imported_and_denied(line: Line, tmp_path: Path) -> None:
    number = read_lines(line.work / PULLS)[0]["number"]
    rows = pa.table({"repo": ["example/tallybook"], "number": [number]})
    pq.write_table(rows, tmp_path / "own.parquet")
    imported = davinci(
        "curate", "deny-list", "import", tmp_path / "own.parquet", "--name", "own",
        "--source", "my disk", "--as-of", "2026-01-31", "--out", tmp_path / "own.json",
    )  # fmt: skip
    assert imported.code == 0, imported.stderr
    _curate(line, tmp_path / "out", "--deny-list", tmp_path / "own.json")
    receipts = read_lines(tmp_path / "out.removed.jsonl")
    gone = [r for r in receipts if r["rule"] == "in-benchmark"]
    assert f"example/tallybook#{number}" in {receipt["record_id"] for receipt in gone}
    assert "own " in gone[0]["reason"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--off", "nonsense"], "no rule 'nonsense'"),
        (["--deny-list", "absent.json"], "absent.json"),
        (["--benchmark", "absent.jsonl"], "absent.jsonl"),
        (["--validation", "0.7", "--test", "0.7"], "more than everything"),
        (["--after", "absent"], "absent"),
    ],
)
def test_a_wrong_option_is_said_in_a_sentence(
    options: list[str], said: str, line: Line, tmp_path: Path
) -> None:
    result = davinci(
        "curate", "--tasks", line.work / "tasks.jsonl", "--out", tmp_path / "out", *options
    )
    assert result.code in (1, 2, 3)
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_release_has_the_notices_of_what_it_holds_and_no_others(
    line: Line, tmp_path: Path
) -> None:
    assert "Copyright" in (line.release / "NOTICES.txt").read_text()
    notices = read_lines(line.work / "pulls.example__tallybook.notices.jsonl")
    other = {**notices[0], "blob": "0" * 40, "text": "Other terms.", "licenses": ["SSPL-1.0"]}
    path = write_lines(tmp_path / "n.jsonl", [*notices, other])
    result = davinci("build", "--tasks", line.work / "tasks.jsonl", "--notices", path,
                     "--out", tmp_path / "release")  # fmt: skip
    assert result.code == 0, result.stderr
    text = (tmp_path / "release" / "NOTICES.txt").read_text()
    assert ("Copyright" in text, "Other terms" in text) == (True, False)
    (tmp_path / "release" / "NOTICES.txt").write_text("")
    checked = davinci("validate", tmp_path / "release")
    assert (checked.code, "NOTICES.txt" in checked.stdout) == (1, True)
