"""The identity of a change, whatever lines and commits it stands at; pure.

A patch id is what ``git patch-id --stable`` prints: for each file the SHA-1 of its headings and
hunks, without line numbers, object names and any whitespace, and the sum of these. Two copies of
one change have the same, in another branch, fork or year, as long as the lines around it are the
same; so a backport or a benchmark's gold patch is found again by it.

Git reads line by line, and so does `_Reader`; but a file with the usual headings, and a hunk that
holds what its heading says, are taken as a whole, which is faster and changes no id.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

import numpy as np

from davinci_agency.curate.hunks import SHORTEST_NOTE, dense_hunks

_SPACE = b" \t\n\r"
"""What git takes for whitespace."""
_OBJECT_NAME = re.compile(rb"(?:commit |From )?[0-9a-fA-F]{40}")
"""How git knows that the next patch begins."""
_INDEX = re.compile(rb"index (.*?)\.\.([^ \n]*)")
_HUNK = re.compile(rb"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))?[^\n]*\n")
_USUAL_HEADINGS = re.compile(
    rb"(diff [^\n]*+\n(?:(?:new|deleted|old|similarity|rename) [^\n]*+\n){0,5}+)"
    rb"index ([^\n.]{0,99}+)\.\.([^ \n]*+)[^\n]*+\n"
    rb"(--- [^\n]*+\n\+\+\+ [^\n]*+\n)(?=@@ -)"
)
"""Those of a file whose hunks follow."""
_DIGEST_BYTES = 20
_MASK = (1 << 8 * _DIGEST_BYTES) - 1


def patch_id(patch: str | bytes) -> str | None:
    r"""Return the 40 hexadecimal digits that ``git patch-id --stable`` (2.39 and later) gives.

    ``None`` if there is no diff in the text. Of several patches, parted by commits' names or other
    text, the first one counts, as git's first line of output does. The id of a binary file without
    its content depends on how far the object names are abbreviated.

    >>> patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -{0} +{0} @@\n-one\n+two\n"
    >>> patch_id(patch.format(1)) == patch_id(patch.format(20))
    True
    >>> patch_id("no diff at all") is None
    True
    """
    return _hexadecimal(_read(patch).total)


def patch_ids_of(gold: str, test: str) -> tuple[str, ...]:
    """Return the ids by which a change in two parts is found again: each part's, and the whole's.

    A pull request's own parts are other ones where tests are told apart by another rule; then the
    whole still is the same.
    """
    parts = _read(gold), _read(test)
    ids = {_hexadecimal(part.total) for part in (*parts, _both(gold, test, *parts))}
    return tuple(sorted(identity for identity in ids if identity))


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a patch: the sum of the digests of its files, if there is a diff.

    ``is_whole`` tells whether another file may follow, so that its digest is added.
    """

    total: int | None
    is_whole: bool


# A patch is asked for when it is held against benchmarks, and when duplicates are looked for.
@lru_cache(16)
def _read(patch: str | bytes) -> _Read:
    # What was no UTF-8 in git came here as surrogates, or as marks of replacement.
    raw = patch if isinstance(patch, bytes) else patch.encode("utf-8", "surrogatepass")
    return _Reader(raw).read()


def _both(gold: str, test: str, gold_read: _Read, test_read: _Read) -> _Read:
    """Return what is read of a patch in two parts."""
    if not gold or not test:
        return gold_read if gold else test_read
    if gold_read.is_whole and test.startswith("diff ") and test_read.total is not None:
        return _Read(((gold_read.total or 0) + test_read.total) & _MASK, test_read.is_whole)
    return _read(gold + ("" if gold.endswith("\n") else "\n") + test)


def _hexadecimal(total: int | None) -> str | None:
    return None if total is None else total.to_bytes(_DIGEST_BYTES, "little").hex()


class _Place(Enum):
    HEADINGS = auto()
    PATHS = auto()
    """The two lines ``---`` and ``+++``, which git counts like a hunk of one line each."""
    HUNK = auto()
    BETWEEN_HUNKS = auto()
    BINARY = auto()


