"""Answers of the loopback GitHub that are not data: errors, limits, and broken pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from graphql import GraphQLError

from tests.servers.github_faults import Fault, Kind
from tests.servers.http import Answer, Ending

DOCS = "https://docs.github.com"
JSON_TYPE = "application/json; charset=utf-8"
REQUEST_ID = "0A1B:2C3D:4E5F60:718293:65920080"

_HTML: Final = b"""<!DOCTYPE html>
<html>
  <head><title>Unicorn! &middot; GitHub</title></head>
  <body>
    <h1>This page is taking too long to load.</h1>
    <p>Sorry about that. Please try refreshing and contact us if the problem persists.</p>
  </body>
</html>
"""
_SECONDARY: Final = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    f"If you reach out to GitHub Support for help, please include the request ID {REQUEST_ID}."
)


@dataclass(frozen=True, slots=True)
class PaidAnswer(Answer):
    """An answer and the points that it takes."""

    cost: int = 0


def json_answer(
    status: int, body: object, headers: Mapping[str, str] | None = None, *, cost: int = 0
) -> PaidAnswer:
    text = json.dumps(body, ensure_ascii=False).encode()
    return PaidAnswer(status, text, {"Content-Type": JSON_TYPE, **(headers or {})}, cost=cost)


def refusal(
    status: int, message: str, page: str = "rest", headers: Mapping[str, str] | None = None
) -> PaidAnswer:
    """Return an error in REST's words."""
    body = {"message": message, "documentation_url": f"{DOCS}/{page}", "status": str(status)}
    return json_answer(status, body, headers)


def bad_credentials() -> PaidAnswer:
    return refusal(401, "Bad credentials")


def rest_limited(user: int | None) -> PaidAnswer:
    """Return the primary limit in REST's words; ``None`` is a caller without a token."""
    whom = f"user ID {user}" if user is not None else "127.0.0.1"
    message = (
        f"API rate limit exceeded for {whom}. If you reach out to GitHub Support for help, "
        f"please include the request ID {REQUEST_ID}."
    )
    return refusal(403, message, "rest/overview/rate-limits-for-the-rest-api")


def graphql_limited(user: int, error_type: str) -> PaidAnswer:
    """Return the primary limit in GraphQL's words: a 200 without data."""
    message = f"API rate limit already exceeded for user ID {user}."
    return json_answer(200, {"errors": [{"type": error_type, "message": message}]})


def error_json(error: GraphQLError) -> dict[str, object]:
    """Return an error as GitHub writes it: its type stands beside the message."""
    formatted = error.formatted
    body: dict[str, object] = {}
    extensions = dict(formatted.get("extensions") or {})
    kind = extensions.pop("type", None)
    if kind:
        body["type"] = kind
    if "path" in formatted:
        body["path"] = formatted["path"]
    if extensions:
        body["extensions"] = extensions
    if "locations" in formatted:
        body["locations"] = formatted["locations"]
    body["message"] = formatted["message"]
    return body


def instead_of_work(fault: Fault) -> PaidAnswer | None:
    """Return the answer of a fault that keeps a request from being looked at, if it is one."""
    if fault.kind is Kind.BAD_GATEWAY:
        return PaidAnswer(502, _HTML, {"Content-Type": "text/html; charset=utf-8"})
    if fault.kind is Kind.BAD_GATEWAY_JSON:
        message = (
            "Something went wrong while executing your query. This may be the result of a "
            f"timeout, or it could be a GitHub bug. Please include `{REQUEST_ID}` when reporting "
            "this issue."
        )
        return json_answer(502, {"data": None, "errors": [{"message": message}]})
    if fault.kind is Kind.SECONDARY:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.status == 200:
            errors = [{"type": "RATE_LIMITED", "message": _SECONDARY}]
            return json_answer(200, {"errors": errors}, headers)
        page = "rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
        return refusal(fault.status, _SECONDARY, page, headers)
    if fault.kind is Kind.HANG_UP:
        return PaidAnswer(0, b"", ending=Ending.HANG_UP)
    return None


def instead_of_data(fault: Fault) -> dict[str, object] | None:
    """Return the GraphQL body of a fault that replaces data which was paid for, if it is one."""
    if fault.kind is Kind.ERRORS:
        error = {"type": fault.error_type} if fault.error_type else {}
        return {"errors": [{**error, "message": fault.message}]}
    if fault.kind is Kind.WENT_WRONG:
        message = (
            "Something went wrong while executing your query on 2024-01-01T00:00:00Z. "
            f"Please include `{REQUEST_ID}` when reporting this issue."
        )
        return {"data": None, "errors": [{"message": message}]}
    if fault.kind is Kind.TIMED_OUT:
        return {"data": None, "errors": [{"message": "timedout"}]}
    return None


def damage(answer: PaidAnswer, fault: Fault) -> PaidAnswer:
    """Return a right answer as a fault leaves it."""
    if fault.kind is Kind.BAD_JSON:
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    if fault.kind is Kind.DROPPED:
        return replace(answer, ending=Ending.DROPPED)
    return answer
