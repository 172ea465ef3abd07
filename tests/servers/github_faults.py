"""What a loopback GitHub records of a request, and the ways in which it can go wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import GraphQLError, parse, validate

from tests.servers.github_cost import find_connections
from tests.servers.github_schema import schema


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server saw it; ``status`` and ``cost`` are 0 until it is answered.

    ``status`` stays 0 where the connection was closed without an answer. ``path`` has the query
    string; ``query`` is the GraphQL text, and empty for REST.
    """

    index: int
    method: str
    path: str
    token: str | None
    query: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)
    status: int = 0
    cost: int = 0
    if_none_match: str | None = None

    @property
    def is_graphql(self) -> bool:
        return bool(self.query)


class Kind(StrEnum):
    """What goes wrong."""

    BAD_GATEWAY = "502 with GitHub's HTML page"
    BAD_GATEWAY_JSON = "502 with GraphQL's words for a timeout"
    ERRORS = "200 with errors and no data"
    PARTIAL = "200 with data, one pull request null, and an error that points at it"
    WENT_WRONG = "200 with null data and 'Something went wrong while executing your query'"
    TIMED_OUT = "200 with null data and 'timedout'"
    SECONDARY = "the secondary rate limit"
    DROPPED = "the connection ends in the middle of the body"
    HANG_UP = "the connection ends before the answer"
    BAD_JSON = "200 with half of the JSON, complete as HTTP"
    SLOW = "the right answer, late"


# These hide or spoil a right answer: GitHub did the work, and took its points.
PAID = frozenset(
    {Kind.ERRORS, Kind.PARTIAL, Kind.WENT_WRONG, Kind.TIMED_OUT}
    | {Kind.DROPPED, Kind.BAD_JSON, Kind.SLOW}
)

When = Callable[[Request], bool] | int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned failure.

    Args:
        kind: What goes wrong.
        when: Which requests: a predicate, the index of one request, or ``None`` for the next ones.
        times: How often; ``None`` is always.
        status: Of ``SECONDARY``: 403, 429, or 200 (errors in a GraphQL answer).
        retry_after: Of ``SECONDARY``: the header's seconds, or ``None`` for no header.
        seconds: Of ``SLOW``.
        number: Of ``PARTIAL``: the pull request; ``None`` is the first one that the answer has.
        below: Of ``PARTIAL``: the field of the pull request that fails; a non-null one takes the
            whole pull request with it. Empty: the pull request itself.
        error_type: Of ``ERRORS`` and ``PARTIAL``; empty for an error without a type.
        message: Of ``ERRORS`` and ``PARTIAL``.
    """

    kind: Kind
    when: When = None
    times: int | None = 1
    status: int = 403
    retry_after: int | None = None
    seconds: float = 0.0
    number: int | None = None
    below: str = ""
    error_type: str = "SERVICE_UNAVAILABLE"
    message: str = "Something went wrong while fetching this object."

    def fits(self, request: Request) -> bool:
        """Say whether the fault is meant for a request."""
        if self.when is None:
            return True
        if isinstance(self.when, int):
            return request.index == self.when
        return self.when(request)


def page_sizes(request: Request, connection: str = "pullRequests") -> list[int]:
    """Return the ``first`` or ``last`` of each connection of that name in a request."""
    if not request.query:
        return []
    try:
        document = parse(request.query)
    except GraphQLError:
        return []
    if validate(schema(), document):
        return []
    found = find_connections(schema(), document, request.variables)
    return [each.size for each in found if each.field == connection]


def first_above(limit: int, connection: str = "pullRequests") -> Callable[[Request], bool]:
    """Return a predicate: the request asks for pages of more than ``limit`` of a connection."""
    return lambda request: any(size > limit for size in page_sizes(request, connection))


def is_graphql(request: Request) -> bool:
    """Say whether a request is GraphQL; a ready-made ``when``."""
    return request.is_graphql


def is_rest(request: Request) -> bool:
    """Say whether a request is REST; a ready-made ``when``."""
    return not request.is_graphql
