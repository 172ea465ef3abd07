"""A chain whose next stage can't start from the agent's work: marked and told, never guessed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from davinci_agency.collect import Crew, Session, Upstream, run_tasks
from davinci_agency.repository.source import read_source
from davinci_agency.sandbox import Limits, open_sandbox
from tests.collect.test_hostile_scaffolds import BEGIN, Accepts, Misbehaving
from tests.repositories import Repository
from tests.samples import read_lines, task, write_lines

pytestmark = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")


def test_a_conflict_ends_the_attempt_after_the_stages_that_were_done(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "source")
    bases = [repository.commit("Begin", {"code.py": "a = 1\n"})]
    pull = repository.commit("Pull", {"code.py": "a = 2\n"})
    # Others changed the same line, so what the pull request did is nowhere to be taken out.
    bases.append(repository.commit("Other work", {"code.py": "a = 9\n"}))
    chain = task("task-1", stages=2, kind="temporal-chain")
    for stage, base in zip(chain["stages"], bases, strict=True):
        stage |= {"base_commit": base, "query": "Be good.", "test_patch": ""}
    chain["stages"][0]["patch"] = repository.git("diff", "--full-index", bases[0], pull) + "\n"
    driver = tmp_path / "driver.py"
    driver.write_text(BEGIN)
    session = Session(
        scaffold=Misbehaving(driver),
        sandbox=open_sandbox(),
        upstream=Upstream("http://127.0.0.1:9", "m"),
        limits=Limits(seconds=20),
    )
    out = tmp_path / "attempts.jsonl"
    summary = run_tasks(
        [write_lines(tmp_path / "tasks.jsonl", [chain])],
        out,
        Crew(session, Accepts()),
        {chain["repo"]: read_source(repository.folder)},
        tmp_path / "runs",
    )
    (attempt,) = read_lines(out)
    assert len(attempt["stages"]) == 1
    assert attempt["exit_status"] == "carry-conflict"
    assert attempt["stages"][0]["exit_status"] == "Submitted"
    number = chain["stages"][0]["number"]
    assert (
        f"1 tasks were not gone through, such as task-1: #{number} can't be taken out"
        in (summary.notes[-1])
    )
