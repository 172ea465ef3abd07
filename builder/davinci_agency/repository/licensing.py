"""The licence of a repository's code at many commits, from its own files there.

A commit's root tree names its licence files, and every file is read once, so the history of a large
repository costs little more than listing its roots. Where a partial clone lacks a file that may
hold the licence, the licence is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from davinci_agency.repository.objects import read_objects, read_small
from davinci_agency.repository.overlay import Overlay
from davinci_agency.spdx import (
    LICENSES_FOLDER,
    MANIFESTS,
    Reading,
    canonical,
    choose_license,
    declared_license,
    read_text,
    role_of,
)

MAX_BYTES = 1 << 20
"""Of a file that is read: the longest licences have 40 KB."""
_ENTRY = {
    digits: re.compile(rb"(\d{5,6}) ([^\0]+)\0(.{%d})" % (digits // 2), re.DOTALL)
    for digits in (40, 64)
}
"""An entry of a tree, by the digits of an object's name."""
_FOLDER = b"40000"
_FILES = (b"100644", b"100755", b"100664")

File = tuple[str, str]
"""A path and its blob."""


@dataclass(frozen=True, slots=True)
class Licensing:
    """What a commit's own files say of its licence.

    Attributes:
        expression: the SPDX expression of the project's code; ``None`` if they do not tell.
        files: every licence and notice there, by path; who passes the code on, passes these on.
        has_own_terms: whether a file takes something away from its licence, or different ones hold
            for different folders; then nobody's word for it is good enough.
    """

    expression: str | None = None
    files: tuple[File, ...] = ()
    has_own_terms: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A text that goes with the code: a path where it is, its blob, its words."""

    path: str
    blob: str
    text: str


@dataclass(frozen=True, slots=True)
class _Root:
    """What in a root tree speaks of licences, each by path; ``folder`` is the tree of REUSE's."""

    licenses: tuple[File, ...] = ()
    copyrights: tuple[File, ...] = ()
    notices: tuple[File, ...] = ()
    manifests: tuple[File, ...] = ()
    folder: str | None = None


def read_licensing(overlay: Overlay, commits: Iterable[str]) -> dict[str, Licensing]:
    """Return what the files say of the licence at each commit.

    Held is what is returned and one object for each different root. Raises `DataError` if git
    fails.
    """
    roots = _read_roots(overlay, list(dict.fromkeys(commits)))
    distinct = list(dict.fromkeys(roots.values()))
    told = _Told(overlay, distinct)
    licensing = {root: told.licensing(root) for root in distinct}
    return {commit: licensing[root] for commit, root in roots.items()}


def read_notices(overlay: Overlay, found: Iterable[Licensing]) -> tuple[Notice, ...]:
    """Return the texts of all their licence and notice files, each once, by path.

    What is no UTF-8 in them becomes U+FFFD; what is absent or larger than `MAX_BYTES` is left out.
    """
    files = sorted({file for licensing in found for file in licensing.files}, reverse=True)
    paths = {blob: path for path, blob in files}
    read = ((paths[blob], blob, content) for blob, content in read_small(overlay, paths, MAX_BYTES))
    notices = (Notice(path, blob, raw.decode(errors="replace")) for path, blob, raw in read)
    return tuple(sorted(notices, key=lambda notice: (notice.path, notice.blob)))


