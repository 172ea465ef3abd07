"""Which licence a text is, by its own words; pure, and in time that grows with the text.

A licence is recognised by phrases of its own in their order, never by likeness, and what stands
beside it is looked at too: a text that says more than a licence is not taken for that licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from davinci_agency.spdx.expressions import canonical
from davinci_agency.spdx.phrases import GRANTS, TEXTS, Pattern

MAX_CHARACTERS = 1 << 20
"""Of a text that are read: the longest licences have some 40,000."""
_PREFACE = 500
"""Characters before a licence that may be a title and a history."""
_REST = 120
"""Characters after a licence that say nothing new, such as where to read about it."""
_TAGGED = 2000
"""Characters at the beginning of a file where its SPDX tag may stand."""
_POINTER = 1000
"""Characters of a file that only names the files with the licences."""

_TAG = re.compile(
    r"^[^\w\n]{0,20}SPDX-License-Identifier:[ \t]{0,8}([A-Za-z0-9.+() -]{1,200})[^\w\n]{0,8}$",
    re.MULTILINE,
)
_HOLDER = re.compile(
    r"^[^\w\n]{0,20}(?:portions |modifications )?"
    r"(?:copyright\W{0,3}(?:\(c\)|©|\d|[<\[{]|by\b)|\(c\)|©)[^\n]{0,300}$"
    r"|^[^\w\n]{0,20}all rights reserved\W{0,3}$",
    re.IGNORECASE | re.MULTILINE,
)
_OTHERS = re.compile(
    r"\b(?:bundled?|bundles|third part(?:y|ies)|3rd party|vendored|external(?:ly maintained)?"
    r"|subcomponents?|dependencies|incorporates?|(?:portions|parts) of|some (?:files|code|parts)"
    r"|(?:derived|adapted|ported) from|based (?:on|upon)|forks? of|originally|borrow(?:ed|s)"
    r"|includes? (?:\w+ ){0,3}(?:code|portions|parts|source|software|third|material)"
    r"|(?:this|the) (?:project|package|library|product) (?:also )?(?:uses|includes|contains)"
    r"|contains code|for code in|licenses? (?:for|of)"
    r"|following (?:components|libraries|files|software|notices?))\b"
)
"""Words that begin what is other people's."""
_CHOICE = re.compile(
    r"\b(?:(?:under|of|to) either|either (?:license|of (?:the|these))|choice of|or at your option"
    r"|(?:your|user s|licensee s|recipient s) (?:choice|option)"
    r"|(?:dual|tri|multi|double) ?licens\w{1,4})\b"
)
"""Words by which one licence may be chosen among several."""
_PARTED = re.compile(
    r"\b(?:variously licensed|director(?:y|ies)|(?:portions|parts) of this (?:software|repository"
    r"|project) (?:are|is)|(?:unless|except when) otherwise (?:noted|stated|specified)"
    r"|some (?:\w+ ){0,2}files|these files)\b"
)
"""Words of a preface by which different licences hold for different places."""
_RESTRICTED = re.compile(
    r"\b(?:commons clause|(?:non ?)?commercial(?:ly)?|enterprise|proprietary|prohibited"
    r"|not (?:be used|apply|permitted|allowed)|additional (?:terms|restrictions|conditions)"
    r"|research (?:use|purposes)|machine learning|training)\b"
)
"""Words beside a licence by which it is no longer itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a licence file says.

    Attributes:
        licenses: those it holds, by SPDX, in its order; none if it is not understood.
        is_choice: whether it says that the reader may choose among several.
        has_own_terms: whether it takes something away, or holds for some places only.
    """

    licenses: tuple[str, ...] = ()
    is_choice: bool = False
    has_own_terms: bool = False

    @property
    def expression(self) -> str | None:
        """The SPDX expression, if the file alone tells it."""
        if len(self.licenses) == 1:
            return self.licenses[0]
        return " OR ".join(self.licenses) if self.is_choice and self.licenses else None


