"""Keys, passwords and people's addresses in text: where they stand, never what they are; pure.

In come bytes, out come places, in order and apart. A rule is an expression and a judgement of what
it matched (`rules`); one pass over the bytes finds the few places where a rule could match at all
(`anchors`), so that text without secrets costs that pass and no more (`scanning`).
"""

from __future__ import annotations

from davinci_agency.secrets.rule import Rule
from davinci_agency.secrets.rules import RULES
from davinci_agency.secrets.scanning import Secret, find_secrets

__all__ = ["RULES", "Rule", "Secret", "find_secrets"]
