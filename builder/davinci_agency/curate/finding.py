"""What a rule about an attempt is given, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from davinci_agency.calls import Call, answers_to, calls_of
from davinci_agency.records import Attempt, Task

Finding = tuple[str, float | None]
"""The reason for a person, and the measure if there is one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a curator asks of an attempt; ``None`` asks nothing.

    Attributes:
        min_score: the least score of an attempt that was judged.
        max_refinements: how often the agent may have been sent back.
        max_tokens: how long the conversation may be.
    """

    min_score: float | None = None
    max_refinements: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)  # No slots: what several rules ask for is kept in its dictionary.
class Run:
    """An attempt at a task, as rules look at it.

    Attributes:
        attempt: the attempt.
        task: what it is an attempt at.
        limits: what is asked of it.
    """

    attempt: Attempt
    task: Task
    limits: Limits = Limits()

    @cached_property
    def calls(self) -> list[Call]:
        """What the assistant did, in order."""
        return calls_of(self.attempt.messages)

    @cached_property
    def answers(self) -> list[str | None]:
        """What each of the calls was answered; ``None`` where nothing was."""
        return answers_to(self.calls, self.attempt.messages)


AttemptRule = Callable[[Run], Finding | None]
"""Returns why a run is no good; ``None`` if it finds nothing."""
