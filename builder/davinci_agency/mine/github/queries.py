"""The questions put to GitHub's GraphQL interface.

Connections are asked for in small pages, since GitHub's price is the product of their sizes; what
does not fit is asked for afterwards, for many pull requests at once. Names are those of GitHub's
public schema: https://docs.github.com/en/graphql/reference
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"
_AUTHOR = "author { __typename login }"

_ITEMS: Mapping[tuple[str, str], str] = {
    ("PullRequest", "labels"): "name",
    ("PullRequest", "comments"): f"id body createdAt {_AUTHOR}",
    ("PullRequest", "reviews"): (
        f"id body state submittedAt {_AUTHOR} "
        f"comments(first: 10) {{ nodes {{ id body path createdAt {_AUTHOR} }} {_PAGE_INFO} }}"
    ),
    ("PullRequest", "closingIssuesReferences"): "number title body repository { nameWithOwner }",
    ("PullRequest", "timelineItems"): (
        "... on CrossReferencedEvent { createdAt willCloseTarget source { __typename "
        "... on PullRequest { number repository { nameWithOwner } } "
        "... on Issue { number repository { nameWithOwner } } } }"
    ),
    ("PullRequestReview", "comments"): f"id body path createdAt {_AUTHOR}",
}
"""What is asked of each item, by the type that has the connection and its name."""

_FIRST = {
    "labels": 10,
    "comments": 15,
    "reviews": 10,
    "closingIssuesReferences": 5,
    "timelineItems": 10,
}
_REST = 100
CONNECTIONS = tuple(_FIRST)
"""The connections of a pull request."""


def _connection(owner: str, name: str, first: int, after: str = "") -> str:
    arguments = f"first: {first}{after}"
    if name == "timelineItems":
        arguments += ", itemTypes: [CROSS_REFERENCED_EVENT]"
    return f"{name}({arguments}) {{ nodes {{ {_ITEMS[owner, name]} }} {_PAGE_INFO} }}"


_PULL = "\n".join(
    [
        "fragment pull on PullRequest {",
        "id number title body state updatedAt mergedAt baseRefName mergeCommit { oid }",
        _AUTHOR,
        *(_connection("PullRequest", name, first) for name, first in _FIRST.items()),
        "}",
    ]
)
_LIMIT = "rateLimit { cost remaining resetAt }"
_NEWEST = (
    "newest: pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) "
    "{ nodes { updatedAt } }"
)

LIST = f"""
query ($owner: String!, $name: String!, $first: Int!, $after: String) {{
  {_LIMIT}
  repository(owner: $owner, name: $name) {{
    nameWithOwner licenseInfo {{ spdxId }} {_NEWEST}
    pullRequests(states: [MERGED], first: $first, after: $after,
                 orderBy: {{field: CREATED_AT, direction: ASC}}) {{
      totalCount {_PAGE_INFO} nodes {{ ...pull }}
    }}
  }}
}}
{_PULL}
"""
"""A page of all merged pull requests, the oldest first: an order that nothing changes."""

CHANGED = f"""
query ($owner: String!, $name: String!, $first: Int!, $after: String) {{
  {_LIMIT}
  repository(owner: $owner, name: $name) {{
    nameWithOwner licenseInfo {{ spdxId }} {_NEWEST}
    pullRequests(first: $first, after: $after,
                 orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      totalCount {_PAGE_INFO} nodes {{ ...pull }}
    }}
  }}
}}
{_PULL}
"""
"""A page of all pull requests, those first that changed last."""

NEWEST = f"""
query ($owner: String!, $name: String!) {{
  {_LIMIT}
  repository(owner: $owner, name: $name) {{
    nameWithOwner licenseInfo {{ spdxId }} {_NEWEST}
  }}
}}
"""
"""When anything changed last."""


def by_numbers(numbers: Sequence[int]) -> str:
    """Return the question for pull requests by number, each under the name ``p<number>``."""
    fields = "\n".join(f"p{n}: pullRequest(number: {n}) {{ ...pull }}" for n in numbers)
    return (
        "query ($owner: String!, $name: String!) {\n"
        f"{_LIMIT}\nrepository(owner: $owner, name: $name) {{\nnameWithOwner\n{fields}\n}}\n}}\n"
        f"{_PULL}"
    )


@dataclass(frozen=True, slots=True)
class Continuation:
    """A connection that goes on after a cursor.

    Attributes:
        owner: the type that has it, ``PullRequest`` or ``PullRequestReview``.
        node: the identifier of what has it.
        name: its name.
        after: the cursor; ``None`` begins at its beginning.
    """

    owner: str
    node: str
    name: str
    after: str | None


def the_rest(parts: Sequence[Continuation]) -> tuple[str, dict[str, str | None]]:
    """Return the question for the next pages of connections, ``c0``, ``c1``…, and its variables."""
    declared, fields = [], []
    variables: dict[str, str | None] = {}
    for place, part in enumerate(parts):
        declared.append(f"$n{place}: ID!, $a{place}: String")
        connection = _connection(part.owner, part.name, _REST, f", after: $a{place}")
        fields.append(f"c{place}: node(id: $n{place}) {{ ... on {part.owner} {{ {connection} }} }}")
        variables |= {f"n{place}": part.node, f"a{place}": part.after}
    return f"query ({', '.join(declared)}) {{\n{_LIMIT}\n" + "\n".join(fields) + "\n}", variables
