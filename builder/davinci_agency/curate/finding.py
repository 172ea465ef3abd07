"""What a rule about an attempt says of it, and the limits that a curator sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


AttemptRule = Callable[[Attempt, Task, Limits], Finding | None]
"""Returns why an attempt at a task is no good; ``None`` if it finds nothing."""
