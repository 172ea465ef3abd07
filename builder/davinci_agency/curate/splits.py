"""Which split each pull request and task belongs to; pure.

Whatever could tell a model the answers of another split is in one component with it: the pull
requests of a task, those that close one issue, near-duplicates, and if asked for all of a
repository. A component's split is drawn by the hash of its oldest pull request, so it depends on
nothing else in the dataset. What was published keeps its split, whatever is added: a new record
that ties two splits together is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from davinci_agency.records import Split


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


@dataclass(frozen=True, slots=True)
class Member:
    """A record and what it is tied to.

    Attributes:
        key: the pull request, ``owner/name#number``, or the task's id.
        repo: its repository.
        merged_at: when it was merged; for a task, its last stage.
        ties: keys of pull requests and issues, and of records that are nearly the same.
        is_task: whether it is a task.
    """

    key: str
    repo: str
    merged_at: datetime
    ties: tuple[str, ...]
    is_task: bool = False


@dataclass(frozen=True, slots=True)
class Splits:
    """The split and the group of every member, and the keys of those that would join two splits."""

    split: Mapping[str, Split]
    group: Mapping[str, str]
    joining: frozenset[str]


@dataclass(slots=True)
class _Forest:
    """Sets that grow together (union-find with halved paths)."""

    parent: dict[str, str] = field(default_factory=dict)

    def find(self, key: str) -> str:
        """Return the representative of a key's set."""
        parent = self.parent
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(self, keys: Sequence[str]) -> str:
        """Make one set of several, and return its representative."""
        roots = sorted({self.find(key) for key in keys})
        for root in roots[1:]:
            self.parent[root] = roots[0]
        return roots[0]


def assign_splits(
    members: Iterable[Member], published: Mapping[str, Split], options: SplitOptions
) -> Splits:
    """Return the splits of some members; ``published`` holds those that were given out before.

    Members are added one by one, published ones first, then by age, so that where two splits would
    be joined it is the newest that goes.
    """
    forest = _Forest()
    fixed: dict[str, Split] = {}
    joining: set[str] = set()
    by_age = sorted(members, key=lambda member: (member.merged_at, member.is_task, member.key))
    for member in sorted(by_age, key=lambda member: member.key not in published):
        ties = _ties(member, options)
        own = published.get(member.key)
        if own is not None:
            # What was published stays, even where a tie to another split is only known now.
            ties = [tie for tie in ties if fixed.get(forest.find(tie), own) == own]
            if not ties:
                continue
        found = {fixed[root] for root in map(forest.find, ties) if root in fixed}
        if len(found) > 1:
            joining.add(member.key)
            continue
        root = forest.join(ties)
        if own is not None or found:
            fixed[root] = own or found.pop()
    components: dict[str, list[Member]] = {}
    for member in (member for member in by_age if member.key not in joining):
        components.setdefault(forest.find(member.key), []).append(member)
    split: dict[str, Split] = {}
    group: dict[str, str] = {}
    for root, component in components.items():
        oldest, chosen = component[0], fixed.get(root) or _drawn(component, options)
        for member in component:
            split[member.key] = published.get(member.key, chosen)
            group[member.key] = oldest.repo if options.by_repository else oldest.key
    return Splits(split, group, frozenset(joining))


def _ties(member: Member, options: SplitOptions) -> list[str]:
    return [member.key, *member.ties, *([f"repo:{member.repo}"] if options.by_repository else [])]


def _drawn(component: Sequence[Member], options: SplitOptions) -> Split:
    """Return the split of a component that nobody has seen yet."""
    oldest = component[0]
    if any(member.repo.lower() in options.held_out for member in component):
        return "test"
    since = options.held_out_since
    if since is not None and oldest.merged_at.date() >= since:
        return "test"
    name = oldest.repo if options.by_repository else oldest.key
    place = int.from_bytes(hashlib.sha256(f"split\0{name}".encode()).digest()[:8]) / 2**64
    if place < options.test:
        return "test"
    return "validation" if place < options.test + options.validation else "train"
