"""What is handed in at a stage, and what is thought of it: between who lets work and who judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from davinci_agency.records import JsonObject, TaskStage


@dataclass(frozen=True, slots=True)
class Submission:
    """What an agent hands in at one stage.

    Attributes:
        stage: the stage, with its query and the true patch.
        patch: what the agent changed.
        messages: its conversation.
        exit_status: how it ended, in the scaffold's own word.
    """

    stage: TaskStage
    patch: str
    messages: tuple[JsonObject, ...] = ()
    exit_status: str | None = None


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
    """

    is_accepted: bool
    score: float | None
    judge: str
    rationale: str
    feedback: str | None = None
    error: str | None = None


class Evaluator(Protocol):
    """Somebody who decides about submissions."""

    def evaluate(self, submission: Submission) -> Evaluation:
        """Return what is thought of a submission."""
