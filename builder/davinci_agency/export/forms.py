"""What came of writing a release in another form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


class UnfitError(ValueError):
    """A row has no place in a form; says why."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written and what was not.

    Attributes:
        rows: rows that were written, by config.
        left_out: rows that have no place in the form: the reason, and how many.
    """

    rows: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
