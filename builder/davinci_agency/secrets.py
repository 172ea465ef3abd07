"""Keys and tokens in text, by the forms that their makers gave them; pure.

A rule has a literal that every match contains, so that text without it is passed over at the speed
of a search, and an expression of bounded repetitions, so that no text takes long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a text holds what looks like a secret; never the secret itself.

    Attributes:
        rule: the kind of secret.
        start: where it begins, in characters.
        end: where it ends.
    """

    rule: str
    start: int
    end: int


_RULES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (name, literal, re.compile(expression, re.ASCII))
    for name, literal, expression in (
        ("aws-access-key", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
        ("aws-access-key", "ASIA", r"\bASIA[0-9A-Z]{16}\b"),
        ("github-token", "ghp_", r"\bghp_[0-9A-Za-z]{36}\b"),
        ("github-token", "gho_", r"\bgho_[0-9A-Za-z]{36}\b"),
        ("github-token", "ghs_", r"\bghs_[0-9A-Za-z]{36}\b"),
        ("github-token", "github_pat_", r"\bgithub_pat_[0-9A-Za-z_]{82}\b"),
        ("gitlab-token", "glpat-", r"\bglpat-[0-9A-Za-z_-]{20,64}"),
        ("hugging-face-token", "hf_", r"\bhf_[A-Za-z]{34}\b"),
        ("openai-key", "sk-", r"\bsk-(?:proj-|svcacct-)?[0-9A-Za-z_-]{40,200}"),
        ("anthropic-key", "sk-ant-", r"\bsk-ant-[0-9A-Za-z_-]{32,200}"),
        ("google-api-key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}\b"),
        ("slack-token", "xox", r"\bxox[abprs]-[0-9A-Za-z-]{20,100}"),
        ("stripe-key", "sk_live_", r"\bsk_live_[0-9A-Za-z]{24,99}\b"),
        ("npm-token", "npm_", r"\bnpm_[0-9A-Za-z]{36}\b"),
        ("pypi-token", "pypi-AgEI", r"\bpypi-AgEI[0-9A-Za-z_-]{50,300}"),
        (
            "private-key",
            "PRIVATE KEY",
            r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY(?: BLOCK)?-----"
            r"\s{1,4}[0-9A-Za-z+/=:, \n-]{32}",
        ),
    )
)


def find_secrets(text: str) -> Iterator[Secret]:
    """Yield everything in a text that looks like a secret, rule by rule."""
    for name, literal, expression in _RULES:
        if literal in text:
            for match in expression.finditer(text):
                yield Secret(name, match.start(), match.end())
