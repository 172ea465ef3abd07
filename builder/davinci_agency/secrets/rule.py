"""What a rule is: an expression, a judgement, and where to look for its matches; pure.

An expression's last group that took part is what must go. None matches a NUL or a bracket ``<``,
so that texts may be joined by NUL and what was replaced by ``<A_NAME_1>`` is never found again.
Repetitions are bounded and each character has one way to be matched, so no text takes long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["secret", "person"]
Hint = Literal["run", "value", "login", "domain"]
Match = re.Match[bytes]


@dataclass(frozen=True, slots=True)
class Rule:
    """One form of one kind of secret.

    Attributes:
        name: the kind, which several rules may share.
        kind: whether it is a secret, or names a person.
        literals: every match begins with one of these, or ``skip`` bytes into it.
        expression: what it looks like; the last group is the value.
        is_real: judges a match.
        any_case: whether a literal may stand in capitals too.
        least: how many letters, digits and ``_-+/=.`` follow the literal at least.
        skip: how far behind the beginning of the literal a match begins.
        reach: the bytes that a match begins with before the literal, if any.
        hint: what the first pass asks for behind the literal: a run of ``least``, a value that a
            name gives, a login before a host, a domain.
    """

    name: str
    kind: Kind
    literals: tuple[bytes, ...]
    expression: re.Pattern[bytes]
    is_real: Callable[[Match], bool]
    any_case: bool = False
    least: int = 0
    skip: int = 0
    reach: bytes = b""
    hint: Hint = "run"


def value_span(match: Match) -> tuple[int, int]:
    """Return where the value of a match stands."""
    return match.span(match.lastindex or 0)


def value_of(match: Match) -> bytes:
    """Return the value of a match."""
    return match[match.lastindex or 0]


BEGIN = rb"(?:(?<![0-9A-Za-z])|(?<=\\[nrtbf])|(?<=%3D))"
"""No letter or digit before, but for those of an escaped line end or of ``=`` in an address."""
END = rb"(?![0-9A-Za-z])"
