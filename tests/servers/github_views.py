"""Answers of the loopback GitHub's GraphQL: one reading of the data, taken when a query begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Unpack

from graphql import GraphQLError

from tests.servers.github_below import (
    WEB,
    Resolver,
    child_ids,
    comments_of,
    listing,
    make_id,
    read_id,
    reviews_of,
    stamp_of,
    timeline_of,
    view_actor,
    view_comment,
    view_review,
)
from tests.servers.github_data import CrossReference, Issue, Pull, Repository
from tests.servers.github_pages import Info, Key, Page, View, failure, paginate

NODES_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A pull request that this answer cannot have; ``number=None`` is the first one met."""

    number: int | None
    below: str
    error: GraphQLError


class Reading:
    """Every object that one query can reach, over data that no longer changes."""

    def __init__(
        self,
        repository: Repository,
        pulls: Mapping[int, Pull],
        *,
        rate: View | None = None,
        spoilt: Spoilt | None = None,
    ) -> None:
        self._home = repository
        self._pulls = pulls
        self._rate = rate
        self._spoilt = spoilt
        self._spoilt_number = spoilt.number if spoilt else None

    def root(self) -> View:
        """Return the query type."""
        return {
            "rateLimit": self._rate,
            "repository": self._find_repository,
            "node": self._find_node,
            "nodes": self._find_nodes,
        }

    def repository(self, full_name: str = "") -> View:
        """Return a repository; of any but the server's own nothing but the name is known."""
        home = self._home
        if full_name in {"", home.full_name}:
            pulls: Mapping[int, Pull] = self._pulls
        else:
            owner, _, name = full_name.partition("/")
            home, pulls = Repository(owner, name), {}
        return {
            "__typename": "Repository",
            "id": make_id("R", home.full_name),
            "name": home.name,
            "nameWithOwner": home.full_name,
            "url": f"{WEB}/{home.full_name}",
            "isPrivate": home.is_private,
            "licenseInfo": {"spdxId": home.spdx_id} if home.spdx_id else None,
            "defaultBranchRef": {"name": home.default_branch} if home.default_branch else None,
            "pullRequest": lambda _info, number: self._find_pull(number, pulls),
            "pullRequests": self._list_pulls(pulls),
        }

    def pull(self, pull: Pull, full_name: str = "") -> View | GraphQLError:
        """Return a pull request, or the error that is planned in its place."""
        error = self._spoil(pull) if not full_name else None
        if error is not None and self._spoilt and not self._spoilt.below:
            return error
        full_name = full_name or self._home.full_name
        children = self._children(pull)
        view: View = {
            "__typename": "PullRequest",
            "id": make_id("PR", full_name, pull.number),
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "url": f"{WEB}/{full_name}/pull/{pull.number}",
            "state": pull.state,
            "createdAt": pull.created_at,
            "updatedAt": pull.updated_at,
            "mergedAt": pull.merged_at,
            "merged": pull.state == "MERGED",
            "baseRefName": pull.base_ref,
            "headRefOid": pull.head_oid,
            "mergeCommit": (
                {"id": make_id("C", pull.merge_commit), "oid": pull.merge_commit}
                if pull.merge_commit
                else None
            ),
            "author": view_actor(pull.author, is_bot=pull.is_bot),
            "repository": lambda _info: self.repository(full_name),
            "labels": listing(
                [
                    {"__typename": "Label", "id": make_id("LA", name), "name": name}
                    for name in pull.labels
                ]
            ),
            "comments": listing(children["IssueComment"]),
            "reviews": reviews_of(children["PullRequestReview"]),
            "closingIssuesReferences": listing([self.issue(each) for each in pull.closes]),
            "timelineItems": timeline_of([each for kind in children.values() for each in kind]),
        }
        if error is not None and self._spoilt:
            view[self._spoilt.below] = error
        return view

    def issue(self, issue: Issue) -> View:
        full_name = issue.repository or self._home.full_name
        return {
            "__typename": "Issue",
            "id": make_id("I", full_name, issue.number),
            "number": issue.number,
            "title": issue.title,
            "body": issue.body,
            "state": issue.state,
            "url": f"{WEB}/{full_name}/issues/{issue.number}",
            "repository": lambda _info: self.repository(full_name),
        }

    def _children(self, pull: Pull) -> dict[str, list[View]]:
        """Return what stands in the timeline of a pull request, by GraphQL type."""
        number = pull.number
        comment_ids = child_ids("IC", number, (stamp_of(each) for each in pull.comments))
        review_ids = child_ids(
            "PRR", number, (f"{each.author} {each.submitted_at}" for each in pull.reviews)
        )
        references = child_ids(
            "CRE",
            number,
            (
                f"{each.repository}#{each.number} {each.created_at}"
                for each in pull.cross_references
            ),
        )
        return {
            "IssueComment": [
                view_comment("IssueComment", key, each)
                for key, each in zip(comment_ids, pull.comments, strict=True)
            ],
            "PullRequestReview": [
                view_review(number, key, each)
                for key, each in zip(review_ids, pull.reviews, strict=True)
            ],
            "CrossReferencedEvent": [
                self._view_reference(key, each)
                for key, each in zip(references, pull.cross_references, strict=True)
            ],
        }

    def _view_reference(self, key: str, reference: CrossReference) -> View:
        home = self._home.full_name
        return {
            "__typename": "CrossReferencedEvent",
            "id": key,
            "actor": view_actor(reference.author),
            "createdAt": reference.created_at,
            "isCrossRepository": reference.repository not in {"", home},
            "willCloseTarget": reference.will_close,
            # Only when asked for: two pull requests may mention each other.
            "source": lambda _info: self._source(reference),
        }

    def _source(self, reference: CrossReference) -> View | GraphQLError:
        home = self._home.full_name
        if not reference.is_pull:
            return self.issue(
                Issue(reference.number, title=reference.title, repository=reference.repository)
            )
        if reference.repository in {"", home} and reference.number in self._pulls:
            return self.pull(self._pulls[reference.number])
        stub = Pull(reference.number, title=reference.title, author=reference.author)
        return self.pull(stub, reference.repository or home)

    def _spoil(self, pull: Pull) -> GraphQLError | None:
        if self._spoilt is None:
            return None
        if self._spoilt_number is None:
            self._spoilt_number = pull.number
        return self._spoilt.error if pull.number == self._spoilt_number else None

    def _find_repository(self, _info: Info, *, owner: str, name: str, **options: bool) -> View:
        wanted = f"{owner}/{name}".lower()
        known = {self._home.full_name.lower()}
        if options.get("followRenames", True):
            known |= {each.lower() for each in self._home.former_names}
        if wanted not in known:
            raise failure(
                "NOT_FOUND",
                f"Could not resolve to a Repository with the name '{owner}/{name}'.",
            )
        return self.repository()

    def _find_pull(self, number: int, pulls: Mapping[int, Pull]) -> View | GraphQLError:
        if number not in pulls:
            return failure(
                "NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}."
            )
        return self.pull(pulls[number])

    def _list_pulls(self, pulls: Mapping[int, Pull]) -> Resolver:
        def resolve(
            info: Info,
            *,
            states: list[str] | None = None,
            orderBy: Mapping[str, str] | None = None,  # noqa: N803 - GitHub's name
            baseRefName: str | None = None,  # noqa: N803 - GitHub's name
            **page: Unpack[Page],
        ) -> View:
            order = orderBy or {"field": "CREATED_AT", "direction": "ASC"}
            rows = [
                (_sort_key(pull, order["field"]), pull)
                for pull in pulls.values()
                if (states is None or pull.state in states)
                and (baseRefName is None or pull.base_ref == baseRefName)
            ]
            descending = order["direction"] == "DESC"
            rows.sort(key=lambda row: row[0], reverse=descending)
            return paginate(info, rows, self.pull, descending=descending, **page)

        return resolve

    def _find_nodes(self, _info: Info, ids: list[str]) -> list[View | GraphQLError]:
        if len(ids) > NODES_LIMIT:
            raise failure(
                "ARGUMENT_LIMIT",
                f"You may not provide more than {NODES_LIMIT} node ids; you provided {len(ids)}.",
            )
        return [self._resolve(each) for each in ids]

    def _find_node(self, _info: Info, **arguments: str) -> View | GraphQLError:
        return self._resolve(arguments["id"])

    def _resolve(self, text: str) -> View | GraphQLError:
        home = self._home.full_name
        found: Iterable[View | GraphQLError] = ()
        match read_id(text):
            case ["R", str()]:
                found = [self.repository()]
            case ["PR", str() as full_name, int() as number] if number in self._pulls:
                # An error is not looked into: it stands for the node that was asked for.
                if full_name == home:
                    return self.pull(self._pulls[number])
            case ["I", *_]:
                found = self._issues()
            case [_, int() as number, *_] if number in self._pulls:
                children = self._children(self._pulls[number])
                found = [each for kind in children.values() for each in kind]
                found += [
                    each for review in children["PullRequestReview"] for each in comments_of(review)
                ]
        for view in found:
            if isinstance(view, dict) and view["id"] == text:
                return view
        return failure("NOT_FOUND", f"Could not resolve to a node with the global id of '{text}'")

    def _issues(self) -> list[View]:
        closed = [issue for pull in self._pulls.values() for issue in pull.closes]
        mentions = [
            Issue(each.number, title=each.title, repository=each.repository)
            for pull in self._pulls.values()
            for each in pull.cross_references
            if not each.is_pull
        ]
        return [self.issue(each) for each in (*closed, *mentions)]


def _sort_key(pull: Pull, field: str) -> Key:
    if field == "COMMENTS":
        return len(pull.comments), pull.number
    return (pull.updated_at if field == "UPDATED_AT" else pull.created_at), pull.number
