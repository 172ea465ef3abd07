"""The words of a repository's documentation: what its users know, and may be said to anybody."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from davinci_agency.repository.overlay import Overlay

_SUFFIXES = (".md", ".rst", ".adoc", ".txt")
_FOLDERS = frozenset({"doc", "docs", "documentation"})
_NO_GUIDES = re.compile(r"change|history|news|release|whats_?new", re.IGNORECASE)
"""Such files name what was fixed, by the names of what was wrong."""
_LARGEST = 1 << 20
_MOST = 16 << 20
"""Bytes of a file, and of a commit's documentation."""
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{1,80}")


class Documentation:
    """Reads the words of documentation at commits; each file's words once."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._words: dict[str, frozenset[str]] = {}

    def words(self, commit: str) -> frozenset[str]:
        """Return the words that the documentation at a commit holds; none if it is not there."""
        arguments = ("ls-tree", "-r", "-z", "-l", "--end-of-options", commit)
        listed = self._overlay.attempt(arguments, b"", {}) or b""
        found: set[str] = set()
        left = _MOST
        for entry in listed.split(b"\0"):
            details, _, name = entry.partition(b"\t")
            if not name or not _is_guide(name.decode(errors="replace")):
                continue
            _, kind, blob, size = details.decode().split()
            if kind != "blob" or not size.isdigit() or int(size) > _LARGEST or left < int(size):
                continue
            left -= int(size)
            found |= self._words_of(blob)
        return frozenset(found)

    def _words_of(self, blob: str) -> frozenset[str]:
        if blob not in self._words:
            content = self._overlay.attempt(("cat-file", "blob", blob), b"", {}) or b""
            self._words[blob] = frozenset(word.decode() for word in _NAME.findall(content))
        return self._words[blob]


def _is_guide(path: str) -> bool:
    parts = PurePosixPath(path.lower())
    if _NO_GUIDES.search(path) or parts.suffix not in _SUFFIXES:
        return parts.name == "readme"
    return len(parts.parts) == 1 or bool(_FOLDERS & set(parts.parts[:-1]))
