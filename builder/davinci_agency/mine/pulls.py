"""A merged pull request as the graph shows it, and how one is read from a position; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from davinci_agency.mine.history import History, body_of, subject_of
from davinci_agency.mine.traces import Trace
from davinci_agency.records import FoundBy, Gap, MergedInto, MergeStyle


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged pull request as the history shows it.

    Attributes:
        number: its number.
        style: how it was merged.
        found_by: what said so.
        into: what it was merged into.
        position: the position of the commit that brought in its work.
        base: the commit that its patch starts from.
        merge: the commit that its patch leads to.
        head: the last commit of its own branch, if known.
        merge_base: where its branch left the mainline, if known.
        title: its title, undecoded.
        body: what else its message says, undecoded.
        commits: the places of its own commits, oldest first.
        spread: the places of the commits that it has on the branch's first-parent chain.
        stacked_on: an earlier pull request whose commits its branch holds too.
        gaps: what could not be had or verified.
    """

    number: int
    style: MergeStyle
    found_by: FoundBy
    into: MergedInto
    position: int
    base: str
    merge: str
    head: str | None
    merge_base: str | None
    title: bytes
    body: bytes
    commits: tuple[int, ...]
    spread: tuple[int, ...]
    stacked_on: int | None = None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A commit or head that looks like a merged pull request and is not taken for one."""

    number: int
    rule: str
    reason: str


@dataclass(slots=True)
class Claims:
    """What is taken already: numbers with their commits, and positions."""

    numbers: dict[int, str] = field(default_factory=dict)
    positions: set[int] = field(default_factory=set)


def merged_branch(history: History, position: int, trace: Trace) -> Merged:
    """Return the pull request that the merge commit at a position brought in."""
    log, place = history.log, history.mainline[position]
    sides = history.parents[place][1:]
    own = history.places(position)
    commits = [p for p in own if len(history.parents[p]) < 2] or own or [place]
    base = history.merge_base(own, sides)
    parents = log.parents[place].decode().split()
    title, body = trace.title, trace.body
    if not title or not body:
        last = log.messages[commits[-1]]
        title = title or subject_of(last)
        # Of a single commit GitHub makes title and description, unless its author writes others.
        body = body or (body_of(last) if len(commits) == 1 and commits[0] != place else b"")
    return Merged(
        number=trace.number,
        style="merge",
        found_by=trace.found_by,
        into=into(history, position),
        position=position,
        base=parents[0],
        merge=log.shas[place],
        head=parents[1],
        merge_base=None if base is None else log.shas[base],
        title=title,
        body=body,
        commits=tuple(commits),
        spread=(place,),
    )


def merged_at(history: History, position: int, trace: Trace) -> Merged:
    """Return the pull request that the commit of one parent at a position holds as a whole."""
    place = history.mainline[position]
    commit = history.log[place]
    return Merged(
        number=trace.number,
        style="squash",
        found_by=trace.found_by,
        into=into(history, position),
        position=position,
        base=commit.parents[0],
        merge=commit.sha,
        head=None,
        merge_base=commit.parents[0],
        title=trace.title or commit.subject,
        body=trace.body,
        commits=(place,),
        spread=(place,),
    )


def into(history: History, position: int) -> MergedInto:
    """Return what a commit at a position is merged into."""
    return "other-branch" if history.branch[position] else "default-branch"


def author_of(history: History, item: Merged) -> int:
    """Return the place of a commit of the pull request's author.

    A squash is its author's. Otherwise it is whoever wrote most of the commits; of several the
    first.
    """
    if item.style == "squash":
        return item.spread[0]
    emails = [history.log.emails[place].lower() for place in item.commits]
    count = Counter(emails)
    most = max(count.values())
    return next(p for p, email in zip(item.commits, emails, strict=True) if count[email] == most)
