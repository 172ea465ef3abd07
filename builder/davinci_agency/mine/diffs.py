"""What ``git diff-tree --patch-with-raw`` prints, as changed files and patches; pure.

Bytes stay bytes until a file's part of the patch is known to be UTF-8. A part that can't be kept
as text is left out, and the file says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from davinci_agency.mine.paths import is_test
from davinci_agency.records import ChangedFile, FileStatus, Omission

MAX_FILE_PATCH_BYTES = 1 << 20
"""A larger patch of one file is left out: generated data, not work."""

_HEADER = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n")
_FILE_START = re.compile(rb"^diff --git ", re.MULTILINE)
_STATUS: dict[bytes, FileStatus] = {
    b"A": "added",
    b"C": "copied",
    b"D": "deleted",
    b"M": "modified",
    b"R": "renamed",
    b"T": "type-changed",
}
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-7]{3})')
_ESCAPED = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}


@dataclass(frozen=True, slots=True)
class Diff:
    """The change between two commits, its text in two parts: source and tests."""

    files: tuple[ChangedFile, ...]
    patch: str
    test_patch: str

    @property
    def additions(self) -> int:
        """Lines added in both parts."""
        return sum(file.additions or 0 for file in self.files)

    @property
    def deletions(self) -> int:
        """Lines removed in both parts."""
        return sum(file.deletions or 0 for file in self.files)


EMPTY = Diff((), "", "")


def parse_diffs(
    lines: Iterable[bytes], commits: Sequence[str], missing: frozenset[str]
) -> Iterator[Diff]:
    """Yield one diff for each commit, in order, from the lines that git printed for them.

    A commit without a change prints nothing and gets an empty diff. ``missing`` names the blobs
    that were absent, whose part of a patch means nothing.
    """
    expected = iter(commits)
    for name, block in _blocks(lines):
        for commit in expected:
            if commit == name:
                break
            yield EMPTY
        else:
            raise ValueError(f"git printed a diff of {name}, which was not asked for")
        yield _parse(block, missing)
    yield from (EMPTY for _ in expected)


def _blocks(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    name = ""
    block: list[bytes] = []
    for line in lines:
        # No line of a patch or of the raw part consists of a commit's name alone.
        if len(line) in (41, 65) and _HEADER.fullmatch(line):
            if name:
                yield name, b"".join(block)
            name, block = line.decode().strip(), []
        else:
            block.append(line)
    if name:
        yield name, b"".join(block)


def _parse(block: bytes, missing: frozenset[str]) -> Diff:
    raw, _, patch = block.partition(b"\n\n")
    starts = [match.start() for match in _FILE_START.finditer(patch)]
    parts = [patch[start:end] for start, end in pairwise([*starts, len(patch)])]
    files: list[ChangedFile] = []
    texts: tuple[list[str], list[str]] = ([], [])
    for line in raw.splitlines():
        entry = _RawEntry.parse(line)
        if len(parts) < entry.number_of_parts:
            raise ValueError(f"git printed no patch of {entry.paths[-1]}")
        file, text = _changed_file(entry, parts[: entry.number_of_parts], missing)
        parts = parts[entry.number_of_parts :]
        files.append(file)
        if text is not None:
            texts[file.is_test].append(text)
    if parts:
        raise ValueError(f"git printed {len(parts)} more patches than files")
    return Diff(tuple(files), "".join(texts[False]), "".join(texts[True]))


@dataclass(frozen=True, slots=True)
class _RawEntry:
    """A line of ``--raw``: what happened to one file, by modes and blobs."""

    modes: tuple[bytes, bytes]
    blobs: frozenset[str]
    status: bytes
    paths: tuple[str, ...]

    @classmethod
    def parse(cls, line: bytes) -> _RawEntry:
        details, *quoted = line.split(b"\t")
        old_mode, new_mode, old_blob, new_blob, status = details[1:].split(b" ")
        return cls(
            modes=(old_mode, new_mode),
            blobs=frozenset({old_blob.decode(), new_blob.decode()}),
            status=status[:1],
            paths=tuple(unquote(path) for path in quoted),
        )

    @property
    def number_of_parts(self) -> int:
        """How many parts of the patch are this file's."""
        # A file that becomes a link, or the reverse, is printed as removed and added again. The
        # first three digits of a mode: 100 a file, 120 a link, 160 a submodule, 000 nothing.
        return len({mode[:3] for mode in self.modes} - {b"000"})


def _changed_file(
    entry: _RawEntry, parts: Sequence[bytes], missing: frozenset[str]
) -> tuple[ChangedFile, str | None]:
    text, omitted = _text("missing-blob" if entry.blobs & missing else None, parts)
    hunks = [part.partition(b"\n@@ ")[2] for part in parts]
    return (
        ChangedFile(
            path=entry.paths[-1],
            old_path=entry.paths[0] if len(entry.paths) > 1 else None,
            status=_STATUS[entry.status],
            additions=sum(hunk.count(b"\n+") for hunk in hunks) if text is not None else None,
            deletions=sum(hunk.count(b"\n-") for hunk in hunks) if text is not None else None,
            is_test=is_test(entry.paths[-1]),
            omitted=omitted,
        ),
        text,
    )


def _text(omitted: Omission | None, parts: Sequence[bytes]) -> tuple[str | None, Omission | None]:
    if omitted is not None:
        return None, omitted
    if any(b"\nBinary files " in part and b"\n@@ " not in part for part in parts):
        return None, "binary"
    if sum(map(len, parts)) > MAX_FILE_PATCH_BYTES:
        return None, "too-large"
    try:
        return b"".join(parts).decode(), None
    except UnicodeDecodeError:
        return None, "not-utf-8"


def unquote(path: bytes) -> str:
    r"""Return a path from the form in which git prints it.

    Bytes that are no UTF-8 become U+FFFD: JSON can't hold them.

    >>> unquote(rb'"caf\303\251 \"a\".txt"')
    'café "a".txt'
    """
    if path.startswith(b'"') and path.endswith(b'"') and len(path) > 1:
        path = _ESCAPE.sub(_unescape, path[1:-1])
    return path.decode(errors="replace")


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([_ESCAPED[code] if code in _ESCAPED else int(code, 8)])
