"""One record from two views: git wins for code, GitHub for words; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from davinci_agency.mine.github.views import View
from davinci_agency.mine.record import without_addresses
from davinci_agency.records import ClosedIssue, CrossReference, Gap, PullRequest, Remark


def with_words(
    pull: PullRequest, said: bytes | None, opted_out: Collection[str] = ()
) -> PullRequest:
    """Return a record with what GitHub said of it, and the names of what it gave.

    ``said`` is a `View` as JSON, empty if GitHub no longer has the pull request, ``None`` if it
    was not asked. What people wrote who opted out, by the pseudonyms of their accounts, is left
    out.
    """
    if said is None:
        return pull
    if not said:
        return _with_gap(pull, "github-gone")
    view = msgspec.json.decode(said, type=View)
    values: dict[str, Any] = {
        "title": without_addresses(view.title) or pull.title,
        "body": without_addresses(view.body),
        "author_kind": view.author_kind,
        "login_id": view.login_id,
        "base_branch": view.base_branch,
        "updated_at": _moment(view.updated_at),
        "labels": view.labels,
        "closes": tuple(
            ClosedIssue(i.repo, i.number, without_addresses(i.title), without_addresses(i.body))
            for i in view.closes
        ),
        "cross_references": tuple(
            CrossReference(m.repo, m.number, m.is_pull, m.will_close, _moment(m.created_at))
            for m in view.cross_references
        ),
        "discussion": tuple(
            Remark(
                kind=s.kind,
                login_id=s.login_id,
                author_kind=s.author_kind,
                created_at=_moment(s.created_at),
                state=s.state,
                path=s.path,
                body=without_addresses(s.body),
            )
            for s in view.discussion
            if s.login_id not in opted_out
        ),
    }
    # Of a deleted account GitHub knows nothing; git still has the address.
    given = {name: value for name, value in values.items() if value is not None}
    record = replace(pull, **given, from_github=tuple(sorted(given)))
    return _with_gap(record, "github-partial") if view.is_partial else record


def _with_gap(pull: PullRequest, gap: Gap) -> PullRequest:
    return replace(pull, gaps=tuple(sorted({*pull.gaps, gap})))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(microsecond=0)