class _Told:
    """What the files and manifests of some roots say, read once each."""

    def __init__(self, overlay: Overlay, roots: Sequence[_Root]) -> None:
        self._folders = _read_folders(overlay, roots)
        blobs = {blob for root in roots for _, blob in (*root.licenses, *root.copyrights)}
        self._readings = {
            blob: read_text(content.decode(errors="replace"))
            for blob, content in read_small(overlay, sorted(blobs), MAX_BYTES)
        }
        self._declared: dict[File, str | None] = {}
        asked = {file for root in roots for file in self._asked(root)}
        blob_names: dict[str, set[str]] = {}
        for name, blob in asked:
            blob_names.setdefault(blob, set()).add(name)
        for blob, content in read_small(overlay, sorted(blob_names), MAX_BYTES):
            for name in blob_names[blob]:
                self._declared[name, blob] = declared_license(name, content)

    def licensing(self, root: _Root) -> Licensing:
        """Return what a root says of its licence."""
        shown = (*root.licenses, *root.copyrights, *root.notices, *self._folder(root))
        files = tuple(sorted(shown))
        readings = self._readings_of(root)
        if readings is None:
            return Licensing(None, files)
        expression = choose_license(readings, lambda: self._declarations(root))
        return Licensing(expression, files, any(said.has_own_terms for _, said in readings))

    def _readings_of(self, root: _Root) -> list[tuple[str, Reading]] | None:
        """Return what the files that count say; ``None`` if one of them could not be read."""
        if not root.licenses and self._folder(root):
            named = ((path, _reading_by_name(path)) for path, _ in self._folder(root))
            return [(path, reading) for path, reading in named if reading is not None]
        files = root.licenses or root.copyrights
        if not all(blob in self._readings for _, blob in files):
            return None
        return [(path, self._readings[blob]) for path, blob in files]

    def _folder(self, root: _Root) -> tuple[File, ...]:
        return self._folders.get(root.folder or "", ())

    def _asked(self, root: _Root) -> tuple[File, ...]:
        """Return the manifests that must be read to know a root's licence."""
        asked: list[File] = []

        def ask() -> frozenset[str]:
            asked.extend(root.manifests)
            return frozenset()

        choose_license(self._readings_of(root) or (), ask)
        return tuple(asked)

    def _declarations(self, root: _Root) -> frozenset[str]:
        return frozenset(filter(None, map(self._declared.get, root.manifests)))


def _read_roots(overlay: Overlay, commits: Sequence[str]) -> dict[str, _Root]:
    """Return the root of each commit; an empty one where it is absent. Equal ones are one."""
    same: dict[_Root, _Root] = {}
    roots: dict[str, _Root] = {}
    trees = read_objects(overlay, [f"{commit}^{{tree}}" for commit in commits])
    for commit, tree in zip(commits, trees, strict=True):
        root = _root_of(tree, len(commit))
        roots[commit] = same.setdefault(root, root)
    return roots


@lru_cache(maxsize=1 << 12)
def _role_of(raw: bytes) -> str | None:
    name = raw.decode(errors="replace")
    return "manifest" if name in MANIFESTS else role_of(name)


def _root_of(tree: bytes | None, digits: int) -> _Root:
    found: dict[str, list[File]] = {"license": [], "copyright": [], "notice": [], "manifest": []}
    folder = None
    for mode, raw, blob in _ENTRY[digits].findall(tree or b""):
        role = _role_of(raw) if mode in _FILES else None
        if role is not None:
            found[role].append((raw.decode(errors="replace"), blob.hex()))
        elif mode == _FOLDER and raw == LICENSES_FOLDER.encode():
            folder = blob.hex()
    licenses, copyrights, notices, manifests = map(tuple, found.values())
    return _Root(licenses, copyrights, notices, manifests, folder)


def _read_folders(overlay: Overlay, roots: Sequence[_Root]) -> dict[str, tuple[File, ...]]:
    """Return the files of REUSE's folders, by tree: those that are named after a licence."""
    names = sorted({root.folder for root in roots if root.folder})
    folders = {}
    for name, tree in zip(names, read_objects(overlay, names), strict=True):
        entries = _ENTRY[len(name)].findall(tree or b"")
        files = ((raw.decode(errors="replace"), blob.hex()) for _, raw, blob in entries)
        folders[name] = tuple(
            (f"{LICENSES_FOLDER}/{path}", blob) for path, blob in files if _reading_by_name(path)
        )
    return folders


def _reading_by_name(path: str) -> Reading | None:
    """Return what a file of REUSE's folder is by its name alone; ``None`` if it is none of them."""
    name, _, ending = path.rpartition("/")[2].rpartition(".")
    expression = canonical(name) if ending == "txt" else None
    return Reading((expression,)) if expression else None
