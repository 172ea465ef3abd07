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
from davinci_agency.mine.verify import branch_of, without_copies
from davinci_agency.records import Gap

_LONGEST_RANGE = 50
"""Commits at most in a range that is inferred from its author."""

_NEIGHBOURS = 20
"""Numbers below its own whose heads a merged head is not older than, all of them."""

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
    # A branch of the repository itself may end in its own open pull request's head.
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
    if _is_older_than_its_number(history, number, head, heads):
        reason = f"the head of #{number} was set back to the older {sha}"
        yield Rejected(number, "older-than-its-number", reason)
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


def _is_older_than_its_number(
    history: History, number: int, head: int, heads: Mapping[int, int]
) -> bool:
    """Tell whether a head was committed before those of all the numbers just below its own."""
    before = [heads[n] for n in range(max(1, number - _NEIGHBOURS), number) if n in heads]
    times = [int(history.log.committed[place] or 0) for place in before]
    return int(history.log.committed[head] or 0) < min(times, default=0)


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
    is_pull = position in claims.positions
    taken: dict[int, int] = {}
    for number, head in found:
        sha = history.log.shas[head]
        nested = history.merge_of(head, position)
        if head in taken:
            yield Rejected(number, "same-head", f"#{taken[head]} has the same head {sha}")
        elif head == side and is_pull:
            # The merge's message names another number for this very head.
            yield Rejected(number, "same-head", f"{history.log.shas[place]} merges another's {sha}")
        elif head == side:
            last = history.log[head]
            trace = Trace(number, "pull-head", last.subject, last.body)
            yield _claim(claims, merged_branch(history, position, trace), [position])
        elif nested is not None:
            yield _claim(claims, _nested(history, number, head, nested, is_pull), [])
        elif is_pull:
            yield _claim(claims, _within(history, number, head), [])
        else:
            yield _claim(claims, _run_within(history, number, head, set(dict(found).values())), [])
        taken.setdefault(head, number)


def _nested(history: History, number: int, head: int, merge: int, is_pull: bool) -> Merged:
    """Return a pull request that was merged into a branch, which was merged in turn."""
    commit = history.log[merge]
    before = set(history.together(history.parents[merge][0]))
    own = [place for place in history.together(head) if place not in before]
    found = _part(history, number, head, own, is_pull)
    return replace(found, base=commit.parents[0], merge=commit.sha)


def _within(history: History, number: int, head: int) -> Merged:
    """Return a pull request whose branch another one's continues."""
    return _part(history, number, head, history.together(head), is_pull=True)


def _run_within(history: History, number: int, head: int, heads: set[int]) -> Merged:
    """Return the run of one author's commits that ends at a head within some branch."""
    own = [head]
    while len(own) < _LONGEST_RANGE:
        parents = history.parents[own[-1]]
        if (
            len(parents) != 1
            or history.owner[parents[0]] != history.owner[head]
            or parents[0] in heads
            or history.log.emails[parents[0]].lower() != history.log.emails[head].lower()
        ):
            break
        own.append(parents[0])
    found = _part(history, number, head, own[::-1], is_pull=False)
    gaps: tuple[Gap, ...] = ("range-inferred",) if len(own) > 1 else ()
    return replace(found, style="fast-forward", gaps=gaps)


def _part(history: History, number: int, head: int, own: Sequence[int], is_pull: bool) -> Merged:
    """Return the pull request that some commits within a merge are."""
    commits = [place for place in own if len(history.parents[place]) < 2] or list(own)
    base = history.merge_base(own)
    oldest, newest, last = (history.log[place] for place in (own[0], commits[-1], head))
    start = history.log.shas[base] if base is not None else (*oldest.parents, oldest.sha)[0]
    return Merged(
        number=number,
        style="merge",
        found_by="pull-head",
        into="pull-request" if is_pull else "other-branch",
        position=history.owner[head],
        base=start,
        merge=last.sha,
        head=last.sha,
        merge_base=start,
        title=newest.subject,
        body=newest.body if len(commits) == 1 else b"",
        commits=tuple(commits),
        spread=(),
    )


def _rebased(
    history: History, waiting: Mapping[int, int], positions: Mapping[int, int], claims: Claims
) -> Iterator[Merged]:
    """Yield the pull requests of which every commit has a twin on the default branch."""
    twins = _twins(history)
    # Of two pull requests with the same commits the later one took the earlier one's place.
    for number, head in sorted(waiting.items(), reverse=True):
        if history.owner[head] != NOWHERE or _is_nobodys_twin(history, head, number, twins):
            continue
        branch, base, is_whole = branch_of(history, head)
        own = without_copies(history, branch, number)
        found = _twins_of(history, own, twins) if is_whole else []
        spots = sorted(positions[twin] for twin in found)
        if (
            not spots
            or spots != list(range(spots[0], spots[0] + len(spots)))
            or claims.positions.intersection(spots)
            or history.branch[spots[0]] != 0
            or spots[0] == 0
        ):
            continue
        merged = _range(history, number, spots[0], spots[-1], history.log.shas[head])
        same_words = {key_of(history, place) for place in own} == {
            key_of(history, history.mainline[spot]) for spot in spots
        }
        merged = replace(
            merged,
            style="rebase",
            found_by="rebased-head",
            merge_base=merged.merge_base if base is None else history.log.shas[base],
            # What was reworded may have been changed too.
            gaps=() if same_words else ("head-differs",),
        )
        yield _claim(claims, merged, spots)


def key_of(history: History, place: int) -> Key:
    """Return what a copy of a commit has in common with it."""
    log = history.log
    return (log.emails[place].lower(), log.authored[place], subject_of(log.messages[place]))


Twins = Mapping[tuple[bytes, bytes], list[int]]


def _twins(history: History) -> Twins:
    """Return the first-parent chains' commits by their authors and times, which a copy keeps."""
    log = history.log
    found: dict[tuple[bytes, bytes], list[int]] = defaultdict(list)
    for place in history.mainline:
        if len(history.parents[place]) == 1:
            found[log.emails[place].lower(), log.authored[place]].append(place)
    return found


def _is_nobodys_twin(history: History, head: int, number: int, twins: Twins) -> bool:
    """Tell quickly that a branch was not rebased: its last commit is its own and has no twin."""
    is_own = len(history.parents[head]) < 2 and bool(without_copies(history, [head], number))
    return is_own and _twin_of(history, head, twins) is None


def _twins_of(history: History, places: Sequence[int], twins: Twins) -> list[int]:
    """Return what some commits became; empty if one of them became nothing."""
    found = []
    for place in places:
        twin = _twin_of(history, place, twins)
        if twin is None:
            return []
        found.append(twin)
    return found


def _twin_of(history: History, place: int, twins: Twins) -> int | None:
    """Return the commit that a commit became: the one with its subject, or the only one."""
    log = history.log
    candidates = twins.get((log.emails[place].lower(), log.authored[place]))
    if candidates is None:
        return None
    subject = subject_of(log.messages[place])
    same = [twin for twin in candidates if subject_of(log.messages[twin]) == subject]
    chosen = same or candidates
    return chosen[0] if len(chosen) == 1 else None
