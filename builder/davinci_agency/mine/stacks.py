"""Which pull request stands on which: branches that hold another one's commits; pure.

A branch that was begun on another one's holds that one's commits, as they are or in an older form,
and goes on holding them when that one is squashed; one that was begun on a release branch holds
what was squashed there, and may be copied from there to the default branch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from davinci_agency.mine.heads import Key, key_of
from davinci_agency.mine.history import NOWHERE, History
from davinci_agency.mine.pulls import Merged
from davinci_agency.mine.verify import without_copies


def with_stacks(history: History, merged: Sequence[Merged]) -> list[Merged]:
    """Return the pull requests, each one with the earlier one that its branch is stacked on.

    Of a squash the earlier one's commits are taken away: they are the earlier one's work.
    """
    holders = _holders(history, merged)
    return [_stacked(history, item, holders) for item in merged]


def _holders(history: History, merged: Sequence[Merged]) -> dict[int, list[Merged]]:
    """Return the pull requests that hold a commit in any form, of the commits that several hold."""
    held = [(place, item) for item in merged for place in {*item.commits, *item.spread}]
    # Most times are of one commit alone, and a look at them is cheap.
    times = Counter(history.log.authored[place] for place, _ in held)
    by_key: dict[Key, list[Merged]] = defaultdict(list)
    keys = {}
    for place, item in held:
        if times[history.log.authored[place]] > 1:
            keys[place] = key_of(history, place)
            by_key[keys[place]].append(item)
    return {place: by_key[key] for place, key in keys.items() if len(by_key[key]) > 1}


def _stacked(history: History, item: Merged, holders: Mapping[int, list[Merged]]) -> Merged:
    others: dict[int, Merged] = {}
    for place in item.commits:
        earlier = _first_before(history, item, place, holders.get(place, ()))
        if earlier is not None:
            others[place] = earlier
    own = tuple(place for place in item.commits if place not in others)
    if not others or not own:
        # A branch without a commit of its own brings the same work once more: no stack.
        return item
    # A copy that bears a number is of the branch below, and no work that waited for a merge.
    uncopied = without_copies(history, list(others), item.number)
    return replace(
        item,
        stacked_on=others[uncopied[-1]].number if uncopied else None,
        commits=own if item.style == "squash" else item.commits,
    )


def _first_before(
    history: History, item: Merged, place: int, holders: Sequence[Merged]
) -> Merged | None:
    """Return the first of a commit's holders to be merged, if that was before ``item``."""
    if not holders:
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
