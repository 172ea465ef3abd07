"""The loopback GitHub, driven as a client drives the real one."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import github
import pytest
import requests
from github.Requester import Requester

from tests.servers.github import TOKEN, GitHubServer
from tests.servers.github_data import (
    Comment,
    CrossReference,
    Issue,
    Pull,
    Repository,
    Review,
    ReviewComment,
)
from tests.servers.github_faults import Fault, Kind, Request, first_above, is_graphql, is_rest

Json = dict[str, "Json"] | list["Json"] | str | int | bool | None

PULLS = """
query ($first: Int, $after: String, $order: IssueOrder) {
  repository(owner: "octo", name: "demo") {
    pullRequests(first: $first, after: $after, orderBy: $order) {
      totalCount
      pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
      nodes { id number updatedAt }
      edges { cursor node { number } }
    }
  }
}
"""
NEWEST = {"field": "UPDATED_AT", "direction": "DESC"}

FULL = Pull(
    7,
    title="Seven",
    body="Closes #3",
    author="dependabot",
    is_bot=True,
    merged_at="2024-02-01T00:00:00Z",
    merge_commit="c" * 40,
    head_oid="a" * 40,
    labels=("bug", "fix"),
    comments=(Comment("one"), Comment("two", author=None), Comment("one again")),
    reviews=(
        Review(comments=(ReviewComment("a.py", "why?"), ReviewComment("a.py", "and here?"))),
        Review(state="PENDING", submitted_at=None, author="ada"),
    ),
    closes=(Issue(3, "Broken", "It is."), Issue(9, "Far", repository="else/where")),
    cross_references=(
        CrossReference(1, created_at="2024-01-03T00:00:00Z"),
        CrossReference(4, is_pull=False, will_close=True),
        CrossReference(8, repository="else/where", author=None),
    ),
)


def day(number: int) -> str:
    return f"2024-01-{number:02}T00:00:00Z"


def some(count: int) -> list[Pull]:
    return [
        Pull(n, title=f"Pull {n}", updated_at=day(n), created_at=day(n))
        for n in range(1, count + 1)
    ]


class Client:
    """PyGithub without its retries, and plain HTTP."""

    def __init__(self, server: GitHubServer, token: str | None = TOKEN) -> None:
        self.server = server
        self.token = token
        auth = github.Auth.Token(token) if token else None
        self.github = github.Github(
            auth=auth,
            base_url=server.base_url,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        self.requester: Requester = self.github.requester

    def ask(self, query: str, **variables: object) -> dict[str, Json]:
        """Return the whole GraphQL answer, errors and all."""
        status, _, body = self.post(query, **variables)
        assert status == 200, body
        answer: dict[str, Json] = json.loads(body)
        return answer

    def post(self, query: str, **variables: object) -> tuple[int, dict[str, str], str]:
        return self.send("POST", "/api/graphql", {"query": query, "variables": variables})

    def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.server.host.removeprefix("http://"))
        if self.token:
            headers["Authorization"] = f"bearer {self.token}"
        try:
            text = None if body is None else json.dumps(body)
            connection.request(
                method, path, text, {k.replace("_", "-"): v for k, v in headers.items()}
            )
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read().decode()
        finally:
            connection.close()


class Connect(Protocol):
    def __call__(self, token: str | None = TOKEN) -> Client: ...


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer([FULL, *some(5)], tokens=(TOKEN, "second")) as running:
        yield running


@pytest.fixture
def connect(server: GitHubServer) -> Iterator[Connect]:
    made: list[Client] = []

    def connect(token: str | None = TOKEN) -> Client:
        made.append(Client(server, token))
        return made[-1]

    yield connect
    for client in made:
        client.github.close()


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()


def at(value: Json, *path: str | int) -> Json:
    for step in path:
        if isinstance(step, int):
            assert isinstance(value, list), (step, value)
            value = value[step]
        else:
            assert isinstance(value, dict), (step, value)
            value = value[step]
    return value


def page(answer: dict[str, Json]) -> dict[str, Json]:
    found = at(answer, "data", "repository", "pullRequests")
    assert isinstance(found, dict)
    return found


def numbers(answer: dict[str, Json]) -> list[Json]:
    nodes = page(answer)["nodes"]
    assert isinstance(nodes, list)
    return [at(node, "number") for node in nodes]


def kinds(answer: dict[str, Json]) -> list[Json]:
    errors = answer["errors"]
    assert isinstance(errors, list)
    return [at(error, "type") for error in errors]


# Through PyGithub


def test_pygithub_reads_the_repository_and_its_pulls(client: Client) -> None:
    repository = client.github.get_repo("octo/demo")
    assert repository.full_name == "octo/demo"
    assert repository.default_branch == "main"
    assert repository.license.spdx_id == "Apache-2.0"
    client.github.per_page = 2
    pulls = repository.get_pulls(state="all", sort="updated", direction="desc")
    assert [pull.number for pull in pulls] == [5, 4, 3, 2, 7, 1]
    again = repository.get_pulls(state="all")
    assert again.totalCount == 6
    assert again[0].user.login == "ada"
    assert list(repository.get_pulls()) == []


def test_pygithub_reads_the_limits(client: Client, server: GitHubServer) -> None:
    server.points(remaining=17, resource="graphql")
    limits = client.github.get_rate_limit()
    assert limits.resources.graphql.remaining == 17
    assert limits.rate.remaining == 5000
    assert server.spent == 0


def test_pygithub_asks_graphql(client: Client, server: GitHubServer) -> None:
    headers, data = client.requester.graphql_query(PULLS, {"first": 2, "order": NEWEST})
    assert numbers(data) == [5, 4]
    assert headers["x-ratelimit-resource"] == "graphql"
    assert headers["x-ratelimit-remaining"] == "4999"
    (request,) = server.requests
    assert (request.status, request.cost, request.token) == (200, 1, TOKEN)
    assert request.query == PULLS
    assert request.variables == {"first": 2, "order": NEWEST}
    with pytest.raises(github.UnknownObjectException, match="number of 66"):
        client.requester.graphql_query(
            '{ repository(owner: "octo", name: "demo") { pullRequest(number: 66) { id } } }', {}
        )
    node = str(at(data, "data", "repository", "pullRequests", "nodes", 0, "id"))
    _, found = client.requester.graphql_node(node, "number", "PullRequest")
    assert found["data"]["node"]["number"] == 5


def test_a_renamed_repository_is_followed() -> None:
    renamed = Repository(former_names=("old/name",), spdx_id=None, default_branch=None)
    with GitHubServer(some(1), repository=renamed) as server:
        client = Client(server)
        repository = client.github.get_repo("old/name")
        assert repository.full_name == "octo/demo"
        assert [pull.number for pull in repository.get_pulls(state="all")] == [1]
        ask = "query ($f: Boolean) { repository(owner: %s, followRenames: $f) { nameWithOwner } }"
        ask = ask % '"old", name: "name"'
        assert at(client.ask(ask), "data", "repository", "nameWithOwner") == "octo/demo"
        assert kinds(client.ask(ask, f=False)) == ["NOT_FOUND"]
        client.github.close()


# GraphQL


def test_a_pull_request_with_everything_below_it(client: Client) -> None:
    answer = client.ask(
        """
        query { repository(owner: "octo", name: "demo") {
          id nameWithOwner isPrivate licenseInfo { spdxId } defaultBranchRef { name }
          pullRequest(number: 7) {
            number title body url state createdAt updatedAt mergedAt merged baseRefName headRefOid
            mergeCommit { oid } author { __typename login }
            labels(first: 1) { totalCount pageInfo { hasNextPage endCursor } nodes { name } }
            comments(last: 2) { nodes { body author { login } } }
            reviews(first: 9) { nodes {
              state body submittedAt author { login }
              comments(first: 9) { totalCount nodes { path body createdAt author { login } } }
            } }
            closingIssuesReferences(first: 9) { nodes {
              number title body state repository { nameWithOwner }
            } }
            timelineItems(itemTypes: [CROSS_REFERENCED_EVENT], first: 9) { totalCount nodes {
              ... on CrossReferencedEvent {
                createdAt willCloseTarget isCrossRepository actor { login }
                source {
                  __typename
                  ... on PullRequest { number title repository { nameWithOwner } }
                  ... on Issue { number repository { nameWithOwner } }
                }
              }
            } }
            all: timelineItems { totalCount }
          }
        } }
        """
    )
    assert "errors" not in answer
    repository = at(answer, "data", "repository")
    assert at(repository, "licenseInfo") == {"spdxId": "Apache-2.0"}
    assert at(repository, "defaultBranchRef") == {"name": "main"}
    pull = at(repository, "pullRequest")
    assert at(pull, "author") == {"__typename": "Bot", "login": "dependabot"}
    assert at(pull, "mergeCommit") == {"oid": "c" * 40}
    assert at(pull, "labels", "nodes") == [{"name": "bug"}]
    assert at(pull, "labels", "totalCount") == 2
    assert at(pull, "labels", "pageInfo", "hasNextPage") is True
    assert at(pull, "comments", "nodes") == [
        {"body": "two", "author": None},
        {"body": "one again", "author": {"login": "ada"}},
    ]
    assert at(pull, "reviews", "nodes", 0, "comments", "nodes", 1, "body") == "and here?"
    assert at(pull, "reviews", "nodes", 1, "submittedAt") is None
    assert at(pull, "closingIssuesReferences", "nodes", 1, "repository", "nameWithOwner") == (
        "else/where"
    )
    assert at(pull, "timelineItems", "nodes") == [
        {
            "createdAt": day(1),
            "willCloseTarget": True,
            "isCrossRepository": False,
            "actor": {"login": "ada"},
            "source": {
                "__typename": "Issue",
                "number": 4,
                "repository": {"nameWithOwner": "octo/demo"},
            },
        },
        {
            "createdAt": day(1),
            "willCloseTarget": False,
            "isCrossRepository": True,
            "actor": None,
            "source": {
                "__typename": "PullRequest",
                "number": 8,
                "title": "",
                "repository": {"nameWithOwner": "else/where"},
            },
        },
        {
            "createdAt": day(3),
            "willCloseTarget": False,
            "isCrossRepository": False,
            "actor": {"login": "ada"},
            "source": {
                "__typename": "PullRequest",
                "number": 1,
                "title": "Pull 1",
                "repository": {"nameWithOwner": "octo/demo"},
            },
        },
    ]
    assert at(pull, "all", "totalCount") == 8


def test_every_id_is_found_again(client: Client) -> None:
    answer = client.ask(
        """
        { repository(owner: "octo", name: "demo") { id pullRequest(number: 7) { id
            comments(first: 9) { nodes { id } }
            reviews(first: 9) { nodes { id comments(first: 9) { nodes { id } } } }
            closingIssuesReferences(first: 9) { nodes { id } }
            timelineItems(first: 9, itemTypes: CROSS_REFERENCED_EVENT) { nodes {
              ... on CrossReferencedEvent { id source { ... on Issue { id } } }
            } }
        } } }
        """
    )
    ids: list[Json] = []

    def collect(value: Json) -> None:
        if isinstance(value, list):
            for each in value:
                collect(each)
        elif isinstance(value, dict):
            ids.extend(each for key, each in value.items() if key == "id")
            collect(list(value.values()))

    collect(answer["data"])
    assert len(ids) == len(set(map(str, ids))) == 15
    found = client.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)
    assert "errors" not in found
    nodes = at(found, "data", "nodes")
    assert isinstance(nodes, list)
    assert [at(node, "id") for node in nodes] == ids
    assert {at(node, "__typename") for node in nodes} == {
        "Repository",
        "PullRequest",
        "IssueComment",
        "PullRequestReview",
        "PullRequestReviewComment",
        "Issue",
        "CrossReferencedEvent",
    }


def test_an_id_outlives_the_deletion_of_an_earlier_comment(
    client: Client, server: GitHubServer
) -> None:
    query = """{ repository(owner: "octo", name: "demo") { pullRequest(number: 1) {
        comments(first: 9) { nodes { id body } } } } }"""
    comments = tuple(Comment(f"c{n}", created_at=day(n)) for n in (1, 2, 3))
    server.put(Pull(1, comments=comments))
    path = ("data", "repository", "pullRequest", "comments", "nodes")
    before = at(client.ask(query), *path)
    server.put(Pull(1, comments=(replace(comments[1], body="edited"), comments[2])))
    after = at(client.ask(query), *path)
    assert [at(before, n, "id") for n in (1, 2)] == [at(after, n, "id") for n in (0, 1)]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT", "COMMENTS"])
def test_pages_in_every_order(client: Client, field: str, direction: str) -> None:
    seen: list[Json] = []
    after: Json = None
    while True:
        answer = client.ask(
            PULLS, first=2, after=after, order={"field": field, "direction": direction}
        )
        info = page(answer)["pageInfo"]
        assert at(info, "hasPreviousPage") is bool(seen)
        assert at(info, "endCursor") == at(page(answer)["edges"], -1, "cursor")
        seen += numbers(answer)
        after = at(info, "endCursor")
        if not at(info, "hasNextPage"):
            break
    rising = {
        "CREATED_AT": [1, 7, 2, 3, 4, 5],
        "UPDATED_AT": [1, 7, 2, 3, 4, 5],
        "COMMENTS": [1, 2, 3, 4, 5, 7],
    }[field]
    assert seen == (rising if direction == "ASC" else rising[::-1])


def test_a_page_after_a_cursor_is_what_sorts_after_it_now(
    client: Client, server: GitHubServer
) -> None:
    first = client.ask(PULLS, first=2, order=NEWEST)
    assert numbers(first) == [5, 4]
    server.put(Pull(3, updated_at=day(20)), Pull(30, updated_at=day(21)))
    server.remove(4)  # what the cursor was made of
    cursor = at(page(first)["pageInfo"], "endCursor")
    second = client.ask(PULLS, first=2, after=cursor, order=NEWEST)
    assert numbers(second) == [2, 7]
    assert page(second)["totalCount"] == 6


def test_pages_backwards_and_filters(client: Client, server: GitHubServer) -> None:
    server.put(Pull(8, state="OPEN", base_ref="next", updated_at=day(9)))
    query = """query ($before: String, $states: [PullRequestState!], $base: String) {
      repository(owner: "octo", name: "demo") {
        pullRequests(last: 2, before: $before, states: $states, baseRefName: $base) {
          totalCount pageInfo { hasPreviousPage hasNextPage startCursor } nodes { number }
    } } }"""
    tail = client.ask(query, states=["MERGED"])
    assert numbers(tail) == [4, 5]
    info = page(tail)["pageInfo"]
    assert at(info, "hasPreviousPage") is True
    assert at(info, "hasNextPage") is False
    assert numbers(client.ask(query, states=["MERGED"], before=at(info, "startCursor"))) == [2, 3]
    assert numbers(client.ask(query, base="next")) == [8]
    assert numbers(client.ask(query, states=["CLOSED"])) == []


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ("", "MISSING_PAGINATION_BOUNDARIES", "`first` or `last`"),
        ("(first: 101)", "EXCESSIVE_PAGINATION", "Requesting 101 records on the `pullRequests`"),
        ("(last: 200)", "EXCESSIVE_PAGINATION", "`last` limit of 100 records"),
        ('(first: 1, after: "x")', "INVALID_CURSOR_ARGUMENTS", "`x` does not appear"),
        ('(first: 1, after: "Y3Vyc29yOnYyOlsxLCAyXQ==")', "INVALID_CURSOR_ARGUMENTS", "appear"),
    ],
)
def test_pages_out_of_bounds(client: Client, arguments: str, kind: str, words: str) -> None:
    answer = client.ask(
        f'{{ repository(owner: "octo", name: "demo") {{ pullRequests{arguments} '
        "{ nodes { number } } } }"
    )
    # The connection is not nullable, so the null climbs to the repository.
    assert answer["data"] == {"repository": None}
    assert kinds(answer) == [kind]
    assert at(answer, "errors", 0, "path") == ["repository", "pullRequests"]
    assert words in str(at(answer, "errors", 0, "message"))


def test_counting_needs_no_page_size(client: Client) -> None:
    answer = client.ask(
        '{ repository(owner: "octo", name: "demo") { pullRequests { totalCount } } }'
    )
    assert page(answer) == {"totalCount": 6}


def test_what_is_not_there(client: Client) -> None:
    answer = client.ask(
        """{
        repository(owner: "octo", name: "demo") { name pullRequest(number: 66) { id } }
        other: repository(owner: "octo", name: "none") { name }
        node(id: "PR_x") { id }
        nodes(ids: ["no"]) { id }
        }"""
    )
    assert answer["data"] == {
        "repository": {"name": "demo", "pullRequest": None},
        "other": None,
        "node": None,
        "nodes": [None],
    }
    assert kinds(answer) == ["NOT_FOUND"] * 4
    errors = answer["errors"]
    assert isinstance(errors, list)
    by_path = {json.dumps(at(error, "path")): error for error in errors}
    assert by_path['["repository", "pullRequest"]'] == {
        "type": "NOT_FOUND",
        "path": ["repository", "pullRequest"],
        "locations": [{"line": 2, "column": 56}],
        "message": "Could not resolve to a PullRequest with the number of 66.",
    }
    assert at(by_path['["other"]'], "message") == (
        "Could not resolve to a Repository with the name 'octo/none'."
    )
    assert at(by_path['["nodes", 0]'], "message") == (
        "Could not resolve to a node with the global id of 'no'"
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('{ repository(owner: "octo", name: "demo") { nmae } }', "nmae"),
        ('{ repository(name: "demo") { name } }', "owner"),
        ("{ repository(", "Syntax Error"),
        ("query ($n: Int!) { repository(owner: $n, name: $n) { name } }", "String!"),
        ('query ($f: Int!) { repository(owner: "a", name: "b") { pullRequests(first: $f) '
         "{ totalCount } } }", "$f"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused_without_data(client: Client, query: str, words: str) -> None:
    answer = client.ask(query)
    assert "data" not in answer
    assert words in str(at(answer, "errors", 0, "message"))
    with pytest.raises(github.GithubException):
        client.requester.graphql_query(query, {})


# Points


NESTED = """
query ($pulls: Int = %d, $with: Boolean = true) {
  rateLimit { limit cost remaining used nodeCount resetAt }
  repository(owner: "octo", name: "demo") { pullRequests(first: $pulls) { nodes { ...More } } }
}
fragment More on PullRequest {
  comments(first: 10) { totalCount }
  reviews(first: 20) @include(if: $with) { nodes { comments(first: 5) { totalCount } } }
}
"""


@pytest.mark.parametrize(
    ("pulls", "included", "requests", "nodes"),
    [
        (100, True, 1 + 100 + 100 + 2000, 100 + 1000 + 2000 + 10000),
        (100, False, 1 + 100, 100 + 1000),
        (1, True, 1 + 1 + 1 + 20, 1 + 10 + 20 + 100),
    ],
)
def test_the_cost_of_a_query(
    client: Client, server: GitHubServer, pulls: int, included: bool, requests: int, nodes: int
) -> None:
    answer = client.ask(NESTED % pulls, **{"with": included})
    cost = max(1, round(requests / 100))
    rate = at(answer, "data", "rateLimit")
    assert at(rate, "cost") == cost
    assert at(rate, "nodeCount") == nodes
    assert at(rate, "limit") == 5000
    assert at(rate, "remaining") == 5000 - cost
    assert at(rate, "used") == cost
    assert server.spent == cost
    assert server.window().remaining == 5000 - cost


def test_too_many_nodes_are_refused(client: Client) -> None:
    answer = client.ask(
        """{ repository(owner: "octo", name: "demo") { pullRequests(first: 100) { nodes {
        reviews(first: 100) { nodes { comments(first: 100) { totalCount } } } } } } }"""
    )
    assert "data" not in answer
    assert kinds(answer) == ["MAX_NODE_LIMIT_EXCEEDED"]
    assert "up to 1,010,100 possible nodes" in str(at(answer, "errors", 0, "message"))


def test_ids_multiply_what_is_below_them(client: Client) -> None:
    query = "query ($i: [ID!]!) { rateLimit { cost } nodes(ids: $i) { ... on PullRequest { %s } } }"
    below = " ".join(f"c{n}: comments(first: 1) {{ totalCount }}" for n in range(3))
    answer = client.ask(query % below, i=["x"] * 100)
    assert at(answer, "data", "rateLimit", "cost") == 3
    assert kinds(client.ask(query % below, i=["x"] * 101)) == ["ARGUMENT_LIMIT"]


def test_no_points_left_and_their_reset(connect: Connect, server: GitHubServer) -> None:
    client, other = connect(), connect("second")
    server.points(remaining=0)
    status, headers, body = client.post(PULLS, first=1)
    assert (status, headers["X-RateLimit-Remaining"]) == (200, "0")
    assert json.loads(body) == {
        "errors": [
            {
                "type": "RATE_LIMITED",
                "message": "API rate limit already exceeded for user ID 1.",
            }
        ]
    }
    with pytest.raises(github.RateLimitExceededException):
        client.github.get_repo("octo/demo")
    assert numbers(other.ask(PULLS, first=1)) == [1]
    assert server.spent == 1
    server.points(resets_in=0.1)
    time.sleep(max(0.0, server.window().reset - time.time()))
    assert numbers(client.ask(PULLS, first=1)) == [1]
    assert server.window().remaining == 4999


def test_points_follow_the_given_clock() -> None:
    now = [1000.0]
    with GitHubServer(some(1), clock=lambda: now[0], limit=1) as server:
        client = Client(server)
        assert "errors" not in client.ask(PULLS, first=1)
        assert kinds(client.ask(PULLS, first=1)) == ["RATE_LIMITED"]
        now[0] += 3600
        assert "errors" not in client.ask(PULLS, first=1)
        client.github.close()


# Tokens and entity tags


def test_tokens(connect: Connect) -> None:
    stranger, nobody = connect("stranger"), connect(None)
    with pytest.raises(github.BadCredentialsException):
        stranger.github.get_repo("octo/demo")
    assert stranger.post(PULLS, first=1)[0] == 401
    assert nobody.github.get_repo("octo/demo").full_name == "octo/demo"
    status, _, body = nobody.post(PULLS, first=1)
    assert status == 401
    assert json.loads(body)["message"] == "Bad credentials"


def test_an_unchanged_answer_is_free(connect: Connect, server: GitHubServer) -> None:
    client = connect()
    path = "/api/v3/repos/octo/demo/pulls?state=all"
    status, headers, _ = client.send("GET", path)
    assert status == 200
    tag = headers["ETag"]
    again = client.send("GET", path, If_None_Match=tag)
    assert (again[0], again[2], again[1]["ETag"]) == (304, "", tag)
    assert [request.cost for request in server.requests] == [1, 0]
    assert server.requests[1].if_none_match == tag
    assert connect(None).send("GET", path, If_None_Match=tag)[0] == 304
    assert server.requests[2].cost == 1, "without a token a 304 is counted"
    server.put(Pull(1, title="changed"))
    assert client.send("GET", path, If_None_Match=tag)[0] == 200


@pytest.mark.parametrize("path", ["/repos/octo/none", "/repos/octo/demo/none", "/none"])
def test_unknown_places(client: Client, path: str) -> None:
    status, _, body = client.send("GET", f"/api/v3{path}")
    assert status == 404
    assert json.loads(body)["message"] == "Not Found"
    with pytest.raises(github.UnknownObjectException):
        client.requester.requestJsonAndCheck("GET", path)


def test_the_pages_of_a_list(client: Client) -> None:
    path = "/api/v3/repos/octo/demo/pulls"
    _, headers, body = client.send("GET", f"{path}?state=all&per_page=4&page=1")
    assert [each["number"] for each in json.loads(body)] == [5, 4, 3, 2]
    assert f'{client.server.host}{path}?state=all&per_page=4&page=2>; rel="next"' in headers["Link"]
    _, headers, body = client.send("GET", f"{path}?state=all&per_page=4&page=2")
    assert [each["number"] for each in json.loads(body)] == [7, 1]
    assert json.loads(body)[0]["user"] == {"login": "dependabot[bot]", "type": "Bot"}
    assert 'rel="next"' not in headers["Link"]


# Faults


def test_a_bad_gateway_and_then_the_answer(client: Client, server: GitHubServer) -> None:
    server.plan(Fault(Kind.BAD_GATEWAY, times=2), Fault(Kind.BAD_GATEWAY_JSON))
    status, headers, body = client.post(PULLS, first=1)
    assert (status, headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert "Unicorn!" in body
    with pytest.raises(github.GithubException) as raised:
        client.requester.graphql_query(PULLS, {"first": 1})
    assert raised.value.status == 502
    status, _, body = client.post(PULLS, first=1)
    assert status == 502
    assert "result of a timeout" in json.loads(body)["errors"][0]["message"]
    assert numbers(client.ask(PULLS, first=1)) == [1]
    assert [request.cost for request in server.requests] == [0, 0, 0, 1]
    assert len(server.paid) == 1


def test_large_pages_fail_for_ever(client: Client, server: GitHubServer) -> None:
    server.plan(Fault(Kind.BAD_GATEWAY, when=first_above(2), times=None))
    assert [client.post(PULLS, first=n)[0] for n in (4, 3, 2, 3, 1)] == [502, 502, 200, 502, 200]
    literal = PULLS.replace("first: $first", "first: 3").replace("$first: Int, ", "")
    assert client.post(literal)[0] == 502


def test_errors_without_data(client: Client, server: GitHubServer) -> None:
    server.plan(
        Fault(Kind.ERRORS, error_type="FORBIDDEN", message="No."),
        Fault(Kind.WENT_WRONG),
        Fault(Kind.TIMED_OUT),
    )
    assert client.ask(PULLS, first=1) == {"errors": [{"type": "FORBIDDEN", "message": "No."}]}
    wrong = client.ask(PULLS, first=1)
    assert wrong["data"] is None
    assert str(at(wrong, "errors", 0, "message")).startswith(
        "Something went wrong while executing your query on "
    )
    assert client.ask(PULLS, first=1) == {"data": None, "errors": [{"message": "timedout"}]}
    assert server.spent == 3


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        (Fault(Kind.PARTIAL, number=2), ["repository", "pullRequests", "nodes", 1]),
        (Fault(Kind.PARTIAL), ["repository", "pullRequests", "nodes", 0]),
        (
            Fault(Kind.PARTIAL, number=2, below="comments", error_type="RESOURCE_LIMITS_EXCEEDED"),
            ["repository", "pullRequests", "nodes", 1, "comments"],
        ),
    ],
)
def test_one_pull_request_is_missing(
    client: Client, server: GitHubServer, fault: Fault, path: list[Json]
) -> None:
    server.plan(fault)
    query = """{ repository(owner: "octo", name: "demo") {
      pullRequests(first: 3, orderBy: {field: COMMENTS, direction: ASC}) {
        nodes { number comments(first: 1) { totalCount } } } } }"""
    answer = client.ask(query)
    nodes = page(answer)["nodes"]
    assert isinstance(nodes, list)
    assert [node is None for node in nodes] == [n == path[3] for n in range(3)]
    assert kinds(answer) == [fault.error_type]
    assert at(answer, "errors", 0, "path") == path
    assert numbers(client.ask(query)) == [1, 2, 3]


def test_a_missing_pull_request_is_missing_in_nodes_and_edges(
    client: Client, server: GitHubServer
) -> None:
    server.plan(Fault(Kind.PARTIAL, number=5))
    answer = client.ask(PULLS, first=1, order=NEWEST)
    assert page(answer)["nodes"] == [None]
    assert at(page(answer)["edges"], 0, "node") is None
    assert at(page(answer)["edges"], 0, "cursor") == at(page(answer)["pageInfo"], "endCursor")
    errors = answer["errors"]
    assert isinstance(errors, list)
    assert [at(error, "path", 2) for error in errors] == ["nodes", "edges"]


@pytest.mark.parametrize("retry_after", [None, 2])
@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_limit(
    client: Client, server: GitHubServer, status: int, retry_after: int | None
) -> None:
    fault = Fault(Kind.SECONDARY, status=status, retry_after=retry_after, times=2)
    server.plan(fault)
    got, headers, body = client.post(PULLS, first=1)
    assert got == status
    assert headers.get("Retry-After") == (str(retry_after) if retry_after else None)
    assert json.loads(body)["message"].startswith("You have exceeded a secondary rate limit. ")
    expected = github.RateLimitExceededException if status == 403 else github.GithubException
    with pytest.raises(expected):
        client.requester.graphql_query(PULLS, {"first": 1})
    assert server.spent == 0


def test_the_secondary_limit_as_a_200(client: Client, server: GitHubServer) -> None:
    server.plan(Fault(Kind.SECONDARY, status=200))
    assert "secondary rate limit" in str(at(client.ask(PULLS, first=1), "errors", 0, "message"))


def test_connections_that_end_early(client: Client, server: GitHubServer) -> None:
    server.plan(Fault(Kind.DROPPED), Fault(Kind.HANG_UP), Fault(Kind.DROPPED), Fault(Kind.HANG_UP))
    with pytest.raises(http.client.IncompleteRead):
        client.post(PULLS, first=1)
    with pytest.raises(http.client.RemoteDisconnected):
        client.post(PULLS, first=1)
    for _ in range(2):
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            client.requester.graphql_query(PULLS, {"first": 1})
    assert numbers(client.ask(PULLS, first=1)) == [1]


def test_half_of_the_json(client: Client, server: GitHubServer) -> None:
    server.plan(Fault(Kind.BAD_JSON, times=2))
    status, headers, body = client.post(PULLS, first=1)
    assert (status, headers["Content-Length"]) == (200, str(len(body)))
    with pytest.raises(ValueError):
        json.loads(body)
    with pytest.raises(ValueError):
        client.requester.graphql_query(PULLS, {"first": 1})


def test_a_slow_answer(client: Client, server: GitHubServer) -> None:
    server.plan(Fault(Kind.SLOW, seconds=0.2))
    begun = time.monotonic()
    assert numbers(client.ask(PULLS, first=1)) == [1]
    assert time.monotonic() - begun >= 0.2


def test_faults_choose_their_requests(client: Client, server: GitHubServer) -> None:
    server.plan(
        Fault(Kind.BAD_GATEWAY, when=2),
        Fault(Kind.TIMED_OUT, when=is_graphql),
        Fault(Kind.SECONDARY, when=is_rest, status=429),
    )
    assert client.send("GET", "/api/v3/rate_limit")[0] == 429
    assert at(client.ask(PULLS, first=1), "data") is None
    assert client.post(PULLS, first=1)[0] == 502
    assert numbers(client.ask(PULLS, first=1)) == [1]


# Threads, and the end


def test_a_hook_changes_data_while_it_is_read() -> None:
    def drift(request: Request) -> None:
        running.put(Pull(100 + request.index, updated_at=day(28)))

    with GitHubServer(some(2), hook=drift) as running:
        client = Client(running)
        assert numbers(client.ask(PULLS, first=9)) == [1, 100, 2]
        assert numbers(client.ask(PULLS, first=9)) == [1, 100, 101, 2]
        client.github.close()


def test_many_clients_at_once(client: Client, server: GitHubServer) -> None:
    server.plan(Fault(Kind.BAD_GATEWAY, times=5))
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(client.post(PULLS, first=1)[0]))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 15 + [502] * 5
    assert [request.index for request in server.requests] == list(range(20))
    assert server.window().used == server.spent == 15


def test_a_connection_is_kept(server: GitHubServer) -> None:
    connection = http.client.HTTPConnection(server.host.removeprefix("http://"))
    for _ in range(3):
        connection.request("GET", "/api/v3/rate_limit")
        first = connection.sock
        assert connection.getresponse().read()
        assert connection.sock is first is not None
    connection.close()


def test_the_end_waits_for_nobody() -> None:
    before = threading.active_count()
    with GitHubServer(some(1)) as server:
        server.plan(Fault(Kind.SLOW, seconds=60))
        idle = http.client.HTTPConnection(server.host.removeprefix("http://"))
        idle.request("GET", "/api/v3/rate_limit", headers={"Authorization": f"token {TOKEN}"})
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert threading.active_count() == before
    idle.close()
    with pytest.raises(ConnectionError):
        idle.request("GET", "/")
