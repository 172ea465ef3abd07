"""mini-swe-agent 1.x: told with and without its format, and never cut into stages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.ingest import ingest_trajectories
from davinci_agency.trajectories import recognise
from tests.samples import read_lines, task, write_lines
from tests.trajectories.sessions import MINI_1

UNNAMED: dict[str, Any] = {k: v for k, v in MINI_1.items() if k != "trajectory_format"}


@pytest.mark.parametrize("value", [UNNAMED, {**UNNAMED, "trajectory_format": "mini-swe-agent-1.0"}])
def test_the_first_ones_are_known_by_what_they_say_of_the_run(value: dict[str, Any]) -> None:
    form = recognise(value, "document")
    assert form is not None
    assert form.name == "mini-swe-agent"
    said, named = form.read(value), form.read(MINI_1)
    assert (said.messages, said.patch) == (named.messages, named.patch)
    assert said.not_carried == {"words that ended the run": 1}


def test_a_run_is_one_stage_however_often_the_user_speaks(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    for name in ("task-1.traj.json", "task-1.stage-2.traj.json"):
        (runs / name).write_text(json.dumps(MINI_1))
    tasks = write_lines(tmp_path / "tasks.jsonl", [task("task-1", stages=2, kind="temporal-chain")])
    out = tmp_path / "attempts.jsonl"
    ingest_trajectories([runs], [tasks], out)
    (attempt,) = read_lines(out)
    bounds = [(stage["message_start"], stage["message_end"]) for stage in attempt["stages"]]
    assert bounds == [(0, 5), (5, 9)]
