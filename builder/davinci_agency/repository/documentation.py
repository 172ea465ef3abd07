"""The words of a repository's documentation: what its users know, and may be said to anybody."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import new
from itertools import pairwise
from pathlib import PurePosixPath

from davinci_agency.errors import DataError
from davinci_agency.repository.objects import read_small
from davinci_agency.repository.overlay import DIFF, NO_REPLACE, Overlay

_SUFFIXES = (".md", ".rst", ".adoc", ".txt")
_FOLDERS = frozenset({"doc", "docs", "documentation"})
_NO_GUIDES = re.compile(r"change|history|news|release|whats_?new", re.IGNORECASE)
"""Such files name what was fixed, by the names of what was wrong."""
_LARGEST = 1 << 20
_MOST = 16 << 20
"""Bytes of a file, and of a commit's documentation."""
_KEPT = 16 << 20
"""Bytes of files of which the words are held though nobody needs them now: branches alternate."""
_BATCH = 256
"""Commits that are looked at by one process of git."""
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{1,80}")
_DIFF = (*DIFF, "-z", "--raw", "--no-renames", "--always", "--")
_PLACES = tuple(f":(icase)*{ending}" for ending in (*_SUFFIXES, "readme"))
_ENTRY = re.compile(rb":\d+ (\d+) \w+ (\w+) \w\0([^\0]+)\0")

Guides = Mapping[bytes, str]
"""The files of a commit's documentation: each one's blob by its path."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of some files. Few are ever asked for, so they are not brought together."""

    files: tuple[frozenset[bytes], ...] = ()

    def __contains__(self, word: object) -> bool:
        spelt = str(word).encode()
        return any(spelt in words for words in self.files)


def words_along(
    overlay: Overlay, commits: Sequence[str], held: HeldWords | None = None
) -> Iterator[Vocabulary]:
    """Yield the words that the documentation at each commit holds; none where it is not there.

    From a commit to the next only what differs is read, and what is ``held`` from before: near
    neighbours in history cost least. Held in memory is the documentation of some hundred commits.
    """
    trees = overlay.trees(list(dict.fromkeys(commits)))
    held = held or HeldWords()
    guides: Guides = {}
    tree = None
    for start in range(0, len(commits), _BATCH):
        batch = commits[start : start + _BATCH]
        wanted = [trees[commit] for commit in batch if commit in trees]
        changed = _along(overlay, tree, guides, wanted)
        along = dict(zip(wanted, changed, strict=True))
        held.read(overlay, along.values())
        for commit in batch:
            yield held.words(along[trees[commit]]) if commit in trees else Vocabulary()
        if wanted:
            tree, guides = wanted[-1], along[wanted[-1]]


def _along(
    overlay: Overlay, tree: str | None, guides: Guides, trees: Sequence[str]
) -> Iterator[Guides]:
    """Yield the documentation of each tree, the first of which follows one whose it is known."""
    if not trees:
        return
    begin = tree or _empty_tree(len(trees[0]))
    pairs = [f"{old} {new}\n".encode() for old, new in pairwise([begin, *trees])]
    printed = overlay.attempt((*_DIFF, *_PLACES), b"".join(pairs), NO_REPLACE)
    if printed is None:
        raise DataError("git diff-tree failed; if the clone is damaged, git fsck tells where.")
    place = 0
    for pair in pairs:
        place += len(pair)
        changed: dict[bytes, str] = {}
        while entry := _ENTRY.match(printed, place):
            mode, blob, path = entry.groups()
            if _is_guide(path):
                changed[path] = sys.intern(blob.decode()) if mode.startswith(b"100") else ""
            place = entry.end()
        if changed:
            both = {**guides, **changed}
            guides = {path: both[path] for path in sorted(both) if both[path]}
        yield guides


def _empty_tree(digits: int) -> str:
    """Return the name of the tree that holds nothing, which every repository knows."""
    return new("sha1" if digits == 40 else "sha256", b"tree 0\0").hexdigest()


class HeldWords:
    """The words of files, of which those of some documentations are made; for one thread."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[int, frozenset[bytes]]] = {}
        self._guides: Guides = {}
        self._told = Vocabulary()

    def read(self, overlay: Overlay, some: Iterable[Guides]) -> None:
        """Read the files of some documentations, and forget others but those asked for last."""
        needed = {blob for guides in some for blob in guides.values()}
        for blob in needed & self._files.keys():
            self._files[blob] = self._files.pop(blob)
        left = _KEPT
        for blob in [blob for blob in reversed(self._files) if blob not in needed]:
            left -= self._files[blob][0]
            if left < 0:
                del self._files[blob]
        for blob, content in read_small(overlay, sorted(needed - self._files.keys()), _LARGEST):
            self._files[blob] = len(content), frozenset(_NAME.findall(content))

    def words(self, guides: Guides) -> Vocabulary:
        """Return the words of a documentation, of which the files have been read."""
        if guides is not self._guides:
            self._guides, self._told = guides, Vocabulary(tuple(self._first(guides)))
        return self._told

    def _first(self, guides: Guides) -> Iterator[frozenset[bytes]]:
        """Yield the words of files that are there and small enough, as long as all together are."""
        left = _MOST
        for blob in guides.values():
            size, words = self._files.get(blob, (left + 1, frozenset[bytes]()))
            if size <= left:
                left -= size
                yield words


@lru_cache(1 << 16)
def _is_guide(name: bytes) -> bool:
    path = name.decode(errors="replace")
    parts = PurePosixPath(path.lower())
    if _NO_GUIDES.search(path) or parts.suffix not in _SUFFIXES:
        return parts.name == "readme"
    return len(parts.parts) == 1 or bool(_FOLDERS & set(parts.parts[:-1]))
