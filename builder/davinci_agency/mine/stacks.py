"""Which pull request stands on which: branches that hold another one's commits; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from davinci_agency.mine.history import NOWHERE, History
from davinci_agency.mine.pulls import Merged


def with_stacks(history: History, merged: Sequence[Merged]) -> list[Merged]:
    """Return the pull requests, each one with the earlier one that its branch is stacked on.

    Of a squash the earlier one's commits are taken away: they are the earlier one's work.
    """
    heads = {history.index[item.head]: item.number for item in merged if item.head}
    places = {number: place for place, number in heads.items()}
    return [_stacked(history, item, heads, places) for item in merged]


def _stacked(
    history: History, item: Merged, heads: dict[int, int], places: dict[int, int]
) -> Merged:
    below = [heads[p] for p in item.commits if p in heads and heads[p] < item.number]
    if not below:
        return item
    lower = max(below)
    earlier: set[int] = set()
    if item.style == "squash" and history.owner[places[lower]] == NOWHERE:
        earlier.update(history.aside(places[lower]))
    own = tuple(place for place in item.commits if place not in earlier)
    return replace(item, stacked_on=lower, commits=own or item.commits)
