"""From a file of pull requests to a file of chains, with an account of what no chain may hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.chain import ChainOptions
from davinci_agency.records import KINDS, Kind
from davinci_agency.schema import validator
from tests.chain.support import chains_of, changed_file, numbers, pull, sha
from tests.command import davinci, tree
from tests.samples import read_lines, write_lines


def _history() -> list[dict[str, Any]]:
    return [
        pull(1, "Add rounding", author="ada", license="MIT"),
        pull(2, "Add sums", paths=["sums.py"], author="alan", license="MIT"),
        pull(3, "Fix rounding", "It was broken since #1.", author="ada", license="MIT"),
        pull(4, "Round faster", "Follow-up to #3.", author="grace", license="MIT"),
        pull(5, "Update the lock", author="robot", author_kind="bot", license="MIT"),
        pull(6, "Change sums", paths=["sums.py"], author="alan", license="MIT"),
        pull(7, 'Revert "Change sums"', "Reverts #6.", paths=["sums.py"], author="alan"),
    ]


def test_every_chain_follows_its_schema_and_every_member_is_tied_to_an_earlier_one(
    tmp_path: Path,
) -> None:
    chains, summary = chains_of(_history(), tmp_path)
    assert {chain["kind"] for chain in chains} == set(KINDS)
    for chain in chains:
        assert validator("pr-chain").faults(chain) == []
        earlier = {chain["stages"][0]["number"]}
        for stage in chain["stages"][1:]:
            ties = [edge for edge in chain["edges"] if edge["source"] == stage["number"]]
            assert any(edge["target"] in earlier for edge in ties)
            assert all(edge["evidence"] for edge in ties)
            earlier.add(stage["number"])
    assert (summary.read, summary.out, summary.removed) == (7, 4, 3)


def test_the_chains_of_a_small_history_are_these(tmp_path: Path) -> None:
    chains, summary = chains_of(_history(), tmp_path)
    found = [(chain["kind"], numbers(chain)) for chain in chains]
    assert found == [
        ("single-pr", [1]),
        ("single-pr", [2]),
        ("single-pr", [3]),
        ("single-pr", [4]),
        ("temporal-chain", [1, 3]),
        ("semantic-chain", [1, 3, 4]),
    ]
    assert summary.rules == {"bot-author": 1, "revert": 1, "reverted": 1}
    receipts = read_lines(tmp_path / "chains.removed.jsonl")
    assert {receipt["record_id"]: receipt["rule"] for receipt in receipts} == {
        "example/thing#5": "bot-author",
        "example/thing#6": "reverted",
        "example/thing#7": "revert",
    }


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    forwards, _ = chains_of(_history(), tmp_path / "forwards")
    backwards, _ = chains_of(_history()[::-1], tmp_path / "backwards")
    assert forwards == backwards


def test_repositories_are_chained_apart(tmp_path: Path) -> None:
    other = pull(2, "Fix what came since #1", repo="other/thing")
    chains, _ = chains_of([pull(1), other], tmp_path)
    assert [chain["kind"] for chain in chains] == ["single-pr", "single-pr"]
    assert [chain["split_group"] for chain in chains] == ["example/thing", "other/thing"]


@pytest.mark.parametrize("changed", [1, 3, 4])
def test_a_chain_s_id_changes_when_any_member_does(changed: int, tmp_path: Path) -> None:
    options = ChainOptions(kinds=("semantic-chain",))
    (before,), _ = chains_of(_history(), tmp_path / "before", options)
    history = _history()
    history[changed - 1]["merge_commit"] = sha("another commit")
    (after,), _ = chains_of(history, tmp_path / "after", options)
    assert numbers(before) == numbers(after) == [1, 3, 4]
    assert before["chain_id"] != after["chain_id"]


def test_a_chain_s_id_does_not_depend_on_words_or_on_other_chains(tmp_path: Path) -> None:
    options = ChainOptions(kinds=("semantic-chain",))
    (before,), _ = chains_of(_history(), tmp_path / "before", options)
    history = _history()[:4]
    history[0]["title"] = "Another title"
    (after,), _ = chains_of(history, tmp_path / "after", options)
    assert before["chain_id"] == after["chain_id"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_kinds_that_are_asked_for_are_made(kind: Kind, tmp_path: Path) -> None:
    chains, summary = chains_of(_history(), tmp_path, ChainOptions(kinds=(kind,)))
    assert {chain["kind"] for chain in chains} == {kind}
    assert summary.written == {kind: len(chains)}
    assert summary.out == 4


def test_no_chain_is_longer_than_allowed(tmp_path: Path) -> None:
    history = [pull(n, body=f"Follow-up to #{n - 1}.", author=f"a{n}") for n in range(1, 8)]
    options = ChainOptions(kinds=("semantic-chain",), max_length=3)
    chains, _ = chains_of(history, tmp_path, options)
    assert [numbers(chain) for chain in chains] == [[1, 2, 3], [4, 5, 6]]


def test_a_revert_is_recognised_by_the_commit_that_it_names(tmp_path: Path) -> None:
    history = [pull(1), pull(2, "Revert it", f"This reverts commit {sha('1.0')}.", author="x")]
    chains, summary = chains_of(history, tmp_path)
    assert chains == []
    assert summary.rules == {"revert": 1, "reverted": 1}


def test_what_was_not_tried_is_not_said_to_apply(tmp_path: Path) -> None:
    chains, _ = chains_of([pull(1), pull(2, author="x")], tmp_path)
    states = {(s["apply_status"], s["base_tree"]) for c in chains for s in c["stages"]}
    assert states == {("unproven", None)}


def _receipts(folder: Path) -> list[tuple[str, str]]:
    lines = read_lines(folder / "chains.removed.jsonl")
    return [(line["record_type"], line["rule"]) for line in lines]


def test_a_repository_gives_its_best_chains_up_to_the_budget_and_receipts_for_the_others(
    tmp_path: Path,
) -> None:
    history = [pull(n, author=f"a{n}", files=[changed_file(f"{n // 2}.py")]) for n in range(2, 12)]
    for later in history[1::2]:
        later["body"] = f"Follow-up to #{later['number'] - 1}."
    history[5]["title"] = history[4]["title"] = "Interpolate splines through measurements"
    history[1]["title"] = "Nothing in common"
    options = ChainOptions(kinds=("single-pr", "semantic-chain"), budget=4)
    chains, summary = chains_of(history, tmp_path, options)
    assert [numbers(c) for c in chains if c["kind"] == "semantic-chain"] == [
        [4, 5],
        [6, 7],
        [8, 9],
        [10, 11],
    ]
    assert _receipts(tmp_path) == [("pr-chain", "over-budget")]
    assert (summary.out, summary.removed, summary.rules) == (10, 0, {})
    assert summary.funnel["semantic-chain: over-budget"] == 1
    assert summary.written == {"single-pr": 10, "semantic-chain": 4}
    chains, _ = chains_of(history, tmp_path, ChainOptions(("semantic-chain",), budget=1))
    assert [numbers(chain) for chain in chains] == [[6, 7]]


def test_a_chain_with_a_lower_score_than_asked_for_is_left_out(tmp_path: Path) -> None:
    options = ChainOptions(kinds=("semantic-chain",))
    (chain,), _ = chains_of(_history(), tmp_path, options)
    score = chain["scores"]["overall"]
    assert 0 < score <= 1
    for least, count in ((score, 1), (score + 0.01, 0)):
        chains, _ = chains_of(_history(), tmp_path, replace(options, min_score=least))
        assert len(chains) == count
    assert ("pr-chain", "low-score") in _receipts(tmp_path)


def test_the_funnel_leads_from_all_pull_requests_to_all_chains(tmp_path: Path) -> None:
    _, summary = chains_of(_history(), tmp_path)
    assert list(summary.funnel.items()) == [
        ("pull requests", 7),
        ("eligible", 4),
        ("tied pairs", 3),
        ("pairs left out: revert", 1),
        ("ties", 2),
        ("single-pr: made", 4),
        ("single-pr: kept", 4),
        ("temporal-chain: made", 1),
        ("temporal-chain: kept", 1),
        ("semantic-chain: made", 1),
        ("semantic-chain: kept", 1),
    ]


def test_a_chain_s_language_is_that_of_most_of_its_lines(tmp_path: Path) -> None:
    history = [
        pull(1, language="C", additions=10),
        pull(2, "Fix #1", language="Python", additions=30),
        pull(3, "Fix #2", language="C", additions=10),
    ]
    options = ChainOptions(kinds=("semantic-chain",))
    (chain,), _ = chains_of(history, tmp_path, options)
    assert chain["language"] == "Python"


def test_a_body_of_megabytes_of_references_ties_nothing(tmp_path: Path) -> None:
    body = "\n".join(f"Fixes #{n}" for n in range(1, 60_000))
    chains, _ = chains_of([pull(1, author="x"), pull(2, body=body)], tmp_path)
    assert [numbers(chain) for chain in chains] == [[1], [2]]


@pytest.mark.parametrize(
    ("given", "out"),
    [
        ("a.jsonl", "a.jsonl"),
        ("a.removed.jsonl", "a.jsonl"),
        ("a.quarantine.jsonl", "a.jsonl"),
        ("link.jsonl", "a.jsonl"),
        ("a.jsonl", "link.jsonl"),
    ],
)
def test_what_is_read_is_never_written_over(given: str, out: str, tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "a.jsonl")
    write_lines(tmp_path / given, _history())
    before = tree(tmp_path)
    done = davinci("chain", tmp_path / given, "--out", tmp_path / out)
    assert (done.code, "would be written over" in done.stderr) == (2, True)
    assert tree(tmp_path) == before


def test_options_that_could_mean_nothing_are_refused(tmp_path: Path) -> None:
    pulls = write_lines(tmp_path / "pulls.jsonl", _history())
    for option in ("--min-score", "--min-verdict"):
        done = davinci("chain", pulls, "--out", tmp_path / "chains.jsonl", option, "nan")
        assert (done.code, "is not a number" in done.stderr) == (2, True)
    assert davinci("chain", pulls, "--out", "-", "--clone", "").code == 2
    assert davinci("chain", "/dev/null", "--out", "-").stderr.strip().endswith("standard input.")


def test_a_summary_never_stands_among_the_records(tmp_path: Path) -> None:
    pulls = write_lines(tmp_path / "pulls.jsonl", _history())
    done = davinci("chain", pulls, "--out", "-", "--json")
    assert [json.loads(line)["schema_version"] for line in done.stdout.splitlines()]
    assert json.loads(done.stderr.splitlines()[-1])["stage"] == "chain"


def test_a_chain_that_nothing_could_read_is_left_out(tmp_path: Path) -> None:
    long = "+" + "z" * 40_000_000 + "\n"
    patch = "diff --git a/core.py b/core.py\n--- a/core.py\n+++ b/core.py\n@@ -1 +1 @@\n" + long
    pulls = [pull(1, patch=patch), pull(2, "Fix #1", patch=patch)]
    chains, summary = chains_of(pulls, tmp_path, ChainOptions(("semantic-chain",)))
    assert chains == []
    assert summary.funnel["semantic-chain: too-large"] == 1
    (receipt,) = read_lines(tmp_path / "chains.removed.jsonl")
    assert receipt["rule"] == "too-large"
