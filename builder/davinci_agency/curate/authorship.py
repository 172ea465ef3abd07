"""Whether the messages of an attempt made its patch; pure.

A patch from elsewhere is a wrong lesson, whatever its score. Nothing here applies or replays: it is
asked whether what the patch adds was ever written or seen. A later ``git diff`` in the messages is
not held against the patch: it may be cut, filtered, or older than the last change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from davinci_agency.curate.calls import text_of
from davinci_agency.curate.finding import Finding, Limits
from davinci_agency.records import Attempt, Task

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
_WORD = re.compile(r"[^\W\d]\w{2,59}")
_PART = re.compile(r"[A-Z]?[a-z]{2,60}|[A-Z]{3,60}")


@dataclass(frozen=True, slots=True)
class _Change:
    """What a patch does to one file: its path, and the lines that it adds and removes."""

    path: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


def patch_not_from_messages(attempt: Attempt, task: Task, limits: Limits) -> Finding | None:
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
    heard = _Heard(attempt.messages)
    for number, stage in enumerate(attempt.stages, start=1):
        if not stage.model_patch:
            continue
        heard.until(stage.message_end)
        share = _unaccounted(_changes(stage.model_patch), heard)
        if share is not None:
            what = f"of what the patch of stage {number} adds, {share:.0%} stands in the messages"
            return what, share
    return None


class _Heard:
    """What was said up to a message, the shorter part first: what the assistant gave to tools."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        self._messages = messages
        self._end = 0
        self._written: list[str] = []
        self._others: list[str] = []
        self._waiting: list[Sequence[Mapping[str, Any]]] = []

    def until(self, end: int) -> None:
        """Take in the messages up to one."""
        new = self._messages[self._end : end]
        self._end = max(self._end, end)
        self._written.append("\n".join(text for turn in new for text in _written(turn)))
        self._waiting.append(new)

    def __contains__(self, text: str) -> bool:
        return any(text in said for said in self._written) or any(
            text in said for said in self._all_others()
        )

    def _all_others(self) -> list[str]:
        for turns in self._waiting:
            self._others.append("\n".join(text_of(turn.get("content")) for turn in turns))
        self._waiting.clear()
        return self._others

    def share(self, texts: Sequence[str]) -> float:
        """Return the share of some texts that was said."""
        return sum(text in self for text in texts) / len(texts)


def _written(turn: Mapping[str, Any]) -> Iterator[str]:
    """Yield the strings that a turn gives to tools."""
    calls = turn.get("tool_calls")
    for call in calls if isinstance(calls, list | tuple) else ():
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        yield from _strings(arguments)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _unaccounted(changes: Sequence[_Change], heard: _Heard) -> float | None:
    """Return the share of what was said of a patch, if that's too little to have made it."""
    removed = "\n".join(line for change in changes for line in change.removed)
    sampled = _spread(changes, _MOST_FILES)
    lines = _longest(map(_lines, sampled), removed)
    if lines and _reaches(lines, heard, _LINES):
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


def _reaches(texts: Sequence[str], heard: _Heard, share: float) -> bool:
    """Tell whether a share of some texts was said, asking for no more than it takes."""
    wanted = max(1.0, share * len(texts))
    said = 0
    for text in texts:
        said += text in heard
        if said >= wanted:
            return True
    return False


def _longest(by_file: Iterable[Sequence[str]], removed: str) -> list[str]:
    """Return the longest texts of every file, the same number of each, without what was there."""
    files = [
        sorted({text for text in texts if text not in removed}, key=lambda text: (-len(text), text))
        for texts in by_file
    ]
    each = max(2, _SAMPLE // max(1, sum(map(bool, files))))
    return list(dict.fromkeys(text for texts in files for text in texts[:each]))


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
        head, hunk, body = part.partition("\n@@ ")
        names = head.partition("\n")[0].replace('"', "")
        lines = body.split("\n") if hunk else []
        changes.append(
            _Change(
                names.rpartition(" b/")[2],
                tuple(line[1:] for line in lines if line[:1] == "+"),
                tuple(line[1:] for line in lines if line[:1] == "-"),
            )
        )
    return changes