def license_of(text: str) -> str | None:
    """Return the SPDX expression of a licence text; ``None`` rather than a guess.

    The text of a GNU licence does not say whether later versions hold as well. Without the
    sentence that grants them it is ``-only``: nobody is promised more than that.

    >>> license_of("SPDX-License-Identifier: MIT")
    'MIT'
    """
    return read_text(text).expression


def read_text(text: str) -> Reading:
    """Return what a licence file says."""
    text = text[:MAX_CHARACTERS]
    tag = _TAG.search(text[:_TAGGED])
    if tag and (expression := canonical(tag[1])):
        return Reading((expression,))
    words = normalize(_HOLDER.sub("", text))
    texts = list(_spans(words, TEXTS))
    # After its text a grant is advice on how to write one.
    grants = _spans(words[: texts[0].start] if texts else words, GRANTS)
    spans = [*grants, *texts]
    return _judge(words, spans) if spans else _without_license(words)


def normalize(text: str) -> str:
    """Return a text's words, lower-case, one space between them.

    >>> normalize("* The “Licence”, v2.0")
    'the license v2 0'
    """
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).replace("licence", "license").strip()


@dataclass(frozen=True, slots=True)
class _Span:
    license: str
    start: int
    end: int


def _spans(words: str, patterns: Sequence[Pattern]) -> Iterator[_Span]:
    """Yield where the patterns are, in order, without those that lie within another."""
    # Of two that are the same words the one with more phrases knows better what they are.
    in_order = sorted(patterns, key=lambda pattern: -len(pattern.phrases))
    found = [span for pattern in in_order for span in _matches(words, pattern)]
    end = 0
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if span.end > end:
            yield span
            end = span.end


def _matches(words: str, pattern: Pattern) -> Iterator[_Span]:
    start = words.find(pattern.phrases[0])
    while start >= 0:
        end = _end_of(words, start, pattern)
        if end is not None:
            yield _Span(pattern.license, start, end)
        start = words.find(pattern.phrases[0], end or start + 1)


def _end_of(words: str, start: int, pattern: Pattern) -> int | None:
    end = start
    for phrase, gap in zip(pattern.phrases, pattern.gaps, strict=True):
        place = words.find(phrase, end, end + gap + len(phrase) + 2)
        if place < 0:
            return None
        end = place + len(phrase)
    return end


def _judge(words: str, spans: Sequence[_Span]) -> Reading:
    """Return what a text says in which there are licences, by the words that stand around them."""
    preface = words[: spans[0].start]
    is_choice = bool(_CHOICE.search(preface))
    if _PARTED.search(preface) or _RESTRICTED.search(preface):
        return Reading(has_own_terms=True)
    if len(preface) > (_POINTER if is_choice else _PREFACE):
        return Reading()
    own: list[str] = []
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        own += [span.license] if span.license else []
        between = words[span.end : following.start if following else None]
        if _OTHERS.search(between[:_PREFACE]):
            break
        if _RESTRICTED.search(between[:_PREFACE]):
            return Reading(has_own_terms=True)
        if following is None and len(between) > _REST:
            return Reading()
        is_choice = is_choice or bool(_CHOICE.search(between[:_PREFACE]))
    return Reading(_merged(own), is_choice)


def _without_license(words: str) -> Reading:
    """Return what a text says that holds no licence that is known."""
    if _PARTED.search(words[:_PREFACE]) or _RESTRICTED.search(words[:_PREFACE]):
        return Reading(has_own_terms=True)
    return Reading(is_choice=len(words) < _POINTER and bool(_CHOICE.search(words)))


def _merged(names: Sequence[str]) -> tuple[str, ...]:
    """Return licences once each; a grant of later versions, or an addition, goes with its text."""
    distinct = dict.fromkeys(names)
    for name in names:
        if name.endswith("-or-later"):
            distinct.pop(name.replace("-or-later", "-only"), None)
    if "LGPL-3.0-only" in distinct:
        # It is written as an addition to the text of the GPL, which is often put after it.
        distinct.pop("GPL-3.0-only", None)
    return tuple(distinct)
