"""The offline writer: a query made of the pull request's own sentences; pure.

It takes the title and the sentences of the description that say what is wrong or wanted, and
leaves out what gives the change away. It invents nothing: it knows no more than the author wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from davinci_agency.leaks import Leak, LeakKind, Secrets, find_leaks
from davinci_agency.query.writer import Refused, Written
from davinci_agency.records import ChainStage, QueryWriter

_IDENTITY = QueryWriter(name="extractive", version="1")
_NOTHING = Refused(
    "nothing-to-ask", "its authors' words leave nothing to ask without giving the change away"
)
_MAX_CHARACTERS = 1_200
_MAX_SENTENCE = 400
_MIN_WORDS = 4
_MAX_MASKED = 2
"""A title with more of its words taken out says nothing any more."""

_MASK: dict[LeakKind, str] = {"path": "the affected file", "symbol": "the affected code"}
_TAG = re.compile(r"^(?:\[[^\]]{1,40}\]\s*|[A-Z]{2,6}(?:[,/&| ]{1,3}[A-Z]{2,6}){0,4}\s*:\s*"
                  r"|[a-z]{2,12}(?:\([^)]{1,60}\))?!?:\s+)")  # fmt: skip
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_SKIPPED_LINE = re.compile(
    r"^\s*(?:>|\||#{1,6}\s|={3,}|-{3,}|[-*+]\s*\[[ xX]\]|<!--|\.\. |"
    r"[\w-]{1,40}-by:|co-authored|signed-off|cc\b|\[skip|\(cherry picked|"
    r"(?:clos|fix|resolv)(?:e|es|ed)\s*:?\s*#)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
_CLOSING = re.compile(
    r"\s*\((?:[^()]{0,40}(?:#\d+|gh-\d+)[^()]{0,40})\)"
    r"|\s*[,;:-]?\s*\b(?:clos|fix|resolv)(?:e|es|ed|ing)\b\s*(?:issue\s*)?(?:#\d+|gh-\d+)",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Za-z]{2,}")
_SPACE = re.compile(r"\s+")


class ExtractiveWriter:
    """Writes queries from the words that a pull request's author wrote, without a model."""

    def write(self, stages: Sequence[ChainStage], secrets: Secrets) -> Written | Refused:
        """Return one query for each stage, or that one can't be asked for without a leak.

        The first query of a chain also says what all the steps are about.
        """
        goals = [_goal(stage.title, secrets) for stage in stages]
        details = [_details(stage, secrets) for stage in stages]
        queries = [_query(goal, detail) for goal, detail in zip(goals, details, strict=True)]
        if not all(queries):
            return _NOTHING
        if len(stages) > 1:
            # The overview has said the first goal already.
            rest = _query(None, details[0] if goals[0] else details[0][1:]) or ""
            steps = [goal or detail[0] for goal, detail in zip(goals, details, strict=True)]
            queries[0] = f"{_overview(steps)} Begin with the first. {rest}".strip()
        return Written(tuple(query or "" for query in queries), _IDENTITY)


def _query(goal: str | None, details: Sequence[str]) -> str | None:
    sentences = [goal] if goal else []
    length = len(goal or "")
    for sentence in details:
        if length + len(sentence) > _MAX_CHARACTERS:
            break
        length += len(sentence)
        if goal is None or sentence.lower() != goal.lower():
            sentences.append(sentence)
    return " ".join(sentences) or None


def _overview(goals: Sequence[str]) -> str:
    steps = " ".join(f"({n}) {goal}" for n, goal in enumerate(goals, start=1))
    return f"This work has {len(goals)} steps: {steps}"


def _goal(title: str, secrets: Secrets) -> str | None:
    """Return the title as a sentence, what it gives away replaced; ``None`` if little is left."""
    short = _SPACE.sub(" ", title[:_MAX_SENTENCE])
    text = _CLOSING.sub("", _without_tags(short)).replace("`", "")
    leaks = find_leaks(text, secrets)
    if len(leaks) > _MAX_MASKED or any(leak.kind not in _MASK for leak in leaks):
        return None
    masked = _masked(text, leaks)
    said = len(_WORDS.findall(text)) - sum(len(_WORDS.findall(leak.text)) for leak in leaks)
    if said < _MIN_WORDS - 1 or find_leaks(masked, secrets):
        return None
    return _sentence(masked)


def _without_tags(title: str) -> str:
    text = title.strip()
    while (match := _TAG.match(text)) and match.end() < len(text):
        text = text[match.end() :]
    return text


def _masked(text: str, leaks: Sequence[Leak]) -> str:
    for leak in reversed(leaks):
        text = text[: leak.start] + _MASK[leak.kind] + text[leak.end :]
    return text.replace("the the affected", "the affected")


def _sentence(text: str) -> str:
    text = _SPACE.sub(" ", text).strip(" ,;:-")
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _details(stage: ChainStage, secrets: Secrets) -> list[str]:
    """Return the sentences of the description that may be said, in order, each once."""
    kept: dict[str, None] = {}
    for sentence in _sentences(stage.body):
        words = _WORDS.findall(sentence)
        short_enough = len(sentence) <= _MAX_SENTENCE
        if len(words) >= _MIN_WORDS and short_enough and not find_leaks(sentence, secrets):
            kept.setdefault(_sentence(sentence))
    return list(kept)


def _sentences(body: str) -> Iterator[str]:
    """Yield the sentences of a description's prose: no code, quotes, trailers, lists to tick."""
    paragraph: list[str] = []
    fenced = False
    for line in [*body.splitlines(), ""]:
        if _FENCE.match(line):
            fenced = not fenced
        bullet = _BULLET.match(line)
        ends = fenced or not line.strip() or bullet or _SKIPPED_LINE.match(line)
        if ends:
            yield from _split(paragraph)
            paragraph = []
        if fenced or _FENCE.match(line) or _SKIPPED_LINE.match(line):
            continue
        paragraph.append(_without_tags(line[bullet.end() :] if bullet else line))
    yield from _split(paragraph)


def _split(lines: Sequence[str]) -> Iterator[str]:
    text = _CLOSING.sub("", _SPACE.sub(" ", " ".join(lines))).strip()
    yield from (sentence for sentence in _SENTENCE_END.split(text) if sentence)
