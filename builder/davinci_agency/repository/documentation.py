"""The words of a repository's documentation: what its users know, and may be said to anybody."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from pathlib import PurePosixPath

from davinci_agency.repository.overlay import Overlay

_SUFFIXES = (".md", ".rst", ".adoc", ".txt")
_FOLDERS = frozenset({"doc", "docs", "documentation"})
_NO_GUIDES = re.compile(r"change|history|news|release|whats_?new", re.IGNORECASE)
"""Such files name what was fixed, by the names of what was wrong."""
_LARGEST = 1 << 20
_MOST = 16 << 20
"""Bytes of a file, and of a commit's documentation."""
_COMMITS = 1 << 16
"""Commits that are remembered: chains share them."""
_UNIONS = 16
"""Sets of words that are kept: each may have many thousands."""
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{1,80}")


class Documentation:
    """Reads the words of documentation at commits; each file's and commit's words once."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._words: dict[str, frozenset[str]] = {}
        self._blobs = lru_cache(_COMMITS)(self._guides)
        self._told = lru_cache(_UNIONS)(self._all_words)

    def words(self, commit: str) -> frozenset[str]:
        """Return the words that the documentation at a commit holds; none if it is not there."""
        return self._told(self._blobs(commit))

    def _all_words(self, blobs: frozenset[str]) -> frozenset[str]:
        for blob in blobs - self._words.keys():
            content = self._overlay.attempt(("cat-file", "blob", blob), b"", {}) or b""
            self._words[blob] = frozenset(word.decode() for word in _NAME.findall(content))
        return frozenset[str]().union(*(self._words[blob] for blob in blobs))

    def _guides(self, commit: str) -> frozenset[str]:
        """Return the blobs of the documentation at a commit."""
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
            found.add(sys.intern(blob))
        return frozenset(found)


@lru_cache(1 << 16)
def _is_guide(path: str) -> bool:
    parts = PurePosixPath(path.lower())
    if _NO_GUIDES.search(path) or parts.suffix not in _SUFFIXES:
        return parts.name == "readme"
    return len(parts.parts) == 1 or bool(_FOLDERS & set(parts.parts[:-1]))
