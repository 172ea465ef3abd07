"""From text to the places of its secrets; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from davinci_agency.secrets.anchors import Anchors
from davinci_agency.secrets.rule import Kind, value_span
from davinci_agency.secrets.rules import RULES


@dataclass(frozen=True, slots=True, order=True)
class Secret:
    """Where a text holds what looks like a secret; never the secret itself.

    Attributes:
        start: where it begins, in bytes.
        end: where it ends.
        rule: the name of the rule that found it.
        kind: whether it is a secret, or names a person.
    """

    rule: str
    start: int
    end: int
    kind: Kind = "secret"


Finding = tuple[int, int, int]
"""Where a value begins and ends, and the number of the rule."""

_ANCHORS = Anchors(RULES)


def find_secrets(text: bytes) -> list[Secret]:
    """Return what in a text must not be published, in order; nothing overlaps.

    Several texts may be joined by NUL: nothing reaches across one.

    >>> find_secrets(b"key: " + b"hf" + b"_" + b"aB" * 17)
    [Secret(rule='hugging-face-token', start=5, end=42, kind='secret')]
    """
    found: list[Finding] = []
    free = [0] * len(RULES)
    for start, number in _ANCHORS.in_text(text):
        if start < free[number]:
            continue
        match = RULES[number].expression.match(text, start)
        if match is None:
            continue
        # As finditer does: a rule goes on behind its match, whatever the judgement.
        free[number] = match.end()
        if RULES[number].is_real(match):
            found.append((*value_span(match), number))
    return merge(found)


def merge(found: Iterable[Finding]) -> list[Secret]:
    """Join what overlaps under the surest rule's name; a secret goes before a person."""
    merged: list[Finding] = []
    for finding in sorted(found):
        if merged and finding[0] < merged[-1][1]:
            merged[-1] = _joined(merged[-1], finding)
        else:
            merged.append(finding)
    return [Secret(RULES[n].name, start, end, RULES[n].kind) for start, end, n in merged]


def _joined(left: Finding, right: Finding) -> Finding:
    """Return one of two findings that overlap, or both in one.

    >>> _joined((0, 9, 0), (4, 12, 1))
    (0, 12, 0)
    """
    kinds = RULES[left[2]].kind, RULES[right[2]].kind
    if kinds == ("secret", "person"):
        return left
    if kinds == ("person", "secret"):
        return right
    return left[0], max(left[1], right[1]), min(left[2], right[2])
