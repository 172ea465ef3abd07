"""Pull requests that no message names, found by where their heads are in the graph; pure.

A head that a branch holds was merged, by whatever means: as the side of a merge without a number,
by moving the branch forward, or within another pull request. A head that no branch holds may have
been rebased: then each of its commits has a twin on the branch, of the same author, at the same
second, with the same subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from davinci_agency.mine.history import NOWHERE, History, subject_of
from davinci_agency.mine.pulls import Claims, Merged, Rejected, into, merged_branch
from davinci_agency.mine.traces import Trace
from davinci_agency.mine.verify import LONGEST_BRANCH, branch_of
from davinci_agency.records import Gap

_LONGEST_RANGE = 50
"""Commits at most in a range that is inferred from its author."""

Key = tuple[bytes, bytes, bytes]
"""What a rebase keeps of a commit: its author's address, its time, its subject."""


def find_by_heads(
    history: History, heads: Mapping[int, int], claims: Claims
) -> Iterator[Merged | Rejected]:
    """Yield the pull requests whose heads the branches hold, as they are or rebased."""
    positions = {place: position for position, place in enumerate(history.mainline)}
    waiting = {n: place for n, place in sorted(heads.items()) if n not in claims.numbers}
    inside: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, head in waiting.items():
        if history.owner[head] == NOWHERE:
            continue
        if head in positions:
            yield from _on_the_chain(history, number, head, positions[head], heads, claims)
        else:
            inside[history.owner[head]].append((number, head))
    for position, found in sorted(inside.items()):
        yield from _in_a_merge(history, position, found, claims)
    yield from _rebased(history, waiting, positions, claims)


def _claim(claims: Claims, found: Merged, positions: Sequence[int]) -> Merged:
    claims.numbers[found.number] = found.merge
    claims.positions.update(positions)
    return found


def _on_the_chain(
    history: History,
    number: int,
    head: int,
    position: int,
    heads: Mapping[int, int],
    claims: Claims,
) -> Iterator[Merged | Rejected]:
    """Yield a pull request to whose head the default branch was moved forward."""
    # A branch of the repository itself ends in its own open pull request's head.
    is_side = history.branch[position] != 0 or len(history.parents[head]) > 1
    if is_side or position == 0:
        return
    sha = history.log.shas[head]
    if position in claims.positions:
        owner = next((n for n, commit in claims.numbers.items() if commit == sha), None)
        # A head that was set back to some commit of the branch is no work at all.
        if owner is not None and heads.get(owner) == head:
            yield Rejected(number, "same-head", f"#{owner} has the same head {sha}")
        return
    stops = claims.positions
    others = {place for other, place in heads.items() if other != number}
    first = position
    while position - first + 1 < min(_LONGEST_RANGE, position):
        before = history.mainline[first - 1]
        if (
            first - 1 in stops
            or before in others
            or len(history.parents[before]) != 1
            or history.log.emails[before].lower() != history.log.emails[head].lower()
        ):
            break
        first -= 1
    gaps: tuple[Gap, ...] = ("range-inferred",) if first < position else ()
    found = _range(history, number, first, position, sha)
    yield _claim(claims, replace(found, gaps=gaps), range(first, position + 1))


def _range(history: History, number: int, first: int, last: int, head: str) -> Merged:
    """Return the pull request that the commits between two positions are."""
    places = tuple(history.mainline[first : last + 1])
    commits = [history.log[place] for place in places]
    base = commits[0].parents[0]
    return Merged(
        number=number,
        style="fast-forward",
        found_by="pull-head",
        into=into(history, last),
        position=last,
        base=base,
        merge=commits[-1].sha,
        head=head,
        merge_base=base,
        title=commits[0].subject,
        body=b"\n\n".join(filter(None, [commits[0].body, *(c.message for c in commits[1:])])),
        commits=places,
        spread=places,
    )


