"""Which pull request stands on which: branches that hold another one's commits; pure.

A branch that was begun on another one's holds that one's commits, as they are or in an older form,
and goes on holding them when that one is squashed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from davinci_agency.mine.heads import Key, key_of
from davinci_agency.mine.history import NOWHERE, History
from davinci_agency.mine.pulls import Merged


def with_stacks(history: History, merged: Sequence[Merged]) -> list[Merged]:
    """Return the pull requests, each one with the earlier one that its branch is stacked on.

    Of a squash the earlier one's commits are taken away: they are the earlier one's work.
    """
    holders: dict[Key, list[Merged]] = defaultdict(list)
    for item in merged:
        for place in item.commits:
            holders[key_of(history, place)].append(item)
    return [_stacked(history, item, holders) for item in merged]


def _stacked(history: History, item: Merged, holders: dict[Key, list[Merged]]) -> Merged:
    lower: Merged | None = None
    own = []
    for place in item.commits:
        earlier = _first_before(history, item, place, holders[key_of(history, place)])
        if earlier is None:
            own.append(place)
        lower = earlier or lower
    if lower is None or not own:
        # A branch without a commit of its own brings the same work once more: no stack.
        return item
    commits = tuple(own) if item.style == "squash" else item.commits
    return replace(item, stacked_on=lower.number, commits=commits)


def _first_before(
    history: History, item: Merged, place: int, holders: Sequence[Merged]
) -> Merged | None:
    """Return the first of a commit's holders to be merged, if that was before ``item``."""
    if len(holders) < 2:
        return None
    left = history.owner[history.index[item.merge_base]] if item.merge_base else NOWHERE
    earlier = (
        other
        for other in holders
        if (other.position, other.number) < (item.position, item.number)
        and history.branch[other.position] == history.branch[item.position]
        # A copy made of what the branch had before is work done again, as after a revert.
        and (other.position > left or place in other.commits)
    )
    return min(earlier, key=lambda other: (other.position, other.number), default=None)
