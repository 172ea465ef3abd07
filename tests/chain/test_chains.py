"""Laws of chaining that hold for any pull requests, from file to file."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.chain import ChainOptions, find_chains
from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.edges import STRONG
from davinci_agency.parallel import Pool
from davinci_agency.schema import validator
from tests.chain.support import chains_of, find_edges, node, numbers, pull
from tests.samples import read_lines, write_lines

WORDS = st.sampled_from(["Fixes", "See", "Follow-up to", "Depends on", "Reverts", "Supersedes"])
PATHS = st.lists(st.sampled_from(["core.py", "sums.py", "io.py"]), min_size=1, max_size=2)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return the pull requests of up to two repositories, which speak of each other."""
    count = draw(st.integers(1, 8))
    pulls = []
    for number in range(1, count + 1):
        words, target = draw(WORDS), draw(st.integers(1, count))
        title = draw(st.sampled_from(["Change it", f"{words} #{target}", 'Revert "Change it"']))
        made = pull(
            number,
            title,
            f"It was slow. {words} #{target}." if draw(st.booleans()) else "",
            day=draw(st.integers(1, 80)),
            paths=draw(PATHS),
            author=draw(st.sampled_from(["ada", "alan"])),
            author_kind=draw(st.sampled_from(["person", "person", "person", "bot"])),
            repo=draw(st.sampled_from(["example/thing", "example/thing", "other/thing"])),
        )
        pulls.append(made)
    return pulls


