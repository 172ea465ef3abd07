"""Tasks whose queries never leak, whoever wrote them and whatever the authors said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.leaks import Secrets, find_leaks
from davinci_agency.parallel import Pool
from davinci_agency.query import Refused, Written, write_queries
from davinci_agency.records import ChainStage, QueryWriter
from davinci_agency.repository.source import read_source
from davinci_agency.schema import validator
from davinci_agency.stage import Summary
from tests.query.support import chain, stage, stages_of
from tests.repositories import Repository
from tests.samples import read_lines, write_lines


class Says:
    """A writer that always says the same."""

    def __init__(self, *queries: str) -> None:
        self._queries = queries

    def write(self, stages: Sequence[ChainStage], secrets: Secrets) -> Written | Refused:
        return Written(self._queries[: len(stages)], QueryWriter(name="says", version="2"))


def write(
    folder: Path, *chains: dict[str, Any], writer: Says | None = None
) -> tuple[list[dict[str, Any]], Summary]:
    """Return the tasks of some chains, with the account."""
    path = write_lines(folder / "chains.jsonl", chains)
    summary = write_queries([path], folder / "tasks.jsonl", writer)
    return read_lines(folder / "tasks.jsonl"), summary


def test_a_single_pull_request_is_a_task_under_swe_bench_s_names_too(tmp_path: Path) -> None:
    (task,), summary = write(tmp_path, chain(stage()))
    assert validator("task").faults(task) == []
    assert task["instance_id"] == "numpy__numpy-12"
    assert task["problem_statement"] == task["stages"][0]["query"] == "Make rounding exact."
    for name in ("base_commit", "patch", "test_patch"):
        assert task[name] == task["stages"][0][name]
    writer = task["query_writer"]
    assert (writer.pop("name"), writer.pop("version")) == ("extractive", "1")
    assert set(writer.values()) == {None}
    assert (summary.read, summary.out, summary.written) == (1, 1, {"single-pr": 1})


def test_a_chain_is_a_task_of_stages_alone(tmp_path: Path) -> None:
    (task,), _ = write(tmp_path, chain(stage(), stage("Make rounding fast", number=13)))
    assert validator("task").faults(task) == []
    assert [part["number"] for part in task["stages"]] == [12, 13]
    names = ("instance_id", "base_commit", "patch", "test_patch", "problem_statement")
    assert [task[name] for name in names] == [None] * 5
    assert "body" not in task["stages"][0]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("Mend src/rounding.py now", "path src/rounding.py"),
        ("Mend new_value now", "symbol new_value"),
        ("Mend `x` now", "code `x`"),
        ("Do it as in #3", "number #3"),
        ("Read https://example.org", "address https://example.org"),
    ],
)
def test_a_writer_that_leaks_is_found_out_and_its_task_removed(
    query: str, kind: str, tmp_path: Path
) -> None:
    tasks, summary = write(tmp_path, chain(stage()), writer=Says(query))
    assert tasks == []
    assert summary.rules == {"leak": 1}
    (receipt,) = read_lines(tmp_path / "tasks.removed.jsonl")
    assert receipt["reason"] == f"a query gives away the {kind}"
    assert (receipt["record_id"], receipt["measure"]) == ("chain-1", 1.0)


def test_a_leak_in_any_stage_removes_the_whole_task(tmp_path: Path) -> None:
    two = chain(stage(), stage(number=13))
    assert write(tmp_path, two, writer=Says("Make it so.", "Mend new_value."))[0] == []


def test_a_chain_with_nothing_to_ask_leaves_a_receipt(tmp_path: Path) -> None:
    silent = chain(stage("Fix new_value"), identity="chain-2")
    tasks, summary = write(tmp_path, chain(stage()), silent)
    assert [task["chain_id"] for task in tasks] == ["chain-1"]
    assert summary.rules == {"nothing-to-ask": 1}
    assert summary.read == summary.out + summary.removed == 2


def test_a_task_s_id_depends_on_its_chain_its_queries_and_its_writer(tmp_path: Path) -> None:
    ids = set()
    for identity, query in (("chain-1", "Do it."), ("chain-2", "Do it."), ("chain-1", "Do that.")):
        (task,), _ = write(tmp_path, chain(stage(), identity=identity), writer=Says(query))
        ids.add(task["task_id"])
    (task,), _ = write(tmp_path, chain(stage(), identity="chain-1"), writer=Says("Do it."))
    assert len(ids) == 3
    assert task["task_id"] in ids


SENTENCES = st.sampled_from(
    [
        "Large values lose their last digit.",
        "Look at src/rounding.py first of all.",
        "The file rounding.py is wrong today",
        "set new_value and roundTo to one",
        "use Rounding.exact or Decimal2 there",
        "say `code here` and ` a lone mark",
        "a lone ` mark among these words.",
        "as in #12 and GH-13 before",
        "see https://example.org/x for all of it",
        "since 3f2a91c it has always failed",
        "fix(core): the value of the issue",
        "5 of them are left over.",
        "\n\n",
        "\n- ",
        "```\n",
        "(closes #12)",
        "the pull request",
        "12 words are many more than four.",
    ]
)
WORDS = st.lists(SENTENCES, max_size=6).map(" ".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=80
)
FORBIDDEN = re.compile(
    r"src/rounding|rounding\.py|new_value|roundTo|Decimal2|`[^`\n]*`|#\d|https?://|3f2a91c"
)


@settings(deadline=None, max_examples=40)
@given(parts=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3))
def test_no_query_leaks_whatever_the_authors_wrote(
    parts: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stages = [stage(title, body, number=n) for n, (title, body) in enumerate(parts, start=1)]
    secrets = Secrets(stages_of(*stages))
    tasks, summary = write(tmp_path_factory.mktemp("law"), chain(*stages))
    assert summary.read == summary.out + summary.removed == 1
    for task in tasks:
        for part in task["stages"]:
            assert part["query"].strip()
            assert find_leaks(part["query"], secrets) == []
            assert not FORBIDDEN.search(part["query"])


def test_processes_and_portions_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.init(tmp_path / "source")
    before = repository.commit("Begin", {"README.md": "Numbers."})
    after = repository.commit("Tell", {"README.md": "Numbers are rounded by new_value."})
    made = []
    for number in range(14):
        part = stage("Make new_value round all of its numbers exactly", number=number + 1)
        part["base_commit"] = after if number % 3 == 0 else before
        repo = "acme/anvil" if number % 2 else "numpy/numpy"
        made.append({**chain(part, identity=f"chain-{number:02}"), "repo": repo})
    path = write_lines(tmp_path / "chains.jsonl", made)
    clones = {"numpy/numpy": read_source(repository.folder)}
    write_queries([path], tmp_path / "one.jsonl", clones=clones)
    monkeypatch.setattr("davinci_agency.query.writing._PORTION_CHAINS", 2)
    with Pool(2) as engine:
        write_queries([path], tmp_path / "two.jsonl", clones=clones, engine=engine)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    receipts = [(tmp_path / f"{name}.removed.jsonl").read_bytes() for name in ("one", "two")]
    assert receipts[0] == receipts[1]
    queries = {
        task["chain_id"]: task["problem_statement"] for task in read_lines(tmp_path / "one.jsonl")
    }
    told = {f"chain-{number:02}" for number in range(0, 14, 6)}
    assert {name for name, query in queries.items() if "new_value" in query} == told
    assert len(queries) == 14
