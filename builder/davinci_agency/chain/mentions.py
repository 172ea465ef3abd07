"""What a text says of other pull requests: numbers and commits with the words around them; pure.

Only an author's own words count. Code blocks, quotes and HTML comments are blanked first, so that
every place in what is left is a place in the text, and each paragraph is read once, so that the
time taken grows with the length of the text and no faster.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from davinci_agency.chain.phrases import Relation
from davinci_agency.chain.wording import relation

MAX_TARGETS = 6
"""A text that names more pull requests is a list (a changelog, a pasted log), not a statement."""

_MAX_EVIDENCE = 300
_MAX_LINE = 2_000
_LIST_MARK = r"(?:[-*+]|\d{1,3}[.)])"
_FENCE = re.compile(rf"\s*(?:{_LIST_MARK}\s+)?(`{{3,}}|~{{3,}})([^`\r\n]*)\r?\n?$")
_QUOTE = re.compile(rf"\s*(?:{_LIST_MARK}\s+)?>")
_BEGINS = re.compile(r"\s*(?:$|[-*+]\s|\||#{1,6}\s|\d{1,3}[.)]\s)")
"""How the line after a paragraph begins: empty, an item, a heading, a table."""
_ITEM = re.compile(rf"\s*{_LIST_MARK}\s")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_INLINE_CODE = re.compile(r"(?<!`)(`{1,9})(?!`).*?(?<!`)\1(?!`)")
_NUMBER = re.compile(
    r"(?<![\w/#&.-])"
    r"(?:(?P<url>https?://(?P<host>[\w.-]{1,100})/(?P<page>[\w.-]{1,100}/[\w.-]{1,100})/(?:pull|issues)/)"
    r"|(?P<repo>[\w.-]{1,100}/[\w.-]{1,100})?\#|(?P<gh>gh-)|(?P<pr>PR[ -]\#?))"
    r"(?P<number>[1-9]\d{0,8})\b(?![\w/-]|\.\d)",
    re.IGNORECASE,
)
_COMMIT = re.compile(
    r"(?<![\w./+@#&-])(?:https?://[\w.-]{1,100}/(?P<page>[\w.-]{1,100}/[\w.-]{1,100})/commit/)?"
    r"(?P<commit>(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64})\b(?![\w/@-]|\.\w)"
)
"""A commit's name, perhaps shortened: of letters and digits both, as no word or number is."""
_CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s*$", re.IGNORECASE)
"""Before an issue's number GitHub takes these words for an order to close it."""
_AND = re.compile(r"\W{0,9}(?:and|or|&)?\W{0,9}")
_MOST_READ = 200
_MOST_MATCHES = 1_000
"""Of a text that names more, or more often, the rest is not read: it is a list many times over."""
_WORTH: dict[Relation, int] = {
    "compares": 0,
    "names": 1,
    "tells": 2,
    "when": 3,
    "changed": 3,
    "brought": 3,
}
_STATED = 4
_MARKUP = tuple(
    (re.compile(begin, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for begin, end in (
        ("<!--", "-->"),
        (r"<pre\b", "</pre>"),
        (r"<blockquote\b", "</blockquote>"),
    )
)
_CHECKBOX = re.compile(r"\s*[-*+] \[[ xX]\]")
"""A checklist comes from a template, or is a list of things to do."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One reference in a text.

    Attributes:
        target: the number or the commit, perhaps shortened, that it names.
        repo: owner/name if it names a repository outright; else ``None``.
        host: the host, if it does so by an address; else ``None``.
        relation: what the words beside it make of it.
        closes: whether the words beside it close an issue.
        start, end: where in the text the sentence is that it stands in, in characters.
        evidence: that sentence, cut short.
    """

    target: int | str
    repo: str | None
    host: str | None
    relation: Relation
    closes: bool
    start: int
    end: int
    evidence: str


def find_mentions(text: str, title: str = "") -> list[Mention]:
    """Return the references in a text, one for each target, in order of appearance.

    ``title`` is the title of the pull request whose text it is.

    >>> [(m.target, m.relation) for m in find_mentions("Follow-up to #12, not `#13`.")]
    [(12, 'follows-up')]
    """
    found: dict[tuple[int | str, str | None], Mention] = {}
    title = title[:_MAX_EVIDENCE]
    read = 0
    for offset, line in _own_words(text):
        matches = sorted([*_NUMBER.finditer(line), *_COMMIT.finditer(line)], key=re.Match.start)
        breaks = [0, *(m.end() for m in _SENTENCE_END.finditer(line)), len(line)] if matches else []
        said: Relation = "names"
        for place, match in enumerate(matches):
            read += 1
            if len(found) > _MOST_READ or read > _MOST_MATCHES:
                return list(found.values())
            groups = match.groupdict()
            target = groups.get("commit") or int(groups["number"])
            repo = groups["page"] or groups.get("repo")
            start, end = _sentence(line, breaks, match.start())
            words_from = max(matches[place - 1].end() if place else 0, start)
            words_to = min(matches[place + 1].start() if place + 1 < len(matches) else end, end)
            before = line[words_from : match.start()]
            if not (place and _AND.fullmatch(before)):
                # "Fixes #1 and #2" says the same of both.
                previous = _sentence_before(line, breaks, start)
                said = relation(before, line[match.end() : words_to], title, previous)
            closes = _CLOSES.search(before[-20:]) is not None
            known = found.get((target, repo))
            keeps = known is not None and _worth(known.relation) >= _worth(said)
            if known is not None and keeps and (known.closes or not closes):
                # What was said first stays, unless more is said later.
                continue
            kept = known.relation if known is not None and keeps else said
            start, end = start + offset, end + offset
            found[target, repo] = Mention(
                target, repo, groups.get("host"), kept, closes, start, end, text[start:end]
            )
    return list(found.values())


def _worth(said: Relation) -> int:
    """Return how much a relation says: more than any other if it is stated."""
    return _WORTH.get(said, _STATED)


def _sentence(line: str, breaks: list[int], place: int) -> tuple[int, int]:
    """Return where in a line the sentence is that a place lies in, at most 300 characters of it."""
    after = bisect_right(breaks, place, hi=len(breaks) - 1)
    start, end = breaks[after - 1], breaks[after]
    if end - start > _MAX_EVIDENCE:
        start = max(start, place - _MAX_EVIDENCE // 2)
        end = min(end, start + _MAX_EVIDENCE)
    sentence = line[start:end]
    return end - len(sentence.lstrip()), start + len(sentence.rstrip())


def _sentence_before(line: str, breaks: list[int], start: int) -> str:
    """Return the end of the sentence before the one that starts at a place."""
    after = bisect_right(breaks, start)
    begin = breaks[after - 2] if after > 1 else start
    return line[max(begin, start - _MAX_EVIDENCE) : start]


def _own_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of a text that are neither code nor quoted, and where each one begins.

    A paragraph is one line here, however it was wrapped; so is an item of a list.
    """
    fence, offset, held = "", 0, ""
    for line in _without_markup(text).splitlines(keepends=True):
        mark = _FENCE.match(line)
        # Long lines are logs or data, and nobody's words.
        is_code = fence or mark or len(line) > _MAX_LINE or _is_code_or_quote(line, held)
        is_own = not (is_code or _CHECKBOX.match(line))
        if fence:
            # It ends with as many marks at least, and nothing behind them.
            ends = mark and mark[1].startswith(fence) and not mark[2].strip()
            fence = "" if ends else fence
        elif mark:
            fence = mark[1]
        if held and (not is_own or _BEGINS.match(line) or len(held) > _MAX_LINE):
            yield offset - len(held), _INLINE_CODE.sub(_blank, held)
            held = ""
        if is_own:
            held += line.rstrip("\r\n").ljust(len(line))
        offset += len(line)
    if held:
        yield offset - len(held), _INLINE_CODE.sub(_blank, held)


def _is_code_or_quote(line: str, before: str) -> bool:
    # An item of a list goes on indented; elsewhere that is code.
    is_indented = line.startswith(("    ", "\t")) and not _ITEM.match(before)
    return is_indented or _QUOTE.match(line) is not None


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _without_markup(text: str) -> str:
    """Return a text with a filler for each character of its HTML comments, quotes and code."""
    for begin, end in _MARKUP:
        text = _without(text, begin, end)
    return text


def _without(text: str, begin: re.Pattern[str], end: re.Pattern[str]) -> str:
    kept, place = [], 0
    is_ended = True
    while start := begin.search(text, place):
        stop = end.search(text, start.end()) if is_ended else None
        is_ended = stop is not None
        if stop is None and text.endswith("`", 0, start.start()):
            # Somebody writes about the mark.
            kept.append(text[place : start.end()])
            place = start.end()
            continue
        kept.append(text[place : start.start()])
        place = len(text) if stop is None else stop.end()
        # No space: a line that begins with a comment is no code.
        comment = text[start.start() : place].split("\n")
        kept.append("\n".join("\0" * len(line) for line in comment))
    return "".join([*kept, text[place:]])