def _in_a_merge(
    history: History, position: int, found: Sequence[tuple[int, int]], claims: Claims
) -> Iterator[Merged | Rejected]:
    """Yield the pull requests whose heads one merge brought in."""
    place = history.mainline[position]
    side = history.parents[place][1] if len(history.parents[place]) > 1 else None
    is_claimed = position in claims.positions
    taken: dict[int, int] = {}
    for number, head in found:
        sha = history.log.shas[head]
        if head in taken:
            yield Rejected(number, "same-head", f"#{taken[head]} has the same head {sha}")
            continue
        taken[head] = number
        if not is_claimed and (head == side or len(found) == 1):
            last = history.log[head]
            trace = Trace(number, "pull-head", last.subject, last.body)
            merged = merged_branch(history, position, trace)
            gaps: tuple[Gap, ...] = () if head == side else ("head-differs",)
            yield _claim(claims, replace(merged, head=sha, gaps=gaps), [position])
            is_claimed = True
        elif head != side:
            yield _claim(claims, _within(history, number, head), [])
        else:
            # The merge's message names another number for this very head.
            yield Rejected(number, "same-head", f"{history.log.shas[place]} merges another's {sha}")


def _within(history: History, number: int, head: int) -> Merged:
    """Return a pull request that came in as a part of another one's branch."""
    position = history.owner[head]
    own: list[int] = []
    seen: set[int] = set()
    waiting = [head]
    while waiting:
        place = waiting.pop()
        if history.owner[place] == position and place not in seen:
            seen.add(place)
            own.append(place)
            waiting += history.parents[place]
    own.sort(key=history.rank.__getitem__)
    commits = [place for place in own if len(history.parents[place]) < 2] or own
    base = history.merge_base(own)
    first, last = history.log[own[0]], history.log[head]
    start = history.log.shas[base] if base is not None else (first.parents or (first.sha,))[0]
    return Merged(
        number=number,
        style="merge",
        found_by="pull-head",
        into="pull-request",
        position=position,
        base=start,
        merge=last.sha,
        head=last.sha,
        merge_base=start,
        title=history.log[commits[-1]].subject,
        body=history.log[commits[-1]].body if len(commits) == 1 else b"",
        commits=tuple(commits),
        spread=(),
    )


def _rebased(
    history: History, waiting: Mapping[int, int], positions: Mapping[int, int], claims: Claims
) -> Iterator[Merged]:
    """Yield the pull requests of which every commit has a twin on the default branch."""
    branches = {
        number: own
        for number, head in waiting.items()
        if history.owner[head] == NOWHERE and (own := _short(branch_of(history, head, number)[0]))
    }
    twins = _twins(history, {place for own in branches.values() for place in own})
    # Of two pull requests with the same commits the later one took the earlier one's place.
    for number, own in sorted(branches.items(), reverse=True):
        found = [twins.get(key_of(history, place)) for place in own]
        spots = sorted(positions[twin] for twin in found if twin is not None and twin in positions)
        if (
            len(spots) < len(own)
            or spots != list(range(spots[0], spots[0] + len(spots)))
            or claims.positions.intersection(spots)
            or history.branch[spots[0]] != 0
            or spots[0] == 0
        ):
            continue
        head = history.log.shas[waiting[number]]
        base = branch_of(history, waiting[number], number)[1]
        merged = _range(history, number, spots[0], spots[-1], head)
        fork = merged.merge_base if base is None else history.log.shas[base]
        merged = replace(merged, style="rebase", found_by="rebased-head", merge_base=fork)
        yield _claim(claims, merged, spots)


def _short(own: list[int]) -> list[int]:
    return own if len(own) < LONGEST_BRANCH else []


def key_of(history: History, place: int) -> Key:
    """Return what a copy of a commit has in common with it."""
    log = history.log
    return (log.emails[place].lower(), log.authored[place], subject_of(log.messages[place]))


def _twins(history: History, places: set[int]) -> dict[Key, int]:
    """Return the commits of the first-parent chains that have the key of one of the places."""
    times = {history.log.authored[place] for place in places}
    return {
        key_of(history, place): place
        for place in history.mainline
        if history.log.authored[place] in times and len(history.parents[place]) == 1
    }
