"""SPDX expressions: their usual form, and whether one can be had under allowed licences; pure.

Source: SPDX specification 2.3, annex D. ``WITH`` binds tightest, then ``AND``, then ``OR``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

PERMISSIVE = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT",
        "MIT-0", "NCSA", "PostgreSQL", "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense",
        "Zlib",
    }
)  # fmt: skip
"""Licences under which code may be published again with no more than a notice, by SPDX."""
MAX_LENGTH = 200
"""Characters of an expression, as the columns have it."""

_OLD_GNU = re.compile(r"\b((?:A|L)?GPL-\d\.\d)(\+?)(?![\w.+-])")
_TOKEN = re.compile(r"[()]|[^\s()]{1,200}(?: WITH [^\s()]{1,200})?")


def canonical(expression: str) -> str | None:
    """Return an SPDX expression as SPDX writes it; ``None`` if it is none.

    >>> canonical("mit or (gpl-2.0+ and isc)")
    'MIT OR (GPL-2.0-or-later AND ISC)'
    """
    if len(expression) > MAX_LENGTH:
        return None
    try:
        usual = str(canonicalize_license_expression(expression.strip()))
    except InvalidLicenseExpression:
        return None
    return _OLD_GNU.sub(lambda m: f"{m[1]}-or-later" if m[2] else f"{m[1]}-only", usual)


@lru_cache(maxsize=1024)
def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Tell whether code under an SPDX expression can be had under some of the allowed licences.

    An exception to a licence only permits more, so ``WITH`` it a licence is still allowed, and of
    ``X+`` and ``X-or-later`` one may take X. What is no expression is allowed only by its name.

    >>> is_allowed("GPL-2.0-only OR MIT", frozenset({"MIT"}))
    True
    >>> is_allowed("GPL-2.0-only AND MIT", frozenset({"MIT"}))
    False
    """
    if expression in allowed:
        return True
    if len(expression) > MAX_LENGTH:
        return False
    tokens = _TOKEN.findall(expression)[::-1]
    try:
        verdict = _any_of(tokens, allowed)
    except IndexError:
        # It ends where a licence should stand.
        return False
    return verdict and not tokens


def _any_of(tokens: list[str], allowed: frozenset[str]) -> bool:
    """Read what ``OR`` joins from the end of the tokens, which stand in reverse."""
    verdict = _all_of(tokens, allowed)
    while tokens and tokens[-1] == "OR":
        tokens.pop()
        verdict = _all_of(tokens, allowed) or verdict
    return verdict


def _all_of(tokens: list[str], allowed: frozenset[str]) -> bool:
    verdict = _one(tokens, allowed)
    while tokens and tokens[-1] == "AND":
        tokens.pop()
        verdict = _one(tokens, allowed) and verdict
    return verdict


def _one(tokens: list[str], allowed: frozenset[str]) -> bool:
    first = tokens.pop()
    if first != "(":
        return _is_granted(first, allowed)
    inside = _any_of(tokens, allowed)
    return tokens.pop() == ")" and inside


def _is_granted(name: str, allowed: frozenset[str]) -> bool:
    license_, _, exception = name.partition(" WITH ")
    if exception and (name in allowed or canonical(name) is None):
        return name in allowed
    least = re.sub(r"\+$|-or-later$", "", license_)
    return not allowed.isdisjoint({license_, least, f"{least}-only" if least != license_ else ""})
