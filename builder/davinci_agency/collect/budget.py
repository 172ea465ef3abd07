"""What asking models may cost, and what it has cost."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Literal

LimitName = Literal["cost-limit", "token-limit", "step-limit", "run-cost-limit"]

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in USD."""

    prompt: float
    completion: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What some questions took.

    Attributes:
        steps: how often the model answered.
        prompt_tokens, completion_tokens: as the endpoint counts them.
        cost: in USD; ``None`` if nobody knows.
    """

    steps: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None

    def __add__(self, other: Usage) -> Usage:
        known = [usage.cost for usage in (self, other) if usage.cost is not None]
        return Usage(
            self.steps + other.steps,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(known) if known else None,
        )

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.prompt_tokens + self.completion_tokens


def usage_of(said: Any, prices: Prices | None) -> Usage:
    """Return what one answer took, by the ``usage`` in it; some providers tell the cost, too."""
    counts = said if isinstance(said, dict) else {}
    prompt, completion = (_count(counts.get(f"{what}_tokens")) for what in ("prompt", "completion"))
    told = counts.get("cost")
    cost = float(told) if isinstance(told, int | float) and not isinstance(told, bool) else None
    if cost is None and prices is not None:
        cost = (prompt * prices.prompt + completion * prices.completion) / _MILLION
    return Usage(1, prompt, completion, cost)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


@dataclass(slots=True)
class Budget:
    """What a whole run may cost, shared by all that spend of it; threads may use it together."""

    max_cost: float | None = None
    spent: Usage = field(default_factory=Usage)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, usage: Usage) -> None:
        """Take what was spent."""
        with self._lock:
            self.spent = self.spent + usage

    @property
    def is_used_up(self) -> bool:
        """Tell whether nothing more may be asked for."""
        return self.max_cost is not None and (self.spent.cost or 0.0) >= self.max_cost


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one go at a stage may take of the model; ``None`` is no limit."""

    steps: int | None = None
    tokens: int | None = None
    cost: float | None = None

    def passed(self, usage: Usage) -> LimitName | None:
        """Return the limit that is reached, if one is."""
        if self.steps is not None and usage.steps >= self.steps:
            return "step-limit"
        if self.tokens is not None and usage.tokens >= self.tokens:
            return "token-limit"
        if self.cost is not None and (usage.cost or 0.0) >= self.cost:
            return "cost-limit"
        return None
