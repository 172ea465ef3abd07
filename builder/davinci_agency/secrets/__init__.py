"""Keys, passwords and people's addresses in text: where they stand, never what they are; pure.

In come bytes, out come places, in order and apart. A rule is an expression and a judgement of what
it matched (`rules`); one pass over the bytes finds the few places where a rule could match at all
(`anchors`), so that text without secrets costs that pass and no more (`scanning`).
"""

from __future__ import annotations

from davinci_agency.secrets.rule import Rule
from davinci_agency.secrets.rules import RULES
from davinci_agency.secrets.scanning import Secret, find_secrets

__all__ = ["RULES", "Rule", "Secret", "find_secrets", "hidden"]


def hidden(text: str) -> str:
    """Return a text in which the name of its rule stands for each secret.

    >>> hidden("mail k.meier@uni-jena.de")
    'mail <email>'
    """
    raw, pieces, last = text.encode("utf-8", "surrogatepass"), [], 0
    for secret in find_secrets(raw):
        pieces += [raw[last : secret.start], f"<{secret.rule}>".encode()]
        last = secret.end
    return b"".join([*pieces, raw[last:]]).decode("utf-8", "replace")
