"""What attempts need of their tasks is looked up by any process, and nothing else is sent there."""

from __future__ import annotations

import pickle
from pathlib import Path

from davinci_agency.curate.outlines import write_outlines
from davinci_agency.records import Task, from_json, to_json
from tests.curate.support import pull, task


def test_a_copy_in_another_process_finds_every_task(tmp_path: Path) -> None:
    tasks = [from_json(task(pull(number)), Task) for number in range(1, 300)]
    lines = ((each.task_id, to_json(each)) for each in tasks)
    outlines = write_outlines(tmp_path / "tasks #1?.sqlite", lines)
    sent = pickle.dumps(outlines)
    assert len(sent) < 1000
    for each in (outlines, pickle.loads(sent)):  # noqa: S301
        assert [each.get(one.task_id) for one in tasks] == tasks
        assert each.get("task-0") is None
