"""The commits behind a branch, as a graph in memory; pure, made from what ``git log`` prints.

A commit's *position* on the mainline counts from the oldest commit of the first-parent chain; its
*owner* is the position of the mainline commit that first brought it in. With owners, a merge's own
commits and its merge base are found without asking git again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

LOG_FORMAT = "%H%x00%P%x00%at%x00%ct%x00%ae%x00%an%x00%B"
"""The format to give ``git log -z``: every commit becomes seven fields, each ended by NUL."""

_FIELDS = LOG_FORMAT.count("%x00") + 1


@dataclass(frozen=True, slots=True)
class LogCommit:
    """One commit as git logs it. Times are seconds since 1970; text is bytes, as it was written."""

    sha: str
    parents: tuple[str, ...]
    authored: int
    committed: int
    email: bytes
    name: bytes
    message: bytes

    @property
    def subject(self) -> bytes:
        """The first line of the message."""
        return self.message.lstrip().partition(b"\n")[0].strip()

    @property
    def body(self) -> bytes:
        """The message after its first line."""
        return self.message.lstrip().partition(b"\n")[2].strip()

    @property
    def is_merge(self) -> bool:
        """Whether it joins two histories."""
        return len(self.parents) > 1


def parse_log(blocks: Iterable[bytes]) -> Iterator[LogCommit]:
    """Yield the commits that ``git log -z --format=LOG_FORMAT`` printed, cut anywhere."""
    fields: list[bytes] = []
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\0")
        fields += whole
        complete = len(fields) - len(fields) % _FIELDS
        for start in range(0, complete, _FIELDS):
            yield _commit(fields[start : start + _FIELDS])
        del fields[:complete]
    if rest:
        fields.append(rest)
    if len(fields) == _FIELDS:
        yield _commit(fields)
    elif fields:
        raise ValueError(f"git log ended in the middle of a commit ({len(fields)} fields)")


def _commit(fields: list[bytes]) -> LogCommit:
    sha, parents, authored, committed, email, name, message = fields
    return LogCommit(
        sha.decode(),
        tuple(parents.decode().split()),
        int(authored or 0),
        int(committed or 0),
        email,
        name,
        message,
    )


class History:
    """The commits that a branch reaches.

    Attributes:
        commits: every commit, children after their parents.
        index: the place of each commit in ``commits``.
        mainline: the first-parent chain, oldest first, as places in ``commits``.
    """

    def __init__(self, newest_first: Iterable[LogCommit]) -> None:
        """Take the commits in the order of ``git log --topo-order``, the branch's tip first."""
        self.commits = list(newest_first)[::-1]
        self.index = {commit.sha: place for place, commit in enumerate(self.commits)}
        self.mainline = self._first_parents()
        self._owner = self._owners()

    def _first_parents(self) -> list[int]:
        chain: list[int] = []
        place: int | None = len(self.commits) - 1 if self.commits else None
        while place is not None:
            chain.append(place)
            parents = self.commits[place].parents
            # A shallow clone's oldest commit names parents that are not there.
            place = self.index.get(parents[0]) if parents else None
        return chain[::-1]

    def _owners(self) -> list[int]:
        owner = [-1] * len(self.commits)
        for position, tip in enumerate(self.mainline):
            waiting = [tip]
            while waiting:
                place = waiting.pop()
                if owner[place] < 0:
                    owner[place] = position
                    waiting += self._parents(place)
        return owner

    def _parents(self, place: int) -> list[int]:
        return [
            self.index[parent] for parent in self.commits[place].parents if parent in self.index
        ]

    def at(self, position: int) -> LogCommit:
        """Return the mainline's commit at a position."""
        return self.commits[self.mainline[position]]

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of every commit of the mainline."""
        return {self.commits[place].sha: pos for pos, place in enumerate(self.mainline)}

    @cached_property
    def _brought_in(self) -> dict[int, list[int]]:
        places: dict[int, list[int]] = defaultdict(list)
        for place, position in enumerate(self._owner):
            if place != self.mainline[position]:
                places[position].append(place)
        return places

    def brought_in(self, position: int) -> list[LogCommit]:
        """Return the commits that the merge at a position brought in, oldest first."""
        return [self.commits[place] for place in self._brought_in.get(position, ())]

    def merge_base(self, position: int) -> str | None:
        """Return the best common ancestor of the two sides of the merge at a position.

        Of several (a criss-cross) the one that git lists last; ``None`` if the sides share none.
        """
        own = set(self._brought_in.get(position, ()))
        side = self._parents(self.mainline[position])[1:]
        seen = own | set(side)
        # Whatever a brought-in commit descends from, and is not brought in, the other side has.
        shared = {parent for place in own for parent in self._parents(place)} | seen
        shared -= own
        # The highest place can be no ancestor of the others: children come after parents.
        return self.commits[max(shared)].sha if shared else None