def _moment(stage: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(stage["merged_at"])


@settings(deadline=None, max_examples=60)
@given(history=histories(), max_length=st.integers(2, 5))
def test_chains_are_valid_disjoint_bounded_and_tied(
    history: list[dict[str, Any]], max_length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("chains")
    chains, summary = chains_of(history, folder, ChainOptions(max_length=max_length))
    merged = {(p["repo"], p["number"]): p for p in history}
    used: Counter[tuple[str, str, int]] = Counter()
    for chain in chains:
        assert validator("pr-chain").faults(chain) == []
        used.update((chain["kind"], chain["repo"], number) for number in numbers(chain))
        for stage in chain["stages"]:
            assert stage["merged_at"] == merged[chain["repo"], stage["number"]]["merged_at"]
            assert stage["author_kind"] == "person"
        order = [(_moment(stage), stage["number"]) for stage in chain["stages"]]
        assert order == sorted(order)
        _check_ties(chain, max_length)
    assert set(used.values()) <= {1}
    groups: dict[tuple[str, int], set[str]] = {}
    for chain in chains:
        for number in numbers(chain):
            groups.setdefault((chain["repo"], number), set()).add(chain["split_group"])
    assert all(len(of_one) == 1 for of_one in groups.values())
    assert len({chain["chain_id"] for chain in chains}) == len(chains)
    receipts = read_lines(folder / "chains.removed.jsonl")
    removed = {receipt["record_id"] for receipt in receipts}
    alone = {f"{repo}#{number}" for kind, repo, number in used if kind == "single-pr"}
    assert removed | alone == {f"{repo}#{number}" for repo, number in merged}
    assert removed.isdisjoint(alone)
    assert summary.read == summary.out + summary.removed + summary.quarantined == len(history)


def _check_ties(chain: dict[str, Any], max_length: int) -> None:
    stages, edges = chain["stages"], chain["edges"]
    ties = [(edge["target"], edge["source"]) for edge in edges]
    if chain["kind"] == "single-pr":
        assert (len(stages), edges) == (1, [])
        return
    earlier = {numbers(chain)[0]}
    for number in numbers(chain)[1:]:
        assert any(source == number and target in earlier for target, source in ties)
        earlier.add(number)
    assert 2 <= len(stages) <= max_length
    if chain["kind"] == "semantic-chain":
        for edge in edges:
            assert edge["confidence"] >= STRONG
            assert edge["type"] not in ("reverts", "backports", "precedes")
            for said in edge["evidence"]:
                other = edge["source"] + edge["target"] - said["speaker"]
                assert f"#{other}" in said["quote"] or said["origin"] == "issue"
    else:
        assert ties == list(pairwise(numbers(chain)))
        assert {edge["type"] for edge in edges} == {"precedes"}
        for before, after in pairwise(stages):
            assert _moment(after) - _moment(before) <= timedelta(days=30)


@settings(deadline=None, max_examples=30)
@given(history=histories(), seed=st.integers(0, 1000), cut=st.integers(0, 8))
def test_lines_in_another_order_or_in_other_files_give_the_same_bytes(
    history: list[dict[str, Any]],
    seed: int,
    cut: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("chains")
    find_chains([write_lines(folder / "all.jsonl", history)], folder / "first.jsonl")
    shuffled = random.Random(seed).sample(history, len(history))  # noqa: S311
    parts = [
        write_lines(folder / "b.jsonl", shuffled[:cut]),
        write_lines(folder / "a.jsonl", shuffled[cut:]),
    ]
    find_chains(parts, folder / "second.jsonl")
    for what in ("", ".removed"):
        first, second = (folder / f"{name}{what}.jsonl" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


@settings(deadline=None, max_examples=25)
@given(history=histories(), place=st.integers(0, 7))
def test_exactly_the_chains_of_a_pull_request_that_changes_get_other_ids(
    history: list[dict[str, Any]], place: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("chains")
    before, _ = chains_of(history, folder / "before")
    changed = history[place % len(history)]
    other = {**changed, "merge_commit": "f" * 40}
    after, _ = chains_of([other if p is changed else p for p in history], folder / "after")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        member = old["repo"] == changed["repo"] and changed["number"] in numbers(old)
        assert numbers(old) == numbers(new)
        assert (old["chain_id"] == new["chain_id"]) is not member


def test_a_pull_request_that_stands_twice_is_in_one_chain_of_a_kind(tmp_path: Path) -> None:
    history = [pull(1), pull(2, "Fix #1"), pull(2, "Fix #1"), pull(1)]
    chains, summary = chains_of(history, tmp_path)
    assert [(c["kind"], numbers(c)) for c in chains] == [
        ("single-pr", [1]),
        ("single-pr", [2]),
        ("temporal-chain", [1, 2]),
        ("semantic-chain", [1, 2]),
    ]
    assert summary.rules == {"exact-copy": 2}


def test_a_chain_never_runs_through_what_was_refused(tmp_path: Path) -> None:
    history = [
        pull(1, author="ada"),
        pull(2, "Fix #1", author="robot", author_kind="bot"),
        pull(3, "Fix #2", author="alan"),
        pull(4, "Reword the guide after #3", author="grace", patch=""),
        pull(5, "Follow-up to #4", author="mary"),
    ]
    chains, summary = chains_of(history, tmp_path)
    assert [numbers(chain) for chain in chains] == [[1], [3], [5]]
    assert summary.rules == {"bot-author": 1, "no-code": 1}


def test_a_revert_of_a_revert_leaves_only_what_came_after(tmp_path: Path) -> None:
    history = [
        pull(1, author="ada"),
        pull(2, 'Revert "Change it"', "Reverts #1.", author="alan"),
        pull(3, 'Revert "Revert "Change it""', "Reverts #2.", author="ada"),
        pull(4, "Change it again", "Follow-up to #1.", author="mary"),
    ]
    chains, _ = chains_of(history, tmp_path)
    assert [numbers(chain) for chain in chains] == [[4]]


@pytest.mark.parametrize(
    "title",
    ["[core] Revert it", "fix(core): revert it", "BUG, MAINT: Revert it", "Reverting it"],
)
def test_a_revert_is_recognised_behind_the_tags_of_its_title(title: str) -> None:
    assert node(2, title, "Reverts #1").takes_back == {1}


@pytest.mark.parametrize("title", ["Undo history for the editor", "Back out of menus with Escape"])
def test_a_feature_that_undoes_things_is_no_revert(title: str) -> None:
    assert node(2, title, "Users asked for it.").takes_back == frozenset()


def test_the_evidence_of_an_edge_does_not_depend_on_the_order_of_nodes() -> None:
    speakers = [node(1, body="See #2."), node(2, body="See #1.")]
    commits = CommitIndex({})
    assert find_edges(speakers, commits) == find_edges(speakers[::-1], commits)


def test_what_processes_read_is_what_one_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("davinci_agency.surveying._RANGE_BYTES", 4_000)
    history = [pull(n, f"Mend part {n}", f"Follows #{n - 1}.") for n in range(1, 30)]
    path = write_lines(tmp_path / "pulls.jsonl", history)
    find_chains([path], tmp_path / "one.jsonl")
    with Pool(2) as engine:
        find_chains([path], tmp_path / "two.jsonl", engine=engine)
    one, two = ((tmp_path / f"{name}.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.count(b"\n") > 29
