"""Which split each pull request and task belongs to.

Whatever could tell a model the answers of another split is in one component with it: the pull
requests of a task, those that close one issue, near-duplicates, and if asked for all of a
repository. A component's split is drawn by the hash of its oldest pull request, so it depends on
nothing else in the dataset. What was published keeps its split, whatever is added: a new record
that ties two splits together is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from davinci_agency.curate.mapped import mapped
from davinci_agency.curate.register import Register, Struck, moment
from davinci_agency.records import Split

_SPLITS: tuple[Split | None, ...] = (None, "train", "validation", "test")


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """How to split.

    Attributes:
        validation, test: the shares of the components that go there, from 0 to 1.
        by_repository: whether a repository is never divided.
        held_out: repositories, ``owner/name`` in lower case, that are for testing only.
        held_out_since: components whose oldest pull request is as young as this are for testing.
    """

    validation: float = 0.0
    test: float = 0.0
    by_repository: bool = False
    held_out: frozenset[str] = frozenset()
    held_out_since: date | None = None

    @property
    def is_asked_for(self) -> bool:
        """Tell whether there is anything but a training split."""
        return bool(self.validation or self.test or self.held_out or self.held_out_since)


def assign_splits(register: Register, options: SplitOptions) -> Iterator[Struck]:
    """Place the pull requests and tasks that stay; yield those that would join two splits.

    They are tied one by one, published ones first, then by age, so that where two splits would be
    joined it is the newest that goes. What was published the register knows.
    """
    _name_nodes(register, options)
    forest = _Forest(1 + register.count("node"), register.folder)
    register.change("DELETE FROM joining")
    register.insert("joining", ((own,) for own in _tie(register, forest)))
    _place(register, forest, options)
    reason = "it ties records together that were published in different splits"
    return (
        Struck(own, "joins-splits", reason) for (own,) in register.rows("SELECT id FROM joining")
    )


def _name_nodes(register: Register, options: SplitOptions) -> None:
    """Number records in the order in which they are tied, and the names that they are tied to."""
    register.rank(
        "SELECT id, published.split IS NULL AS is_new, merged_at, record, key FROM staying"
        " LEFT JOIN published USING (key) WHERE task IS NULL",
        by="is_new, merged_at, record, key",
    )
    register.change("DELETE FROM edge")
    register.change("INSERT INTO edge SELECT ranked.place, key FROM ranked JOIN record USING (id)")
    register.change("INSERT INTO edge SELECT ranked.place, name FROM ranked JOIN tie USING (id)")
    register.change("INSERT INTO edge SELECT place, pull FROM ranked JOIN member USING (id)")
    if options.by_repository:
        repo = "SELECT ranked.place, 'repo:' || repo FROM ranked JOIN record USING (id)"
        register.change(f"INSERT INTO edge {repo}")
    register.change("DELETE FROM node")
    register.change("INSERT OR IGNORE INTO node (name) SELECT name FROM edge")


class _Forest:
    """Sets of nodes that grow together (union-find with halved paths), some with a split.

    It lies in a folder, 9 bytes a node.
    """

    def __init__(self, nodes: int, folder: Path) -> None:
        self._parent = mapped(nodes, np.int64, folder)
        self._parent[:] = np.arange(nodes)
        self._split = mapped(nodes, np.uint8, folder)

    def find(self, node: int) -> int:
        """Return the representative of a node's set."""
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = int(parent[node])
        return node

    def join(self, roots: Iterable[int], split: Split | None) -> None:
        """Make one set of several, given their representatives, with a split if it has one."""
        first, *others = sorted(set(roots))
        self._parent[others] = first
        self._split[first] = 0 if split is None else _SPLITS.index(split)

    def split(self, root: int) -> Split | None:
        """Return the split of a set, given its representative."""
        return _SPLITS[int(self._split[root])]


def _tie(register: Register, forest: _Forest) -> Iterator[int]:
    """Tie records together in their order; yield those that would join two splits."""
    rows = register.rows(
        "SELECT id, published.split, number FROM edge JOIN ranked USING (place)"
        " JOIN record USING (id) LEFT JOIN published USING (key) JOIN node USING (name)"
        " ORDER BY edge.place"
    )
    for (member, own), edges in groupby(rows, key=itemgetter(0, 1)):
        roots = {forest.find(number) for *_, number in edges}
        if own is not None:
            # What was published stays, even where a tie to another split is only known now.
            roots = {root for root in roots if forest.split(root) in (None, own)}
        found = {forest.split(root) for root in roots} - {None}
        if len(found) > 1:
            yield member
        elif roots:
            forest.join(roots, own or next(iter(found), None))


def _place(register: Register, forest: _Forest, options: SplitOptions) -> None:
    """Give each set its split and its group, and each of its members."""
    for table in ("settled", "component", "placing"):
        register.change(f"DELETE FROM {table}")
    nodes = register.rows(
        "SELECT id, node.number FROM ranked JOIN record USING (id) JOIN node ON name = key"
        " WHERE id NOT IN (SELECT id FROM joining)"
    )
    register.insert("settled", ((member, forest.find(number)) for member, number in nodes))
    members = register.rows(
        "SELECT root, key, repo, merged_at FROM settled JOIN record USING (id)"
        " ORDER BY root, merged_at, record, key"
    )
    components = groupby(members, key=itemgetter(0))
    register.insert(
        "component",
        (_component(root, forest.split(root), of_root, options) for root, of_root in components),
    )
    register.change(
        "INSERT INTO placing SELECT id, coalesce(published.split, component.split),"
        " component.split_group FROM settled JOIN component USING (root) JOIN record USING (id)"
        " LEFT JOIN published USING (key)"
    )


def _component(
    root: int, split: Split | None, members: Iterator[Sequence[Any]], options: SplitOptions
) -> tuple[int, Split, str]:
    """Return a set, its split, which is drawn if nobody has seen it yet, and its group."""
    _, key, repo, merged_at = next(members)
    group = repo if options.by_repository else key
    if split is None:
        is_held_out = repo.lower() in options.held_out or any(
            other.lower() in options.held_out for _, _, other, _ in members
        )
        since = options.held_out_since
        if is_held_out or (since is not None and moment(merged_at).date() >= since):
            split = "test"
        else:
            split = _drawn(group, options)
    return root, split, group


def _drawn(name: str, options: SplitOptions) -> Split:
    place = int.from_bytes(hashlib.sha256(f"split\0{name}".encode()).digest()[:8]) / 2**64
    if place < options.test:
        return "test"
    return "validation" if place < options.test + options.validation else "train"
