"""What merged pull requests are to one another by their commits: backports and reverts; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from davinci_agency.mine.heads import Key, key_of
from davinci_agency.mine.history import History, subject_of
from davinci_agency.mine.pulls import Merged
from davinci_agency.mine.traces import backported_number, picked_from, reverted


@dataclass(frozen=True, slots=True)
class Relations:
    """What a pull request brings to an older branch, and what it takes back."""

    backport_of: int | None = None
    reverts: tuple[int, ...] = ()


def find_relations(history: History, merged: Sequence[Merged]) -> dict[int, Relations]:
    """Return the relations of the pull requests that have any, by number."""
    numbers = {item.number for item in merged}
    owners = {place: item.number for item in merged for place in (*item.commits, *item.spread)}
    merges = {item.merge: item.number for item in merged}
    twins = _keys_on_default(history, merged)
    relations: dict[int, Relations] = {}
    for item in merged:
        found = Relations(
            _backport_of(history, item, owners, twins, numbers),
            _reverts(history, item, owners, merges, numbers),
        )
        if found != Relations():
            relations[item.number] = found
    return relations


def _keys_on_default(history: History, merged: Sequence[Merged]) -> dict[Key, int]:
    """Return the number that each commit on the default branch belongs to, by what copies keep."""
    elsewhere = [item for item in merged if item.into == "other-branch"]
    times = {history.log.authored[place] for item in elsewhere for place in item.commits}
    return {
        key_of(history, place): item.number
        for item in merged
        if item.into == "default-branch"
        for place in item.commits
        if history.log.authored[place] in times
    }


def _backport_of(
    history: History,
    item: Merged,
    owners: Mapping[int, int],
    twins: Mapping[Key, int],
    numbers: set[int],
) -> int | None:
    """Return the pull request that one on another branch copies, by the strongest sign."""
    if item.into != "other-branch":
        return None
    messages = [history.log.messages[place] for place in item.commits]
    named = [_resolve(history, sha) for message in messages for sha in picked_from(message)]
    signs = [owners.get(place) for place in named if place is not None]
    signs += [twins.get(key_of(history, place)) for place in item.commits]
    signs += [backported_number(text) for text in (item.title, item.body, *messages)]
    return next((n for n in signs if n is not None and n != item.number and n in numbers), None)


def _reverts(
    history: History,
    item: Merged,
    owners: Mapping[int, int],
    merges: Mapping[str, int],
    numbers: set[int],
) -> tuple[int, ...]:
    found: set[int] = set()
    texts = [(item.title, item.body)]
    first = history.log.messages[item.commits[0]]
    texts.append((subject_of(first), first))
    for subject, body in texts:
        if subject[:6].lower() != b"revert":
            continue
        commits, named = reverted(subject, body)
        places = [_resolve(history, sha) for sha in commits]
        for place in places:
            if place is not None:
                number = merges.get(history.log.shas[place], owners.get(place))
                found |= {number} if number is not None else set()
        found |= numbers.intersection(named)
    return tuple(sorted(found - {item.number}))


def _resolve(history: History, name: str) -> int | None:
    """Return the place of a commit by its whole name."""
    return history.index.get(name)
