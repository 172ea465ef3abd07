"""Which commits of the branches are merged pull requests, and what says so; pure.

Messages are read first, in the order of the commits, and each claim is held against the pull
request's head (`davinci_agency.mine.verify`), so that an issue's number or an imported history's
does not pass for a pull request. Heads that no message explains are then looked for in the graph
(`davinci_agency.mine.heads`): merges without a number, fast-forwards, rebases, stacks. What GitHub
itself says of a merge, where it was asked, comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from davinci_agency.mine.heads import find_by_heads
from davinci_agency.mine.history import History
from davinci_agency.mine.pulls import Claims, Merged, Rejected, merged_at, merged_branch
from davinci_agency.mine.traces import Trace, read_trace
from davinci_agency.mine.verify import verify


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a repository's pull requests beside the messages of its commits.

    Attributes:
        repo: owner/name, lower case.
        heads: the place in the history of every pull request's head, by number.
        newest: the highest number that there is a head of; 0 without any.
        newest_at: when that head was committed, in seconds since 1970.
        merges: the commit that GitHub says merged a pull request, by number.
    """

    repo: str
    heads: Mapping[int, int]
    newest: int
    newest_at: int
    merges: Mapping[int, str]


def find_merged(history: History, known: Known) -> Iterator[Merged | Rejected]:
    """Yield every merged pull request once, and each look-alike with the reason."""
    claims = Claims()
    yield from _by_messages(history, known, claims)
    yield from find_by_heads(history, known.heads, claims)
    yield from _by_github(history, known, claims)


def _by_messages(history: History, known: Known, claims: Claims) -> Iterator[Merged | Rejected]:
    pending: Merged | None = None
    for position in range(len(history.mainline)):
        trace = read_trace(history.log.messages[history.mainline[position]])
        if pending is not None:
            longer = _continued(history, pending, position, trace)
            if longer is not None:
                pending = longer
                continue
            yield from _settled(history, known, claims, pending)
            pending = None
        if trace is None:
            continue
        found = _claimed(history, position, trace, known.repo)
        if isinstance(found, Merged) and trace.found_by == "trailer":
            pending = found
        elif isinstance(found, Merged):
            yield from _settled(history, known, claims, found)
        else:
            if trace.others:
                # No head may claim the whole batch as its own work.
                claims.positions.add(position)
                claims.numbers.update((item.number, item.rule) for item in found)
            yield from found
    if pending is not None:
        yield from _settled(history, known, claims, pending)


def _claimed(history: History, position: int, trace: Trace, repo: str) -> Merged | list[Rejected]:
    """Return the pull request that a message claims, unverified, or why it is none of ours."""
    commit = history.at(position)
    if trace.repo not in (None, repo):
        reason = f"{commit.sha} merges a pull request of {trace.repo}"
        return [Rejected(trace.number, "other-repository", reason)]
    if trace.others:
        numbers = (trace.number, *trace.others)
        reason = f"{commit.sha} merges {len(numbers)} pull requests at once"
        return [Rejected(number, "merged-in-a-batch", reason) for number in numbers]
    if not commit.parents:
        reason = f"{commit.sha} is the first commit of the history"
        return [Rejected(trace.number, "nothing-before", reason)]
    if commit.is_merge:
        return merged_branch(history, position, trace)
    return merged_at(history, position, trace)


def _continued(
    history: History, found: Merged, position: int, trace: Trace | None
) -> Merged | None:
    """Return a pull request of several commits on the branch with the next one, if it is its."""
    if (
        trace is None
        or (trace.number, trace.found_by) != (found.number, "trailer")
        or history.branch[position] != history.branch[position - 1]
        or len(history.at(position).parents) != 1
    ):
        return None
    place = history.mainline[position]
    return replace(
        found,
        style="rebase",
        position=position,
        merge=history.log.shas[place],
        commits=(*found.commits, place),
    )


def _settled(
    history: History, known: Known, claims: Claims, found: Merged
) -> Iterator[Merged | Rejected]:
    """Yield a claim after it was held against the head and the earlier claims."""
    # Whatever the number is, the commit is explained: no head may claim it in silence.
    claims.positions.update(range(found.position - len(found.spread) + 1, found.position + 1))
    if found.number in claims.numbers:
        # On another branch it is the same work once more, no second pull request.
        if found.into == "default-branch":
            first = claims.numbers[found.number]
            reason = f"{found.merge} bears a number that {first} had before"
            yield Rejected(found.number, "number-seen-before", reason)
        return
    head = known.heads.get(found.number)
    checked = verify(
        history, found, head, known.newest, known.newest_at, known.merges.get(found.number)
    )
    if isinstance(checked, Merged):
        claims.numbers[found.number] = found.merge
    yield checked


def _by_github(history: History, known: Known, claims: Claims) -> Iterator[Merged]:
    """Yield pull requests that only GitHub knows to be merged, where it says."""
    positions = {place: position for position, place in enumerate(history.mainline)}
    for number, sha in sorted(known.merges.items()):
        place = history.index.get(sha)
        position = None if place is None else positions.get(place)
        if number in claims.numbers or position is None or position in claims.positions:
            continue
        commit = history.at(position)
        if not commit.parents:
            continue
        trace = Trace(number, "github", commit.subject, commit.body)
        make = merged_branch if commit.is_merge else merged_at
        found = make(history, position, trace)
        head = known.heads.get(number)
        claims.numbers[number] = found.merge
        claims.positions.add(position)
        yield replace(
            found,
            head=found.head if head is None else history.log.shas[head],
            gaps=("head-missing",) if head is None else (),
        )
