"""Is a claim true? A message's number held against the head of the pull request; pure.

Heads are what GitHub keeps under ``refs/pull/<number>/head``. An imported history brings foreign
numbers, a subject may end in an issue's number, and a maintainer may amend what he merges; so an
unequal head proves nothing, and neither does an equal number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from davinci_agency.mine.history import NOWHERE, History, subject_of
from davinci_agency.mine.pulls import Merged, Rejected
from davinci_agency.mine.traces import picked_from
from davinci_agency.records import Gap

_CLOCK_SLACK = 86_400
"""Seconds by which a head's clock may run ahead of its merge's."""
_LONGEST_BRANCH = 300
"""Commits at most that a branch is taken to have of its own; more are another history's."""
_COPIED = re.compile(rb"\(#(\d{1,9})\)$")
_NOREPLY = re.compile(rb"^(?:\d+\+)?([\w.-]+)@users\.noreply\.github\.com$")


def verify(
    history: History,
    found: Merged,
    head: int | None,
    newest: int,
    newest_at: int,
    confirmed: str | None,
) -> Merged | Rejected:
    """Hold a claim against its pull request's head.

    ``head`` is the head's place if the clone has it, ``newest`` the highest number that it has a
    head of and ``newest_at`` that head's time, ``confirmed`` the commit that GitHub says merged
    it, if it was asked.
    """
    merged = int(history.log.committed[history.index[found.merge]] or 0)
    if head is None:
        # A number above all heads may be younger than the clone's heads; an old one is foreign.
        is_younger = found.number > newest and merged >= newest_at - _CLOCK_SLACK
        if newest and not is_younger and confirmed != found.merge:
            reason = f"{found.merge} names #{found.number}, which is no pull request here"
            return Rejected(found.number, "no-such-pull", reason)
        if found.style == "squash" and found.found_by == "merge-subject":
            reason = f"{found.merge} has no second parent here"
            return Rejected(found.number, "not-a-merge", reason)
        return replace(found, gaps=("head-missing",))
    committed = int(history.log.committed[head] or 0)
    if committed > merged + _CLOCK_SLACK and confirmed != found.merge:
        reason = f"the head of #{found.number} is younger than {found.merge}"
        return Rejected(found.number, "younger-than-merge", reason)
    check = _merge if found.style == "merge" else _squash
    return check(history, found, head, confirmed == found.merge)


def _merge(history: History, found: Merged, head: int, confirmed: bool) -> Merged | Rejected:
    sha = history.log.shas[head]
    if sha == found.head:
        return found
    brought = {history.index[found.merge], *found.commits}
    is_inside = history.owner[head] == found.position
    if confirmed or is_inside or _is_related(history, [head], brought):
        return replace(found, head=sha, gaps=("head-differs",))
    reason = f"{found.merge} holds other work than the head of #{found.number}"
    return Rejected(found.number, "other-work", reason)


def _squash(history: History, found: Merged, head: int, confirmed: bool) -> Merged | Rejected:
    sha, log = history.log.shas[head], history.log
    own, base, is_whole = branch_of(history, head)
    compared = [head, *without_copies(history, own, found.number)]
    related = confirmed or _is_related(history, compared, {history.index[found.merge]})
    if found.found_by == "merge-subject" and not related:
        # A revert, a cherry-pick or a filtered history can carry the subject without the merge.
        reason = f"{found.merge} has no second parent here"
        return Rejected(found.number, "not-a-merge", reason)
    if found.found_by == "closing-line" and not related:
        reason = f"{found.merge} closes #{found.number}, whose head is another's work"
        return Rejected(found.number, "other-work", reason)
    message = log.messages[history.index[found.merge]]
    if picked_from(message) and not related:
        reason = f"{found.merge} is a copy of another commit"
        return Rejected(found.number, "cherry-picked", reason)
    gaps: list[Gap] = [] if related else ["head-differs"]
    if not is_whole:
        gaps.append("range-cut")
    return replace(
        found,
        head=sha,
        merge_base=log.shas[base] if base is not None else found.merge_base,
        commits=tuple(own) or found.commits,
        gaps=tuple(gaps),
    )


def branch_of(history: History, head: int) -> tuple[list[int], int | None, bool]:
    """Return the commits of an unmerged head, where it left the branches, and if all are there.

    Left out are merges, and all but the newest 300.
    """
    if history.owner[head] != NOWHERE:
        return [], None, True
    aside = history.aside(head)
    base = history.merge_base(aside)
    own = [place for place in aside if len(history.parents[place]) < 2]
    return own[-_LONGEST_BRANCH:], base, len(own) <= _LONGEST_BRANCH


def without_copies(history: History, places: Sequence[int], number: int) -> list[int]:
    """Return the commits that do not end in a number other than a pull request's own.

    Such a one may be a copy of what was squashed on a branch, or name an issue.
    """
    return [place for place in places if not _is_copied(history, place, number)]


def _is_copied(history: History, place: int, number: int) -> bool:
    match = _COPIED.search(history.log.messages[place].partition(b"\n")[0].rstrip())
    return match is not None and int(match[1]) != number


def _is_related(history: History, ours: Sequence[int], theirs: set[int]) -> bool:
    """Tell whether two sets of commits share an author or a subject."""
    log = history.log
    people = {person for place in theirs for person in _people(history, place)}
    if any(person in people for place in ours for person in _people(history, place)):
        return True
    texts = [log.messages[place] for place in theirs]
    subjects = {subject_of(log.messages[place]) for place in ours} - {b""}
    return any(subject in text for subject in subjects for text in texts)


def _people(history: History, place: int) -> tuple[bytes, ...]:
    log = history.log
    email = log.emails[place].lower()
    match = _NOREPLY.match(email)
    login = (b"login " + match[1],) if match else ()
    return (email, log.names[place].strip().lower(), *login)