class _Reader:
    """Where git stands in one patch, and what it has hashed so far."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._hash = hashlib.sha1(usedforsecurity=False)
        self._sum = 0
        self._has_content = False
        self._place = _Place.BETWEEN_HUNKS
        self._before = self._after = 0
        self._objects = b""
        self._text = np.frombuffer(raw, np.uint8)
        self._room = np.empty(len(raw), np.uint8)

    def read(self) -> _Read:
        at = self._first_diff()
        while at < len(self._raw):
            if self._place is _Place.BETWEEN_HUNKS:
                at = self._take_whole_files(at)
            end = self._raw.find(b"\n", at) + 1 or len(self._raw)
            line = self._raw[at:end]
            is_note = line.startswith(b"\\ ") and len(line) >= SHORTEST_NOTE
            if not is_note and (_OBJECT_NAME.match(line) or not self._take(line)):
                break
            at = end
        is_whole = at >= len(self._raw) and self._place is _Place.BETWEEN_HUNKS
        if not self._has_content:
            return _Read(None, is_whole)
        self._end_file()
        return _Read(self._sum, is_whole)

    def _first_diff(self) -> int:
        if self._raw.startswith(b"diff "):
            return 0
        return self._raw.find(b"\ndiff ") + 1 or len(self._raw)

    def _take(self, line: bytes) -> bool:
        """Take one line; tell whether the patch goes on."""
        if self._place is _Place.HEADINGS:
            return self._take_heading(line)
        if self._place is _Place.BINARY:
            if line.startswith(b"diff "):
                # Git leaves the first heading after a binary file out.
                self._place = _Place.HEADINGS
            return True
        if self._place is _Place.BETWEEN_HUNKS:
            return self._take_between(line)
        self._take_content(line)
        return True

    def _take_heading(self, line: bytes) -> bool:
        if line.startswith((b"GIT binary patch", b"Binary files")):
            self._hash.update(self._objects)
            self._end_file()
            self._place = _Place.BINARY
        elif line.startswith(b"index "):
            if names := _INDEX.match(line):
                self._objects = names[1][:40] + names[2][:40]
        elif line.startswith(b"--- "):
            self._place = _Place.PATHS
            self._before = self._after = 1
            self._take_content(line)
        elif line[:1].isalpha():
            self._add(line)
        else:
            return False
        return True

    def _take_between(self, line: bytes) -> bool:
        if line.startswith(b"@@ -"):
            if heading := _HUNK.match(line):
                self._before, self._after = (int(count or 1) for count in heading.groups())
                self._place = _Place.HUNK if self._before or self._after else self._place
            return True
        if line.startswith(b"diff "):
            self._end_file()
            self._place = _Place.HEADINGS
            self._add(line)
            return True
        return False

    def _take_content(self, line: bytes) -> None:
        self._before -= line.startswith((b"-", b" "))
        self._after -= line.startswith((b"+", b" "))
        self._add(line)
        if not (self._before or self._after):
            self._place = _Place.BETWEEN_HUNKS
        elif self._before == -1:
            # A hunk with more old lines than its heading says; git takes the rest for headings.
            self._place = _Place.HEADINGS

    def _take_whole_files(self, at: int) -> int:
        """Take the hunks and files from here on that are as usual, and return where they end."""
        at = self._take_whole_hunks(at)
        while usual := _USUAL_HEADINGS.match(self._raw, at):
            self._end_file()
            self._add(usual[1] + usual[4])
            self._objects = usual[2][:40] + usual[3][:40]
            at = self._take_whole_hunks(usual.end())
        return at

    def _take_whole_hunks(self, at: int) -> int:
        """Take the hunks from here on whose counts are right, and return where they end."""
        end, lines = dense_hunks(self._text, at, self._room)
        self._hash.update(lines)
        return end

    def _add(self, text: bytes) -> None:
        dense = text.translate(None, _SPACE)
        self._hash.update(dense)
        self._has_content = self._has_content or bool(dense)

    def _end_file(self) -> None:
        if not self._has_content:
            return
        digest = int.from_bytes(self._hash.digest(), "little")
        self._sum = (self._sum + digest) & _MASK
        self._hash = hashlib.sha1(usedforsecurity=False)
