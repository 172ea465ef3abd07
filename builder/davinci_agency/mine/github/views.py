"""What GitHub said of one pull request, as it is kept: no login, no e-mail address; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from davinci_agency.ids import login_id
from davinci_agency.mine.github.queries import CONNECTIONS, Continuation
from davinci_agency.mine.store import Store
from davinci_agency.records import AuthorKind, RemarkKind, ReviewState

Node = Mapping[str, Any]
Unfinished = tuple[Continuation, dict[str, Any]]
"""A connection that goes on, and where its items are."""


class Issue(msgspec.Struct, frozen=True):
    """An issue that is closed."""

    repo: str
    number: int
    title: str
    body: str


class Mention(msgspec.Struct, frozen=True):
    """An issue or pull request that mentions it."""

    repo: str
    number: int
    is_pull: bool
    will_close: bool
    created_at: str


class Said(msgspec.Struct, frozen=True):
    """A contribution to the discussion."""

    kind: RemarkKind
    login_id: str | None
    author_kind: AuthorKind
    created_at: str
    state: ReviewState | None
    path: str | None
    body: str


class View(msgspec.Struct, frozen=True):
    """A pull request as GitHub has it. Times are RFC 3339 in UTC."""

    number: int
    title: str
    body: str
    login_id: str | None
    author_kind: AuthorKind | None
    state: str
    merge_commit: str | None
    base_branch: str
    updated_at: str
    labels: tuple[str, ...]
    closes: tuple[Issue, ...]
    cross_references: tuple[Mention, ...]
    discussion: tuple[Said, ...]
    is_partial: bool


def parse_pull(node: Node) -> View:
    """Return the view of a pull request whose connections were read to their ends."""
    partial = [name for name in CONNECTIONS if node.get(name) is None]
    reviews = _nodes(node, "reviews")
    partial += [review["id"] for review in reviews if review.get("comments") is None]
    author = node.get("author")
    return View(
        number=node["number"],
        title=node["title"],
        body=node["body"] or "",
        login_id=_login_id(author),
        author_kind=_kind(author) if author else None,
        state=node["state"],
        merge_commit=(node.get("mergeCommit") or {}).get("oid"),
        base_branch=node["baseRefName"],
        updated_at=node["updatedAt"],
        labels=tuple(sorted(label["name"] for label in _nodes(node, "labels"))),
        closes=tuple(sorted(map(_issue, _nodes(node, "closingIssuesReferences")), key=_place)),
        cross_references=tuple(sorted(_mentions(node), key=_place)),
        discussion=tuple(sorted(_discussion(node), key=lambda said: said.created_at)),
        is_partial=bool(partial),
    )


def _nodes(node: Node, name: str) -> list[Node]:
    """Return the items of a connection without those that GitHub could not give."""
    connection = node.get(name) or {}
    return [item for item in connection.get("nodes") or () if item]


def _place(item: Issue | Mention) -> tuple[str, int]:
    return (item.repo, item.number)


def _login_id(author: Node | None) -> str | None:
    return login_id(author["login"]) if author else None


def _kind(author: Node | None) -> AuthorKind:
    return "bot" if author and author["__typename"] == "Bot" else "person"


def _issue(node: Node) -> Issue:
    repo = node["repository"]["nameWithOwner"]
    return Issue(repo, node["number"], node["title"], node["body"] or "")


def _mentions(node: Node) -> Iterator[Mention]:
    for event in _nodes(node, "timelineItems"):
        source = event.get("source")
        if source:
            yield Mention(
                repo=source["repository"]["nameWithOwner"],
                number=source["number"],
                is_pull=source["__typename"] == "PullRequest",
                will_close=event["willCloseTarget"],
                created_at=event["createdAt"],
            )


def _discussion(node: Node) -> Iterator[Said]:
    for comment in _nodes(node, "comments"):
        yield _said("comment", comment, comment["createdAt"])
    for review in _nodes(node, "reviews"):
        # A review that was begun and never sent has no time, and no reader but its author.
        if review["submittedAt"]:
            state = review["state"].lower().replace("_", "-")
            yield _said("review", review, review["submittedAt"], state=cast(ReviewState, state))
        for comment in _nodes(review, "comments"):
            yield _said("review-comment", comment, comment["createdAt"], path=comment["path"])


def _said(
    kind: RemarkKind,
    node: Node,
    created_at: str,
    *,
    state: ReviewState | None = None,
    path: str | None = None,
) -> Said:
    author = node.get("author")
    body = node["body"] or ""
    return Said(kind, _login_id(author), _kind(author), created_at, state, path, body)


def unfinished(node: Node) -> Iterator[Unfinished]:
    """Yield the connections of a pull request that go on, each with the place of its items."""
    for name in CONNECTIONS:
        yield from _goes_on("PullRequest", node, name)
    for review in _nodes(node, "reviews"):
        yield from _goes_on("PullRequestReview", review, "comments")


def _goes_on(owner: str, node: Node, name: str) -> Iterator[Unfinished]:
    connection = node.get(name)
    if connection and connection["pageInfo"]["hasNextPage"]:
        after = connection["pageInfo"]["endCursor"]
        yield Continuation(owner, node["id"], name, after), connection


def repository_license(store: Store) -> str | None:
    """Return the repository's licence as GitHub has it: an SPDX identifier."""
    found = store.state("license")
    return found if isinstance(found, str) else None
