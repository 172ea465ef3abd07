"""Trees that are one commit's but for some paths, which are as in another: named, never written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import new
from itertools import islice

from davinci_agency.repository.objects import read_objects
from davinci_agency.repository.overlay import Overlay

_BATCH = 200
"""Grafts at once: some megabytes of trees."""
_FOLDER = b"40000"
_HASHES = {20: "sha1", 32: "sha256"}
_ENTRIES = {size: re.compile(rb"(\d+) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in _HASHES}

Entries = Mapping[bytes, tuple[bytes, bytes]]
"""What a tree holds: each name's mode, and the name of its object in bytes."""
Parts = frozenset[tuple[bytes, ...]]
"""Paths, each in its parts."""


@dataclass(frozen=True, slots=True)
class Graft:
    """A tree, another one, and the paths that shall be as they are there, or absent."""

    tree: str
    other: str
    paths: Parts


def grafted(overlay: Overlay, grafts: Iterable[Graft]) -> Iterator[str | None]:
    """Yield the name of the tree that each graft gives; ``None`` if a tree is absent."""
    remaining = iter(grafts)
    while batch := list(islice(remaining, _BATCH)):
        held = _read_along(overlay, batch)
        for graft in batch:
            trees = bytes.fromhex(graft.tree), bytes.fromhex(graft.other)
            try:
                made = _grafted(held, *trees, graft.paths)
            except KeyError:
                yield None
            else:
                yield (made or _name(b"", len(trees[0]))).hex()


def _read_along(overlay: Overlay, grafts: Iterable[Graft]) -> dict[bytes, Entries]:
    """Return all trees that lie on the paths, folder by folder, those that are there."""
    held: dict[bytes, Entries] = {}
    level = {(bytes.fromhex(tree), it.paths) for it in grafts for tree in (it.tree, it.other)}
    while level:
        wanted = sorted({tree for tree, _ in level} - held.keys())
        contents = read_objects(overlay, (tree.hex() for tree in wanted))
        for tree, content in zip(wanted, contents, strict=True):
            if content is not None:
                found = _ENTRIES[len(tree)].findall(content)
                held[tree] = {name: (mode, blob) for mode, name, blob in found}
        level = {
            (below, rests)
            for tree, paths in level
            for name, rests in _by_folder(paths).items()
            if (below := _folder(held.get(tree, {}), name)) and () not in rests
        }
    return held


def _grafted(
    held: Mapping[bytes, Entries], tree: bytes | None, other: bytes | None, paths: Parts
) -> bytes | None:
    """Return the name of a tree in bytes, ``None`` for one that holds nothing.

    Raises `KeyError` if a tree is needed that is not held.
    """
    entries = {} if tree is None else dict(held[tree])
    source = {} if other is None else held[other]
    for name, rests in _by_folder(paths).items():
        if () in rests:
            made = source.get(name)
        else:
            below = _grafted(held, _folder(entries, name), _folder(source, name), rests)
            made = None if below is None else (_FOLDER, below)
        if made is None:
            entries.pop(name, None)
        else:
            entries[name] = made
    if not entries:
        return None
    # A folder's name is sorted as if a slash stood behind it.
    listed = sorted(entries.items(), key=lambda it: it[0] + b"/" * (it[1][0] == _FOLDER))
    content = b"".join(b"%b %b\0%b" % (mode, name, blob) for name, (mode, blob) in listed)
    return _name(content, len(listed[0][1][1]))


def _name(content: bytes, size: int) -> bytes:
    """Return the name of a tree, of so many bytes, by git's hash of that length."""
    return new(_HASHES[size], b"tree %d\0" % len(content) + content).digest()


def _folder(entries: Entries, name: bytes) -> bytes | None:
    mode, tree = entries.get(name, (b"", b""))
    return tree if mode == _FOLDER else None


def _by_folder(paths: Parts) -> dict[bytes, Parts]:
    """Return what of the paths lies behind each of their first parts."""
    found: defaultdict[bytes, set[tuple[bytes, ...]]] = defaultdict(set)
    for first, *rest in paths:
        found[first].add(tuple(rest))
    return {first: frozenset(rests) for first, rests in found.items()}
