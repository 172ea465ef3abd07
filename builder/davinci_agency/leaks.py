"""What words must not give away of a change: a query's, or a judge's feedback; pure.

A query says why, where in concept and how in essence. It leaks when it holds

- a path, or the name of a file, that the change touches;
- a symbol: a word shaped like code (``snake_case``, ``camelCase``, ``dotted.name``, ``call()``)
  that stands in a changed line;
- code in backticks, a web address, a commit's name, or the number of an issue or pull request;
- a message: a quoted text of three words or more that stands in a changed line;
- code that stands in a changed line: six words and signs in a row, two of them signs.

Plain words are the project's vocabulary and may be used, even where the change holds them too; so
may symbols that the project's documentation names, if it is given.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal

from davinci_agency.records import Stage

LeakKind = Literal["path", "symbol", "code", "address", "commit", "number", "message"]

_ANYWHERE: tuple[tuple[LeakKind, re.Pattern[str], re.Pattern[str]], ...] = (
    (
        "address",
        re.compile(r"[/@]|www\.", re.IGNORECASE),
        re.compile(
            r"\bhttps?://\S+|\bwww\.\S+|\b[\w-]{1,60}\.(?:com|org|net|io|dev|edu|gov)/\S*"
            r"|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}",
            re.IGNORECASE,
        ),
    ),
    ("code", re.compile(r"`"), re.compile(r"`+[^`\n]*`+")),
    (
        "number",
        re.compile(r"\d"),
        re.compile(
            r"[\w./-]{0,100}#\d+|\bgh-\d+|\b(?:PRs?|pull[\s-]requests?|issues?)[\s-]#?\d+\b",
            re.IGNORECASE,
        ),
    ),
    (
        "commit",
        re.compile(r"\d"),
        re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b", re.IGNORECASE),
    ),
)
"""Each kind, what no text lacks that holds it, and how it looks."""
_IDENTIFIER = re.compile(r"[^\W\d]\w+")
_IN_WORD = re.compile(r"\w")
# Not by lines as Unicode ends them, which a changed line may hold.
_CHANGED = re.compile(r"^[+-](.*)", re.MULTILINE)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_TOKEN_OR_END = re.compile(rf"{_TOKEN.pattern}|\n")
_RUN = 6
_SIGNS = frozenset("()[]{}=<>;&|+*%")
_LEAST_SIGNS = 2
_QUOTED = re.compile(r"\"([^\"\n]{8,300})\"|'([^'\n]{8,300})'")
_LEAST_WORDS = 3
_WORD = re.compile(r"[\w./\\:-]+(?:\(\))?")
_LINE_NUMBERS = re.compile(r"(?::\d{1,9}){1,2}$")
_ODD = re.compile(r"[^\w./\\:-]")
_SNAKE = re.compile(r"\w_\w|^_+\w|\w_+$")
_CAMEL = re.compile(r"[a-z0-9][A-Z]|^[A-Z]+[a-z]+[A-Z]")
_DIGIT = re.compile(r"[A-Za-z]\d")


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that a text gives away: where it stands, what it is."""

    start: int
    end: int
    kind: LeakKind
    text: str


class Secrets:
    """What the changes of a chain touch, to hold texts against.

    ``vocabulary`` are words that may be used though they are shaped like code.
    """

    def __init__(self, stages: Iterable[Stage], vocabulary: Container[str] = frozenset()) -> None:
        self._stages = tuple(stages)
        self.vocabulary = vocabulary

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths that are touched, and the names of the files, in lower case."""
        paths = {
            path.lower()
            for stage in self._stages
            for file in stage.files
            for path in (file.path, file.old_path)
            if path
        }
        return frozenset(paths | {PurePosixPath(path).name for path in paths})

    @cached_property
    def odd_paths(self) -> frozenset[str]:
        """Those of `paths` that are not one word to whoever splits a text at its spaces."""
        return frozenset(path for path in self.paths if _ODD.search(path))

    @cached_property
    def stems(self) -> frozenset[str]:
        """The names of the files without their suffix: the modules that are touched."""
        return frozenset(PurePosixPath(path).stem for path in self.paths)

    def hold_word(self, word: str) -> bool:
        """Tell whether a word is an identifier in an added or removed line."""
        return bool(_IDENTIFIER.fullmatch(word)) and _stands_in(word, self._changed_lines)

    @cached_property
    def messages(self) -> Mapping[tuple[str, ...], Sequence[tuple[str, ...]]]:
        """The words of every quoted text in a changed line, by their beginning."""
        found: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for match in _QUOTED.finditer(self._changed_lines):
            words = tuple(re.findall(r"\w+", (match[1] or match[2]).lower()))
            if len(words) >= _LEAST_WORDS:
                found.setdefault(words[:_LEAST_WORDS], set()).add(words)
        return {beginning: sorted(those) for beginning, those in found.items()}

    def hold(self, run: Sequence[str]) -> bool:
        """Tell whether words and signs stand in a row in an added or removed line."""
        lines = self._changed_lines
        return all(token in lines for token in run) and _spaced(run) in self._changed_tokens

    @cached_property
    def _changed_tokens(self) -> str:
        return _spaced(_TOKEN_OR_END.findall(self._changed_lines))

    @cached_property
    def _changed_lines(self) -> str:
        patches = (stage.patch + stage.test_patch for stage in self._stages)
        return "\n".join(line for patch in patches for line in _changed_lines(patch))


def _changed_lines(patch: str) -> Iterator[str]:
    """Yield the lines that a patch adds and removes, as it has them."""
    for file in f"\n{patch}".split("\ndiff --git "):
        hunks = file.find("\n@@ ")
        if hunks >= 0:
            yield from _CHANGED.findall(file, hunks)


def _stands_in(name: str, text: str) -> bool:
    """Tell whether an identifier stands in a text by itself; digits before it are no part of it."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not _IN_WORD.match(text, end):
            before = start
            while before and text[before - 1].isdecimal():
                before -= 1
            if not before or not _IN_WORD.match(text, before - 1):
                return True
        start = text.find(name, start + 1)
    return False


