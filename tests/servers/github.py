"""A stand-in for GitHub on the loopback: real HTTP, real GraphQL, and faults on demand.

It serves one repository below ``http://127.0.0.1:PORT/api/v3``, the layout of GitHub Enterprise,
so that PyGithub finds GraphQL at ``/api/graphql`` by itself::

    with GitHubServer([Pull(1), Pull(2)]) as server:
        client = github.Github(auth=github.Auth.Token(TOKEN), base_url=server.base_url)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self

from tests.servers.github_answers import (
    REQUEST_ID,
    PaidAnswer,
    bad_credentials,
    damage,
    error_json,
    graphql_limited,
    instead_of_data,
    instead_of_work,
    json_answer,
    refusal,
    rest_limited,
)
from tests.servers.github_cost import NODE_LIMIT, Cost, measure
from tests.servers.github_data import Pull, Repository
from tests.servers.github_faults import PAID, Fault, Kind, Request
from tests.servers.github_graphql import execute, read_operation, read_query, spoil, view_rate
from tests.servers.github_limits import RESOURCES, Ledger, Resource, Window
from tests.servers.github_pages import failure
from tests.servers.github_rest import PREFIX, answer_rest
from tests.servers.github_schema import schema
from tests.servers.github_views import Reading
from tests.servers.http import Host

TOKEN = "token-of-ada"  # noqa: S105 - opens nothing but this server
GRAPHQL = "/api/graphql"

Hook = Callable[[Request], None]


class GitHubServer:
    """One repository behind GitHub's protocol.

    Args:
        pulls: What the repository holds at first; ``put`` and ``remove`` change it.
        repository: Its name, licence and branch.
        tokens: The tokens that are let in. Any other is refused; without a token REST answers,
            and GraphQL does not.
        limit: Points of each token and hour, for REST and for GraphQL.
        hook: Called with each request before it is looked at, in the thread that answers it; what
            it changes is in the answer.
        clock: The time, in seconds since 1970, by which points are renewed.
        limited_type: The type of GraphQL's error when no points are left. GitHub has been seen to
            write ``RATE_LIMIT`` too.
    """

    def __init__(
        self,
        pulls: Iterable[Pull] = (),
        *,
        repository: Repository | None = None,
        tokens: Collection[str] = (TOKEN,),
        limit: int = 5000,
        hook: Hook | None = None,
        clock: Callable[[], float] = time.time,
        limited_type: str = "RATE_LIMITED",
    ) -> None:
        self.repository = repository or Repository()
        self.tokens = tuple(tokens)
        self.hook = hook
        self.limited_type = limited_type
        self._lock = threading.Lock()
        self._pulls = {pull.number: pull for pull in pulls}
        self._ledger = Ledger(limit, clock)
        self._faults: list[Fault] = []
        self._requests: list[Request] = []
        self._begun = 0
        self._host: Host | None = None

    def __enter__(self) -> Self:
        self._host = Host(self._answer_http)
        self._host.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._host is not None:
            self._host.stop()

    @property
    def host(self) -> str:
        """Return the root of all addresses, ``http://127.0.0.1:PORT``."""
        assert self._host is not None, "the server is not started"
        return f"http://127.0.0.1:{self._host.port}"

    @property
    def base_url(self) -> str:
        """Return what PyGithub takes as ``base_url``."""
        return f"{self.host}{PREFIX}"

    @property
    def graphql_url(self) -> str:
        return f"{self.host}{GRAPHQL}"

    # Data

    @property
    def pulls(self) -> dict[int, Pull]:
        """Return what the repository holds now, as a copy."""
        with self._lock:
            return dict(self._pulls)

    def put(self, *pulls: Pull) -> None:
        """Add pull requests, or replace those of the same number."""
        with self._lock:
            self._pulls.update({pull.number: pull for pull in pulls})

    def remove(self, *numbers: int) -> None:
        """Remove pull requests; it is an error if one is not there."""
        with self._lock:
            for number in numbers:
                del self._pulls[number]

    # Points, faults, records

    def points(
        self,
        token: str | None = TOKEN,
        *,
        remaining: int | None = None,
        limit: int | None = None,
        resets_in: float | None = None,
        resource: Resource | None = None,
    ) -> None:
        """Set a token's points, of one resource or of both; ``None`` leaves a part as it is."""
        for each in RESOURCES if resource is None else (resource,):
            self._ledger.change(token, each, limit=limit, remaining=remaining, resets_in=resets_in)

    def window(self, token: str | None = TOKEN, resource: Resource = "graphql") -> Window:
        """Return a token's points as they are now."""
        return self._ledger.window(token, resource)

    def plan(self, *faults: Fault) -> None:
        """Add faults. The first planned one that fits a request, and is not used up, happens."""
        with self._lock:
            self._faults.extend(faults)

    @property
    def requests(self) -> list[Request]:
        """Return all answered requests, in the order in which they arrived."""
        with self._lock:
            return sorted(self._requests, key=lambda request: request.index)

    @property
    def paid(self) -> list[Request]:
        """Return the requests that took points."""
        return [request for request in self.requests if request.cost]

    @property
    def spent(self) -> int:
        """Return the points that all requests took."""
        return sum(request.cost for request in self.requests)

    def forget(self) -> None:
        """Drop the record; the next request's index goes on from the last."""
        with self._lock:
            self._requests.clear()

    # Answers

    def _answer_http(
        self, handler: BaseHTTPRequestHandler, body: bytes, wait: Callable[[float], object]
    ) -> PaidAnswer:
        operation = read_operation(body) if handler.path == GRAPHQL else None
        query, variables, name = operation or ("", {}, None)
        with self._lock:
            index, self._begun = self._begun, self._begun + 1
        request = Request(
            index=index,
            method=handler.command,
            path=handler.path,
            token=_read_token(handler.headers.get("Authorization")),
            query=query,
            variables=variables,
            if_none_match=handler.headers.get("If-None-Match"),
        )
        if self.hook is not None:
            self.hook(request)
        fault = self._take_fault(request)
        if fault is not None and fault.kind is Kind.SLOW:
            wait(fault.seconds)
        answer = self._answer(request, name, fault)
        with self._lock:
            done = replace(request, status=answer.status, cost=answer.cost)
            self._requests.append(done)
        return answer

    def _take_fault(self, request: Request) -> Fault | None:
        with self._lock:
            planned = list(self._faults)
        # Asked outside the lock: a predicate is a test's own code, and may look at the server.
        fault = next((each for each in planned if each.fits(request)), None)
        if fault is None or fault.times is None:
            return fault
        with self._lock:
            place = next((n for n, each in enumerate(self._faults) if each is fault), None)
            if place is None:  # another thread used it up meanwhile
                return None
            left = fault.times - 1
            self._faults[place : place + 1] = [replace(fault, times=left)] if left > 0 else []
        return fault

    def _answer(self, request: Request, operation: str | None, fault: Fault | None) -> PaidAnswer:
        resource: Resource = "graphql" if request.path == GRAPHQL else "core"
        answer = instead_of_work(fault) if fault is not None and fault.kind not in PAID else None
        if answer is None:
            if request.token is not None and request.token not in self.tokens:
                answer = bad_credentials()
            elif resource == "graphql":
                answer = self._answer_graphql(request, operation, fault)
            else:
                answer = self._answer_rest(request)
            if fault is not None:
                answer = damage(answer, fault)
        # Bad credentials are counted for nobody's token.
        payer = request.token if request.token in self.tokens else None
        window = self._ledger.charge(payer, resource, 0)
        marks = {**window.headers(resource), "X-GitHub-Request-Id": REQUEST_ID}
        return replace(answer, headers={**answer.headers, **marks})

    def _user(self, token: str) -> int:
        return self.tokens.index(token) + 1

    def _answer_rest(self, request: Request) -> PaidAnswer:
        token = request.token
        if request.method != "GET":
            return refusal(404, "Not Found")
        if request.path.partition("?")[0] == f"{PREFIX}/rate_limit":
            windows = {each: self._ledger.window(token, each).as_json(each) for each in RESOURCES}
            return json_answer(200, {"resources": windows, "rate": windows["core"]})
        if self._ledger.window(token, "core").remaining == 0:
            return rest_limited(None if token is None else self._user(token))
        answer = answer_rest(self.repository, self.pulls, request.path, self.host)
        tag = answer.headers.get("ETag")
        if tag is not None and _matches(request.if_none_match, tag):
            # GitHub gives a 304 away only to those who say who they are.
            cost = 0 if token is not None else 1
            answer = PaidAnswer(304, b"", {"ETag": tag}, cost=cost)
        else:
            answer = replace(answer, cost=1)
        self._ledger.charge(token, "core", answer.cost)
        return answer

    def _answer_graphql(
        self, request: Request, operation: str | None, fault: Fault | None
    ) -> PaidAnswer:
        token = request.token
        if token is None:
            return bad_credentials()
        if request.method != "POST":
            return refusal(404, "Not Found", "graphql")
        if self._ledger.window(token, "graphql").remaining == 0:
            return graphql_limited(self._user(token), self.limited_type)
        if not request.query:
            return refusal(
                400, "A query attribute must be specified and must be a string.", "graphql"
            )
        document, errors = read_query(request.query)
        cost = Cost(1, 0)
        if document is not None:
            cost = measure(schema(), document, request.variables, operation)
        if cost.nodes > NODE_LIMIT:
            errors = [
                failure(
                    "MAX_NODE_LIMIT_EXCEEDED",
                    f"This query requests up to {cost.nodes:,} possible nodes which exceeds the "
                    f"maximum limit of {NODE_LIMIT:,}.",
                )
            ]
            cost = Cost(1, cost.nodes)
        window = self._ledger.charge(token, "graphql", cost.points)
        body = instead_of_data(fault) if fault is not None else None
        if document is None or errors:
            body = {"errors": [error_json(error) for error in errors]}
        elif body is None:
            reading = Reading(
                self.repository,
                self.pulls,
                rate=view_rate(cost, window),
                spoilt=spoil(fault),
            )
            body = execute(document, request.variables, operation, reading)
        return json_answer(200, body, cost=cost.points)


def _read_token(header: str | None) -> str | None:
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() in {"token", "bearer"} else header


def _matches(given: str | None, tag: str) -> bool:
    """Compare entity tags as HTTP does for a GET: weak and strong ones alike."""
    tags = [each.strip().removeprefix("W/") for each in (given or "").split(",")]
    return tag.removeprefix("W/") in tags or "*" in tags
