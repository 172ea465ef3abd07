"""Which commits of a branch are merged pull requests, and what says so; pure.

Three traces are read: GitHub's merge commits (``Merge pull request #N from …``), squashes (a
subject that ends in ``(#N)``), and pull heads that lie on the branch itself, which a rebase without
changes or a push by hand leaves. Where the clone has ``refs/pull/*/head``, each finding is held
against it, so that an issue's number or an imported history's does not pass for a pull request.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from davinci_agency.mine.history import History, LogCommit
from davinci_agency.records import Gap, MergeStyle

_MERGE_SUBJECT = re.compile(rb"Merge pull request (?:([\w.-]+/[\w.-]+))?#([1-9]\d{0,8}) from \S")
_SQUASH_SUBJECT = re.compile(rb"^(.*\S)\s*\(#([1-9]\d{0,8})\)$", re.DOTALL)
_CLOCK_SLACK = 86_400
"""Seconds by which a head's clock may run ahead of its merge's."""
_LONGEST_RANGE = 50
"""Commits at most in a range that is inferred from its author."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged pull request as the branch shows it.

    Attributes:
        number: its number.
        style: how it was merged.
        base: the commit before it on the mainline.
        merge: the commit that holds its work.
        head: the last commit of its own branch, if known.
        merge_base: where its branch left the mainline, if known.
        title: its title, undecoded.
        body: what else its message says, undecoded.
        commits: its own commits, oldest first.
        gaps: what could not be verified.
    """

    number: int
    style: MergeStyle
    base: str
    merge: LogCommit
    head: str | None
    merge_base: str | None
    title: bytes
    body: bytes
    commits: tuple[LogCommit, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def author(self) -> LogCommit:
        """The commit of whoever wrote most of its commits; the earliest of several."""
        authors = Counter(commit.email.lower() for commit in self.commits)
        most = max(authors.values())
        return next(c for c in self.commits if authors[c.email.lower()] == most)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A commit that looks like a merged pull request and is not taken for one."""

    number: int
    rule: str
    reason: str


def find_merged(
    history: History, pull_heads: Mapping[int, LogCommit], repo: str
) -> Iterator[Merged | Rejected]:
    """Yield every merged pull request of a branch once, and each look-alike with the reason.

    ``pull_heads`` holds the tips of ``refs/pull/*/head`` by number, as far as the clone has them.
    """
    seen: dict[int, str] = {}
    claimed: set[str] = set()
    for position in range(len(history.mainline)):
        found = _merge(history, position, repo) or _squash(history, position)
        if found is None:
            continue
        if isinstance(found, Merged):
            claimed.add(found.merge.sha)
            found = _verify(found, pull_heads)
        if isinstance(found, Merged):
            if found.number in seen:
                reason = f"{found.merge.sha} bears a number that {seen[found.number]} had before"
                found = Rejected(found.number, "number-seen-before", reason)
            else:
                seen[found.number] = found.merge.sha
        yield found
    yield from _by_head(history, pull_heads, seen, claimed)


def _merge(history: History, position: int, repo: str) -> Merged | Rejected | None:
    commit = history.at(position)
    match = _MERGE_SUBJECT.match(commit.subject)
    if match is None:
        return None
    number = int(match[2])
    if match[1] is not None and match[1].decode().lower() != repo.lower():
        reason = f"{commit.sha} merges a pull request of {match[1].decode()}"
        return Rejected(number, "other-repository", reason)
    if not commit.is_merge:
        # A revert, a cherry-pick or a filtered history can carry the subject without the merge.
        return Rejected(number, "not-a-merge", f"{commit.sha} has no second parent here")
    title, _, body = commit.body.partition(b"\n")
    found = _merged_branch(history, position, number)
    last = found.commits[-1]
    # Of a single commit GitHub makes title and description, unless its author writes others.
    own_words = last.body if len(found.commits) == 1 else b""
    return replace(found, title=title.strip() or last.subject, body=body.strip() or own_words)


