"""Tasks for the tests of evaluation."""

from __future__ import annotations

from dataclasses import replace

from davinci_agency.records import Task, TaskStage, as_stage, from_json
from tests.query.support import stage, stages_of
from tests.samples import task


def asked() -> TaskStage:
    """Return a stage that asks for exact rounding."""
    return as_stage(stages_of(stage())[0], TaskStage, query="Make rounding exact.")


def task_of(*stages: TaskStage) -> Task:
    """Return a task of some stages."""
    return replace(from_json(task("task-1"), Task), stages=stages)
