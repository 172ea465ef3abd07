"""The commits of a repository as a graph in memory; pure, made from what ``git log`` prints.

A commit's *position* counts the first-parent chain of the default branch from its oldest commit,
and goes on with what the other branches' chains add to it. Its *owner* is the position of the
commit that first brought it in; commits that no branch holds have none. With owners, a merge's own
commits and its merge base are found without asking git again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

LOG_FORMAT = "%H%x00%P%x00%at%x00%ct%x00%ae%x00%an%x00%B"
"""The format to give ``git log -z``: every commit becomes seven fields, each ended by NUL."""

_FIELDS = LOG_FORMAT.count("%x00") + 1
NOWHERE = -1
"""The owner of a commit that no branch holds."""


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
        return subject_of(self.message)

    @property
    def body(self) -> bytes:
        """The message after its first line."""
        return body_of(self.message)

    @property
    def is_merge(self) -> bool:
        """Whether it joins two histories."""
        return len(self.parents) > 1


def subject_of(message: bytes) -> bytes:
    """Return the first line of a message."""
    return message.lstrip().partition(b"\n")[0].strip()


def body_of(message: bytes) -> bytes:
    """Return a message after its first line."""
    return message.lstrip().partition(b"\n")[2].strip()


class Log:
    """Commits as ``git log -z --format=LOG_FORMAT`` printed them, one column a field.

    Of tens of thousands of commits most are only ever counted, so a commit becomes a `LogCommit`
    when somebody asks for it. Held in memory: all that git printed.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        fields = b"".join(blocks).split(b"\0")
        # Every field is ended by NUL, so the last one is empty.
        if fields.pop() or len(fields) % _FIELDS:
            raise ValueError(f"git log ended in the middle of a commit ({len(fields)} fields)")
        self.shas = list(map(bytes.decode, fields[0::_FIELDS]))
        self.parents = fields[1::_FIELDS]
        self.authored = fields[2::_FIELDS]
        self.committed = fields[3::_FIELDS]
        self.emails = fields[4::_FIELDS]
        self.names = fields[5::_FIELDS]
        self.messages = fields[6::_FIELDS]

    def __len__(self) -> int:
        return len(self.shas)

    def __getitem__(self, place: int) -> LogCommit:
        return LogCommit(
            self.shas[place],
            tuple(self.parents[place].decode().split()),
            int(self.authored[place] or 0),
            int(self.committed[place] or 0),
            self.emails[place],
            self.names[place],
            self.messages[place],
        )

    def __iter__(self) -> Iterator[LogCommit]:
        return (self[place] for place in range(len(self)))


class History:
    """The commits that a repository's branches and pull heads reach.

    Attributes:
        log: every commit, in any order.
        index: the place of each commit in ``log``.
        parents: the places of each commit's parents, as far as they are there.
        mainline: the place of the commit at each position.
        owner: the position that brought in each commit, or `NOWHERE`.
        branch: for each position, the place of its branch among the given ones; 0 is the default.
    """

    def __init__(self, log: Log, tips: Sequence[str]) -> None:
        """Take the commits, and the tips of the branches, the default one's first."""
        self.log = log
        self.index = {sha: place for place, sha in enumerate(log.shas)}
        places = {sha.encode(): place for sha, place in self.index.items()}
        # A shallow clone's oldest commits name parents that are not there.
        self.parents = [
            tuple(places[name] for name in names.split() if name in places) for names in log.parents
        ]
        self.mainline: list[int] = []
        self.branch: list[int] = []
        self.owner = [NOWHERE] * len(log)
        self._order: list[int] = []
        self._end: list[int] = []
        for number, tip in enumerate(tips):
            for place in self._new_chain(tip):
                self._own(place)
                self.branch.append(number)

    def _new_chain(self, tip: str) -> list[int]:
        """Return the first-parent chain of a tip down to what is owned already, oldest first."""
        chain: list[int] = []
        place = self.index.get(tip)
        while place is not None and self.owner[place] == NOWHERE:
            chain.append(place)
            parents = self.log.parents[place].split()
            place = self.index.get(parents[0].decode()) if parents else None
        return chain[::-1]

    def _own(self, tip: int) -> None:
        """Give a new position to a commit and to everything that it brings in.

        They are put in order after their parents, in a way that only the graph decides.
        """
        owner, parents, order = self.owner, self.parents, self._order
        position = len(self.mainline)
        waiting = [tip]
        while waiting:
            place = waiting.pop()
            if place < 0:
                order.append(~place)
            elif owner[place] == NOWHERE:
                owner[place] = position
                waiting.append(~place)
                waiting += parents[place]
        self.mainline.append(tip)
        self._end.append(len(order))

    def at(self, position: int) -> LogCommit:
        """Return the commit at a position."""
        return self.log[self.mainline[position]]

    def places(self, position: int) -> list[int]:
        """Return the places of the commits that the merge at a position brought in, oldest first.

        The commit at the position itself is not among them.
        """
        start = self._end[position - 1] if position else 0
        return self._order[start : self._end[position] - 1]

    def brought_in(self, position: int) -> list[LogCommit]:
        """Return the commits that the merge at a position brought in, oldest first."""
        return [self.log[place] for place in self.places(position)]

    @cached_property
    def rank(self) -> list[int]:
        """A number for each commit that a branch holds, larger than its ancestors'; else -1."""
        ranks = [NOWHERE] * len(self.log)
        for number, place in enumerate(self._order):
            ranks[place] = number
        return ranks

    def merge_base(self, own: Iterable[int], sides: Iterable[int] = ()) -> int | None:
        """Return the best common ancestor of some commits and the branch that lacks them.

        ``own`` are the places of all commits that one side has alone, ``sides`` those of its tips.
        Of several (a criss-cross) it is the one of highest rank; ``None`` if the sides share none.
        """
        alone = set(own)
        # Whatever an own commit descends from, and is not own, the other side has.
        shared = {parent for place in alone for parent in self.parents[place]} | set(sides)
        shared -= alone
        # The highest rank can be no ancestor of the others.
        return max(shared, key=self.rank.__getitem__, default=None)

    @cached_property
    def _merges(self) -> dict[int, int]:
        """The merge that each commit is the second parent of, of those that the branches hold."""
        return {
            parents[1]: place
            for place, parents in enumerate(self.parents)
            if len(parents) > 1 and self.owner[place] != NOWHERE
        }

    def merge_of(self, side: int, position: int) -> int | None:
        """Return the merge of a side among the commits that came in at a position."""
        place = self._merges.get(side)
        return place if place is not None and self.owner[place] == position else None

    def aside(self, tip: int) -> list[int]:
        """Return the places of a commit and its ancestors that no branch holds, oldest first."""
        return self._since(tip, NOWHERE)

    def together(self, tip: int) -> list[int]:
        """Return the places of a commit and its ancestors that came in with it, oldest first."""
        return self._since(tip, self.owner[tip])

    def _since(self, tip: int, owner: int) -> list[int]:
        order: list[int] = []
        seen: set[int] = set()
        waiting = [tip]
        while waiting:
            place = waiting.pop()
            if place < 0:
                order.append(~place)
            elif self.owner[place] == owner and place not in seen:
                seen.add(place)
                waiting.append(~place)
                waiting += self.parents[place]
        return order