def _merged_branch(history: History, position: int, number: int) -> Merged:
    commit = history.at(position)
    return Merged(
        number=number,
        style="merge",
        base=commit.parents[0],
        merge=commit,
        head=commit.parents[1],
        merge_base=history.merge_base(position),
        title=commit.subject,
        body=commit.body,
        commits=tuple(history.brought_in(position)) or (commit,),
    )


def _squash(history: History, position: int) -> Merged | None:
    commit = history.at(position)
    match = _SQUASH_SUBJECT.match(commit.subject)
    if match is None or len(commit.parents) != 1:
        return None
    return Merged(
        number=int(match[2]),
        style="squash",
        base=commit.parents[0],
        merge=commit,
        head=None,
        merge_base=commit.parents[0],
        title=match[1],
        body=commit.body,
        commits=(commit,),
    )


def _verify(found: Merged, pull_heads: Mapping[int, LogCommit]) -> Merged | Rejected:
    head = pull_heads.get(found.number)
    if head is None:
        if found.number < max(pull_heads, default=0):
            reason = f"{found.merge.sha} names #{found.number}, which is no pull request here"
            return Rejected(found.number, "no-such-pull", reason)
        return replace(found, gaps=("head-missing",))
    if head.committed > found.merge.committed + _CLOCK_SLACK:
        reason = f"the head of #{found.number} is younger than {found.merge.sha}"
        return Rejected(found.number, "younger-than-merge", reason)
    if found.style == "squash":
        return replace(found, head=head.sha)
    if head.sha == found.head:
        return found
    own = {(c.email.lower(), c.authored) for c in found.commits} | {
        c.subject for c in found.commits
    }
    if (head.email.lower(), head.authored) in own or head.subject in own:
        return replace(found, head=head.sha, gaps=("head-differs",))
    reason = f"{found.merge.sha} holds other work than the head of #{found.number}"
    return Rejected(found.number, "other-work", reason)


def _by_head(
    history: History,
    pull_heads: Mapping[int, LogCommit],
    seen: Mapping[int, str],
    claimed: set[str],
) -> Iterator[Merged | Rejected]:
    """Yield pull requests that no message names, but whose head the branch holds."""
    merges = {
        history.at(position).parents[1]: position
        for position in range(len(history.mainline))
        if history.at(position).is_merge and history.at(position).sha not in claimed
    }
    heads = {head.sha for head in pull_heads.values()}
    taken: dict[str, int] = {}
    for number, head in sorted(pull_heads.items()):
        if number in seen:
            continue
        position = history.positions.get(head.sha)
        if head.sha in merges:
            found = _merged_branch(history, merges[head.sha], number)
            found = replace(found, title=head.subject, body=head.body)
        elif position and not head.is_merge and head.sha not in claimed:
            found = _fast_forward(history, position, number, claimed | heads)
        else:
            continue
        if head.sha in taken:
            reason = f"#{taken[head.sha]} has the same head {head.sha}"
            yield Rejected(number, "same-head", reason)
        else:
            taken[head.sha] = number
            yield found


def _fast_forward(history: History, position: int, number: int, others: set[str]) -> Merged:
    """Return the run of one author's commits that ends at a position."""
    head = history.at(position)
    commits = [head]
    while len(commits) < min(_LONGEST_RANGE, position):
        before = history.at(position - len(commits))
        if (
            before.is_merge
            or not before.parents
            or before.sha in others
            or before.email.lower() != head.email.lower()
        ):
            break
        commits.append(before)
    commits.reverse()
    base = commits[0].parents[0]
    return Merged(
        number=number,
        style="fast-forward",
        base=base,
        merge=head,
        head=head.sha,
        merge_base=base,
        title=commits[0].subject,
        body=b"\n\n".join(filter(None, [commits[0].body, *(c.message for c in commits[1:])])),
        commits=tuple(commits),
        gaps=("range-inferred",) if len(commits) > 1 else (),
    )
