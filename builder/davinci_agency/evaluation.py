"""What is handed in at a stage, and what is thought of it: between who lets work and who judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from davinci_agency.records import ExecutionStatus, JsonObject, Task, TaskStage
from davinci_agency.repository.carrying import TrueStage
from davinci_agency.repository.states import States


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree, and the repository that it is in."""

    states: States
    name: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What an agent hands in at one stage.

    Attributes:
        task, place: the stage: of which task, and which, from 0.
        patch: what the agent changed.
        messages: its conversation.
        exit_status: how it ended, in the scaffold's own word.
        made: what it left; ``None`` if it is nowhere to be looked at.
        applies: whether the patch applies to what it started from; ``None`` if nobody tried.
    """

    task: Task
    place: int
    patch: str
    messages: tuple[JsonObject, ...] = ()
    exit_status: str | None = None
    made: Tree | None = None
    applies: bool | None = None

    @property
    def stage(self) -> TaskStage:
        """The stage, with its query and the true patch."""
        return self.task.stages[self.place]


def true_stages(task: Task) -> list[TrueStage]:
    """Return the stages of a task as they were."""
    return [
        TrueStage(each.number, each.base_commit, each.patch + each.test_patch)
        for each in task.stages
    ]


def is_cumulative(task: Task) -> bool:
    """Tell whether each stage of a task goes on from the one before, whatever its base was."""
    return task.stages[0].state_policy == "cumulative"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is thought of it.

    Attributes:
        is_accepted: whether it is good enough.
        score: how good it is, from 0 to 1; ``None`` if nobody could tell.
        judge: who says so: a gate, or a judge.
        rationale: why.
        feedback: what the agent may be told, free of the true patch; ``None`` if it is accepted.
        error: why nobody could tell; never a reason to reject.
        execution: what the stage's own tests say; ``None`` if they were not run.
        is_spoilt: whether the conversation itself can't be mended: to go on with it is no use.
    """

    is_accepted: bool
    score: float | None
    judge: str
    rationale: str
    feedback: str | None = None
    error: str | None = None
    execution: ExecutionStatus | None = None
    is_spoilt: bool = False


class Evaluator(Protocol):
    """Somebody who decides about submissions."""

    def evaluate(self, submission: Submission) -> Evaluation:
        """Return what is thought of a submission."""
