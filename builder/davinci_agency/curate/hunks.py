"""The lines of a patch's hunks, read at the speed of memory; pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from davinci_agency.curate.kernels import kernel

Bytes = NDArray[np.uint8]

_NEWLINE, _TAB, _RETURN, _SPACE = 10, 9, 13, 32
_PLUS, _COMMA, _MINUS, _ZERO, _NINE = (ord(sign) for sign in "+,-09")
_MOST_DIGITS = 9
_HUNK, _RANGES, _NOTE, _FILE, _GIT_FILE = (
    np.frombuffer(mark, np.uint8) for mark in (b"@@ ", b"@@ -", b"\\ ", b"diff ", b"diff --git ")
)
SHORTEST_NOTE = 13
"""Git takes a line of fewer bytes that begins with a backslash for content."""


def dense_hunks(patch: Bytes, begin: int, room: Bytes) -> tuple[int, memoryview]:
    r"""Return where hunks end that begin somewhere, and their lines without any whitespace.

    Only those are taken that hold what their headings say; headings and notes ("\ No newline at
    end of file") are left out. ``room`` is as long as the patch; what is returned lies there.
    """
    end, size = _take_hunks(patch, begin, room)
    return end, room[:size].data


def changed_lines(patch: bytes) -> tuple[bytes, bytes]:
    r"""Return the lines that a patch adds and those that it removes, each with an end.

    >>> changed_lines(b"--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-one\n-two\n+three")
    (b'three\n', b'one\ntwo\n')
    """
    added, removed = (np.empty(len(patch) + 1, np.uint8) for _ in range(2))
    sizes = _sort_lines(np.frombuffer(patch, np.uint8), added, removed)
    return added[: sizes[0]].tobytes(), removed[: sizes[1]].tobytes()


@kernel
def _take_hunks(text: Bytes, at: int, room: Bytes) -> tuple[int, int]:
    """Write the lines of hunks; return where the first other line begins, and the bytes written."""
    size = 0
    while True:
        body, before, after = _heading(text, at)
        if body < 0:
            return at, size
        end, written = _lines(text, body, before, after, room, size)
        if end < 0:
            return at, size
        at, size = end, written


@kernel
def _heading(text: Bytes, at: int) -> tuple[int, int, int]:
    """Return where the lines begin behind a hunk's heading, and how many it promises; else -1."""
    if not _begins(text, at, _RANGES):
        return -1, 0, 0
    before, at = _count(text, at + _RANGES.size)
    if at < 0 or at + 1 >= text.size or text[at] != _SPACE or text[at + 1] != _PLUS:
        return -1, 0, 0
    after, at = _count(text, at + 2)
    while 0 <= at < text.size:
        at += 1
        if text[at - 1] == _NEWLINE:
            return at, before, after
    return -1, 0, 0


@kernel
def _begins(text: Bytes, at: int, mark: Bytes) -> bool:
    same = 0
    while same < mark.size and at + same < text.size and text[at + same] == mark[same]:
        same += 1
    return same == mark.size


@kernel
def _digits(text: Bytes, at: int) -> int:
    """Return where digits end, of which a number has only so many."""
    last = min(text.size, at + _MOST_DIGITS)
    while at < last and _ZERO <= text[at] <= _NINE:
        at += 1
    return at


@kernel
def _count(text: Bytes, at: int) -> tuple[int, int]:
    """Return how many lines a place such as ``7,3`` has, and where it ends; -1 if it is none."""
    end = _digits(text, at)
    if end == at:
        return 0, -1
    if end >= text.size or text[end] != _COMMA:
        return 1, end
    at, end = end, _digits(text, end + 1)
    if end == at + 1:
        return 1, at
    count = 0
    for place in range(at + 1, end):
        count = 10 * count + int(text[place]) - _ZERO
    return count, end


@kernel
def _lines(
    text: Bytes, at: int, before: int, after: int, room: Bytes, size: int
) -> tuple[int, int]:
    """Write a hunk's lines; return where they end and all bytes written, -1 if it holds others."""
    while at < text.size:
        first = text[at]
        if _begins(text, at, _NOTE):
            begin = at
            while at < text.size and text[at] != _NEWLINE:
                at += 1
            at = min(at + 1, text.size)
            if at - begin < SHORTEST_NOTE:
                return -1, 0
            continue
        if _begins(text, at, _RANGES) or _begins(text, at, _FILE):
            break
        if first != _SPACE and first != _PLUS and first != _MINUS:
            return -1, 0
        before -= first != _PLUS
        after -= first != _MINUS
        while at < text.size:
            byte = text[at]
            at += 1
            room[size] = byte
            size += byte != _SPACE and byte != _TAB and byte != _RETURN and byte != _NEWLINE
            if byte == _NEWLINE:
                break
    if before != 0 or after != 0:
        return -1, 0
    return at, size


@kernel
def _sort_lines(text: Bytes, added: Bytes, removed: Bytes) -> tuple[int, int]:
    """Write the lines that are added and removed; return how many bytes of each."""
    more, less, at = 0, 0, 0
    in_hunk = is_added = is_removed = False
    while at < text.size:
        first = text[at]
        is_added = in_hunk and first == _PLUS
        is_removed = in_hunk and first == _MINUS
        if _begins(text, at, _GIT_FILE):
            in_hunk = False
        elif _begins(text, at, _HUNK):
            in_hunk = True
        at += is_added or is_removed
        while at < text.size:
            byte = text[at]
            at += 1
            added[more] = byte
            removed[less] = byte
            more += is_added
            less += is_removed
            if byte == _NEWLINE:
                break
    if text.size and text[-1] != _NEWLINE:
        # The last line's end.
        added[more] = removed[less] = _NEWLINE
        more += is_added
        less += is_removed
    return more, less