def _spaced(tokens: Sequence[str]) -> str:
    """Return tokens as a text in which every row of them can be found; none holds a space."""
    return f" {' '.join(tokens)} "


def find_leaks(text: str, secrets: Secrets) -> list[Leak]:
    """Return what a text gives away, in order; nothing overlaps."""
    # Of two that begin and end together the first counts, and nothing is so sure as a path.
    leaks = list(_odd_paths(text, secrets))
    for kind, mark, pattern in _ANYWHERE:
        if mark.search(text):
            leaks += [Leak(m.start(), m.end(), kind, m[0]) for m in pattern.finditer(text)]
    leaks += _words(text, secrets)
    leaks += _messages(text, secrets)
    leaks += _code(text, secrets)
    leaks.sort(key=lambda leak: (leak.start, -leak.end))
    apart: list[Leak] = []
    for leak in leaks:
        if not apart or leak.start >= apart[-1].end:
            apart.append(leak)
    return apart


def _words(text: str, secrets: Secrets) -> Iterator[Leak]:
    for match in _WORD.finditer(text):
        word = match[0].rstrip(".:/\\-")
        if word.isalpha() and word[1:].islower():
            # Shaped like nothing but a word: most are.
            if word.lower() in secrets.paths:
                yield Leak(match.start(), match.start() + len(word), "path", word)
            continue
        # Markdown's marks are no part of a name: _name_, __name__, some\_name.
        bare = word.removesuffix("()").replace("\\_", "_")
        forms = {bare, bare.strip("_")}
        if any(_is_path(form.lower(), secrets) for form in forms):
            yield Leak(match.start(), match.start() + len(word), "path", word)
        elif any(_is_symbol(form, word.endswith("()"), secrets) for form in forms):
            yield Leak(match.start(), match.start() + len(word), "symbol", word)


def _messages(text: str, secrets: Secrets) -> Iterator[Leak]:
    matches = list(re.finditer(r"\w+", text))
    words = tuple(match[0].lower() for match in matches)
    for first in range(len(words) - _LEAST_WORDS + 1):
        for message in secrets.messages.get(words[first : first + _LEAST_WORDS], ()):
            last = first + len(message)
            if words[first:last] == message:
                start, end = matches[first].start(), matches[last - 1].end()
                yield Leak(start, end, "message", text[start:end])


def _code(text: str, secrets: Secrets) -> Iterator[Leak]:
    matches = list(_TOKEN.finditer(text))
    tokens = [match[0] for match in matches]
    for first in _code_in(tokens):
        if secrets.hold(tokens[first : first + _RUN]):
            start, end = matches[first].start(), matches[first + _RUN - 1].end()
            yield Leak(start, end, "code", text[start:end])


def _code_in(tokens: Sequence[str]) -> Iterator[int]:
    """Yield where a run of so many words and signs begins that is no prose."""
    places = [place for place, token in enumerate(tokens) if token in _SIGNS]
    last = len(tokens) - _RUN
    begun = 0
    # Every run that holds two signs which follow each other: those that begin before both.
    for one, other in zip(places, places[_LEAST_SIGNS - 1 :], strict=False):
        yield from range(max(begun, other - _RUN + 1), min(one, last) + 1)
        begun = max(begun, one + 1)


def _odd_paths(text: str, secrets: Secrets) -> Iterator[Leak]:
    for path in secrets.odd_paths:
        pattern = rf"(?<!\w){re.escape(path)}(?!\w)"
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield Leak(match.start(), match.end(), "path", match[0])


def _is_path(word: str, secrets: Secrets) -> bool:
    word = _LINE_NUMBERS.sub("", word.replace("\\", "/"))
    folders, slash, _ = word.rpartition("/")
    parts = word.split("/") if slash and folders else [word]
    stems = secrets.stems if len(parts) > 1 else ()
    return any(part in secrets.paths or part in stems for part in parts)


def _is_symbol(word: str, is_call: bool, secrets: Secrets) -> bool:
    names = [name for name in re.split(r"[./\\:-]+", word) if name]
    # dotted.name, scoped::name and call() are code as a whole, whatever their parts look like.
    is_code = is_call or bool(re.search(r"\w(?:\.|::)\w", word))
    shaped = [name for name in names if is_code or _is_shaped(name)]
    if all(name in secrets.vocabulary for name in shaped):
        return False
    return any(name.lower() in secrets.stems or secrets.hold_word(name) for name in shaped)


def _is_shaped(name: str) -> bool:
    return bool(_SNAKE.search(name) or _CAMEL.search(name) or _DIGIT.search(name))
