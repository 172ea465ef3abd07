"""Whether the messages of an attempt made its patch; pure.

A patch from elsewhere is a wrong lesson, whatever its score. Nothing here applies or replays: it is
asked whether what the patch adds was ever written or seen. A later ``git diff`` in the messages is
not held against the patch: it may be cut, filtered, or older than the last change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from math import ceil
from typing import Any

from davinci_agency.calls import Call, text_of
from davinci_agency.curate.finding import Finding, Run

_SAMPLE = 32
"""So many lines and words are looked for: half of them is told from a tenth with any luck."""
_MOST_FILES = 16
_SHOWN = 200
"""Of a longer line the beginning is enough to know it by."""
_MOST_TEXT = 8_000
"""Of a file that adds more characters, the words of the first ones are taken."""
_LINES = 0.1
_WORDS = 0.75
_PARTS = 0.9
_FILES = 0.5
_SHORTEST_LINE = 8
_ADDED = re.compile(r"\n\+(.*)")
_REMOVED = re.compile(r"\n-(.*)")
_WORD = re.compile(r"[^\W\d]\w{2,59}")
_PART = re.compile(r"[A-Z]?[a-z]{2,60}|[A-Z]{3,60}")


@dataclass(frozen=True, slots=True)
class _Change:
    """What a patch does to one file: its path, and its hunks, each line after a line's end."""

    path: str
    hunks: str

    @property
    def added(self) -> list[str]:
        """The lines that it adds."""
        return _ADDED.findall(self.hunks)

    @property
    def removed(self) -> list[str]:
        """The lines that it removes."""
        return _REMOVED.findall(self.hunks)


def patch_not_from_messages(run: Run) -> Finding | None:
    """Find a patch that the messages before it can't have made.

    Looked for are up to 32 added lines and 32 added words (identifiers of three letters or more),
    the longest ones of up to sixteen files, leaving out what the patch removes elsewhere. A patch
    is the messages' own if a tenth of the lines, or three quarters of the words, stand in them; or
    nine tenths of the words' parts, as where a new name is put together (``get_colour``). If it
    adds neither lines nor words, half of the changed files, or the folders they are in, must be
    named.

    The patch of a stage is held against the messages up to that stage's end; an empty one is passed
    over. The measure is the share of words, or of files, that the messages hold.
    """
    heard = _Heard(run)
    for number, stage in enumerate(run.attempt.stages, start=1):
        if not stage.model_patch:
            continue
        heard.until(stage.message_end)
        share = _unaccounted(_changes(stage.model_patch), heard)
        if share is not None:
            what = f"of what the patch of stage {number} adds, {share:.0%} stands in the messages"
            return what, share
    return None


class _Part:
    """Some messages as two texts, each put together when it is first looked into."""

    def __init__(self, calls: Sequence[Call], messages: Sequence[Mapping[str, Any]]) -> None:
        self._calls = calls
        self._messages = messages

    @cached_property
    def written(self) -> str:
        """What the assistant gave to tools: the shorter text, and the likelier one."""
        found: list[str] = []
        for call in self._calls:
            _add_strings(call.arguments, found)
        return "\n".join(found)

    @cached_property
    def said(self) -> str:
        """What everybody said."""
        return "\n".join(text_of(message.get("content")) for message in self._messages)


def _add_strings(value: Any, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for item in value.values():
            _add_strings(item, found)
    elif isinstance(value, list | tuple):
        for item in value:
            _add_strings(item, found)


class _Heard:
    """What was written or said up to a message."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._end = 0
        self._parts: list[_Part] = []

    def until(self, end: int) -> None:
        """Take in the messages up to one."""
        start, self._end = self._end, max(self._end, end)
        calls = [call for call in self._run.calls if start <= call.place < end]
        self._parts.append(_Part(calls, self._run.attempt.messages[start:end]))

    def __contains__(self, text: str) -> bool:
        return self._was_written(text) or self._was_said(text)

    def _was_written(self, text: str) -> bool:
        return any(text in part.written for part in reversed(self._parts))

    def _was_said(self, text: str) -> bool:
        return any(text in part.said for part in reversed(self._parts))

    def share(self, texts: Sequence[str]) -> float:
        """Return the share of some texts that was heard."""
        return sum(text in self for text in texts) / len(texts)

    def reaches(self, share: float, texts: Sequence[str]) -> bool:
        """Tell whether a share of some texts was heard, looking into no more than it takes."""
        wanted = ceil(share * len(texts))
        written = list(islice(filter(self._was_written, texts), wanted))
        if len(written) == wanted:
            return True
        others = (text for text in texts if text not in written)
        said = islice(filter(self._was_said, others), wanted - len(written))
        return len(written) + sum(1 for _ in said) == wanted


def _unaccounted(changes: Sequence[_Change], heard: _Heard) -> float | None:
    """Return the share of what was said of a patch, if that's too little to have made it."""
    removed = "\n".join(line for change in changes for line in change.removed)
    sampled = _spread(changes, _MOST_FILES)
    lines = _longest(map(_lines, sampled), removed)
    if lines and heard.reaches(_LINES, lines):
        return None
    words = _longest(map(_words, sampled), removed)
    if words:
        share = heard.share(words)
        parts = [part for word in words for part in _PART.findall(word)]
        renamed = bool(parts) and heard.share(parts) >= _PARTS
        return None if share >= _WORDS or renamed else share
    if lines or not changes:
        return None
    share = sum(any(name in heard for name in _names(change.path)) for change in sampled) / len(
        sampled
    )
    return None if share >= _FILES else share


def _longest(by_file: Iterable[Iterable[str]], removed: str) -> list[str]:
    """Return the longest texts of every file, the same number of each, without what was there."""
    files = [
        (text for text in sorted(set(texts), key=_longest_first) if text not in removed)
        for texts in by_file
    ]
    firsts = [list(islice(texts, 1)) for texts in files]
    more = max(2, _SAMPLE // max(1, sum(map(bool, firsts)))) - 1
    found = ((*first, *islice(texts, more)) for first, texts in zip(firsts, files, strict=True))
    return list(dict.fromkeys(chain.from_iterable(found)))


def _longest_first(text: str) -> tuple[int, str]:
    return -len(text), text


def _lines(change: _Change) -> list[str]:
    stripped = (line.strip()[:_SHOWN] for line in change.added)
    return [line for line in stripped if len(line) >= _SHORTEST_LINE]


def _words(change: _Change) -> list[str]:
    return _WORD.findall("\n".join(change.added)[:_MOST_TEXT])


def _names(path: str) -> list[str]:
    """Return what a file may be called: its name, or the folder that it is in."""
    folder, _, name = path.rpartition("/")
    return [name, folder] if folder else [name]


def _spread(changes: Sequence[_Change], most: int) -> Sequence[_Change]:
    """Return so many changes at most, from all over a patch."""
    step = -(-len(changes) // most)
    return changes[:: max(1, step)]


def _changes(patch: str) -> list[_Change]:
    """Return what a patch does, file by file."""
    changes: list[_Change] = []
    # Not splitlines: a changed line may hold what Unicode takes for a line's end.
    for part in ("\n" + patch).split("\ndiff --git ")[1:]:
        head, _, hunks = part.partition("\n@@ ")
        names = head.partition("\n")[0].replace('"', "")
        changes.append(_Change(names.rpartition(" b/")[2], hunks))
    return changes
