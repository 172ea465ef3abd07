"""What a text says of other pull requests: numbers with the words around them; pure.

Only an author's own words count. Code blocks, quotes and HTML comments are passed over first, and
each line is read once, so that the time taken grows with the length of the text and no faster.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from davinci_agency.records import EdgeType

MAX_TARGETS = 6
"""A text that names more pull requests is a list (a changelog, a pasted log), not a statement."""

_MAX_EVIDENCE = 300
_MAX_LINE = 2_000
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_NUMBER = re.compile(
    r"(?<![\w/#&.-])"
    r"(?:(?P<url>https?://[\w.-]{1,100}/(?P<page>[\w.-]{1,100}/[\w.-]{1,100})/(?:pull|issues)/)"
    r"|(?P<repo>[\w.-]{1,100}/[\w.-]{1,100})?\#|(?P<gh>gh-)|(?P<pr>PR[ -]\#?))"
    r"(?P<number>[1-9]\d{0,8})\b(?![\w/-]|\.\d)",
    re.IGNORECASE,
)
_VERBS: tuple[tuple[EdgeType | None, re.Pattern[str]], ...] = (
    # What takes work back or copies it to another branch is no step forward.
    (None, re.compile(r"\b(?:revert(?:s|ed|ing)?|backport(?:s|ed|ing)?(?: of)?|cherry.pick\w*)\b")),
    ("supersedes", re.compile(r"\b(?:supersed(?:es?|ed|ing)|replac(?:es?|ed|ing))\b")),
    (
        "follows-up",
        re.compile(
            r"\b(?:follow(?:s|ing)?[ -]?up|continu(?:es|ed|ing|ation)|builds? (?:up)?on|on top of"
            r"|part (?:\d|two|three|four|five) of|completes?|finish(?:es)?|extends?|as in"
            r"|split (?:out |off )?(?:of|from)|left over from|next step)\b"
        ),
    ),
    (
        "depends-on",
        re.compile(
            r"\b(?:depends? (?:up)?on|requires?|needs|based on|blocked (?:by|on)|stacked on"
            r"|unblocks?|prerequisite)\b"
        ),
    ),
    (
        "fixes",
        re.compile(
            r"\b(?:fix(?:es|ed|ing|up)?|introduced (?:in|by)|regress(?:ed|ion)\w*|broken? (?:by|in)"
            r"|caused by|missed (?:in|by)|forgotten in|bug (?:in|from)|after the changes? in|since"
            r"|typo (?:in|from)|correct(?:s|ed|ion)?|undo(?:es)?)\b"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One reference in a text.

    Attributes:
        number: the number that it names.
        repo: owner/name if it names another repository than its own outright; else ``None``.
        type: what the words beside it make of it; ``None`` for a revert or a backport.
        evidence: the sentence that it stands in, cut short.
    """

    number: int
    repo: str | None
    type: EdgeType | None
    evidence: str


def find_mentions(text: str) -> list[Mention]:
    """Return the references in a text, one for each number, in order of appearance.

    >>> [(m.number, m.type) for m in find_mentions("Follow-up to #12, see also `#13`.")]
    [(12, 'follows-up')]
    """
    found: dict[tuple[int, str | None], Mention] = {}
    for line in _own_words(text):
        matches = list(_NUMBER.finditer(line))
        breaks = [0, *(m.end() for m in _SENTENCE_END.finditer(line)), len(line)] if matches else []
        for place, match in enumerate(matches):
            before = line[matches[place - 1].end() if place else 0 : match.start()]
            mention = Mention(
                number=int(match["number"]),
                repo=match["page"] or match["repo"],
                type=_type(before.lower()),
                evidence=_sentence(line, breaks, match.start()),
            )
            known = found.get((mention.number, mention.repo))
            if known is None or known.type == "mentions":
                found[mention.number, mention.repo] = mention
    return list(found.values())


def _sentence(line: str, breaks: list[int], place: int) -> str:
    """Return the sentence of a line that a place lies in, at most 300 characters of it."""
    after = bisect_right(breaks, place, hi=len(breaks) - 1)
    start, end = breaks[after - 1], breaks[after]
    if end - start > _MAX_EVIDENCE:
        start = max(start, place - _MAX_EVIDENCE // 2)
        end = min(end, start + _MAX_EVIDENCE)
    return line[start:end].strip()


def _own_words(text: str) -> Iterator[str]:
    """Yield the lines of a text that are neither code nor quoted nor commented out."""
    fence = ""
    for line in _without_comments(text).splitlines():
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1] == fence else fence
        elif mark:
            fence = mark[1]
        elif not line.lstrip().startswith(">") and not line.startswith(("    ", "\t")):
            # Longer lines are logs or data, and nobody's words.
            yield _INLINE_CODE.sub(" ", line) if len(line) <= _MAX_LINE else ""


def _without_comments(text: str) -> str:
    kept, place = [], 0
    while (start := text.find("<!--", place)) >= 0:
        kept.append(text[place:start])
        end = text.find("-->", start)
        place = end + len("-->") if end >= 0 else len(text)
    return "".join([*kept, text[place:]])


def _type(before: str) -> EdgeType | None:
    """Return what the words before a number say; the verb nearest to it decides."""
    nearest = -1
    kind: EdgeType | None = "mentions"
    for edge_type, verb in _VERBS:
        for match in verb.finditer(before[-160:]):
            if match.start() > nearest:
                nearest, kind = match.start(), edge_type
    return kind
