"""What stands below a pull request of the loopback GitHub: ids, people, comments, lists."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Unpack

from tests.servers.github_data import Comment, Review, ReviewComment
from tests.servers.github_pages import Info, Page, View, by_position, paginate

Resolver = Callable[..., object]

WEB = "https://github.com"


def make_id(prefix: str, *parts: str | int) -> str:
    """Return an opaque id that ``read_id`` takes apart again."""
    packed = base64.urlsafe_b64encode(json.dumps([prefix, *parts]).encode()).decode()
    return f"{prefix}_{packed.rstrip('=')}"


def read_id(text: str) -> list[str | int]:
    """Return the parts of an id, or nothing for a text that is none."""
    prefix, _, packed = text.partition("_")
    try:
        parts = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    except (binascii.Error, ValueError):
        return []
    if not isinstance(parts, list) or parts[:1] != [prefix]:
        return []
    return parts


def child_ids(prefix: str, number: int, stamps: Iterable[str]) -> list[str]:
    """Return ids for what stands below a pull request.

    They follow from author and time and not from the position, so that an id stays the same when
    an earlier comment is deleted, or when a text is edited.
    """
    seen: Counter[str] = Counter()
    ids = []
    for stamp in stamps:
        digest = hashlib.sha256(stamp.encode()).hexdigest()[:12]
        ids.append(make_id(prefix, number, digest, seen[digest]))
        seen[digest] += 1
    return ids


def view_actor(login: str | None, *, is_bot: bool = False) -> View | None:
    """Return an actor; a deleted account has none. GraphQL has bots without ``[bot]``."""
    if login is None:
        return None
    kind = "Bot" if is_bot else "User"
    url = f"{WEB}/apps/{login}" if is_bot else f"{WEB}/{login}"
    return {"__typename": kind, "id": make_id(kind[0], login), "login": login, "url": url}


def stamp_of(comment: Comment | ReviewComment) -> str:
    return f"{comment.author} {comment.created_at}"


def view_comment(kind: str, key: str, comment: Comment | ReviewComment) -> View:
    view: View = {
        "__typename": kind,
        "id": key,
        "author": view_actor(comment.author, is_bot=comment.is_bot),
        "body": comment.body,
        "createdAt": comment.created_at,
    }
    if isinstance(comment, ReviewComment):
        view["path"] = comment.path
    return view


def view_review(number: int, key: str, review: Review) -> View:
    stamps = (f"{key} {each.path} {stamp_of(each)}" for each in review.comments)
    comments = [
        view_comment("PullRequestReviewComment", comment_id, each)
        for comment_id, each in zip(child_ids("PRRC", number, stamps), review.comments, strict=True)
    ]
    return {
        "__typename": "PullRequestReview",
        "id": key,
        "author": view_actor(review.author, is_bot=review.is_bot),
        "state": review.state,
        "body": review.body,
        "submittedAt": review.submitted_at,
        "comments": listing(comments),
        _BELOW: comments,
    }


_BELOW = "the views below"


def comments_of(review: View) -> list[View]:
    views = review[_BELOW]
    assert isinstance(views, list)
    return views


def listing(views: list[View]) -> Resolver:
    def resolve(info: Info, **page: Unpack[Page]) -> View:
        return paginate(info, by_position(views), lambda view: view, **page)

    return resolve


def reviews_of(views: list[View]) -> Resolver:
    def resolve(
        info: Info,
        *,
        states: list[str] | None = None,
        author: str | None = None,
        **page: Unpack[Page],
    ) -> object:
        chosen = [
            view
            for view in views
            if (states is None or view["state"] in states)
            and (author is None or _login(view["author"]) == author)
        ]
        return listing(chosen)(info, **page)

    return resolve


def _login(actor: object) -> object:
    return actor["login"] if isinstance(actor, dict) else None


_ITEM_TYPES = {
    "IssueComment": "ISSUE_COMMENT",
    "PullRequestReview": "PULL_REQUEST_REVIEW",
    "CrossReferencedEvent": "CROSS_REFERENCED_EVENT",
}


def timeline_of(views: list[View]) -> Resolver:
    def moment(view: View) -> str:
        return str(view.get("createdAt") or view.get("submittedAt") or "")

    def resolve(
        info: Info,
        *,
        itemTypes: list[str] | None = None,  # noqa: N803 - GitHub's name
        since: str | None = None,
        **page: Unpack[Page],
    ) -> object:
        chosen = [
            view
            for view in views
            if (itemTypes is None or _ITEM_TYPES[str(view["__typename"])] in itemTypes)
            and (since is None or moment(view) >= since)
        ]
        return listing(sorted(chosen, key=moment))(info, **page)

    return resolve
