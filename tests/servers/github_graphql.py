"""From the text of a GraphQL request to the JSON of its answer, with graphql-core."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from graphql import DocumentNode, GraphQLError, execute_sync, parse, validate

from tests.servers.github_answers import error_json
from tests.servers.github_cost import Cost
from tests.servers.github_faults import Fault, Kind
from tests.servers.github_limits import Window
from tests.servers.github_pages import failure
from tests.servers.github_schema import schema
from tests.servers.github_views import Reading, Spoilt


def execute(
    document: DocumentNode,
    variables: Mapping[str, object],
    operation: str | None,
    reading: Reading,
) -> dict[str, object]:
    """Return the answer to a valid query, in GitHub's shape."""
    result = execute_sync(
        schema(),
        document,
        root_value=reading.root(),
        variable_values=dict(variables),
        operation_name=operation,
    )
    errors = [error_json(error) for error in result.errors or ()]
    if result.data is None and not any("path" in error for error in errors):
        return {"errors": errors}  # refused before it began: a variable of the wrong type
    return {"data": result.data, "errors": errors} if errors else {"data": result.data}


def spoil(fault: Fault | None) -> Spoilt | None:
    """Return what a fault takes out of an answer."""
    if fault is None or fault.kind is not Kind.PARTIAL:
        return None
    return Spoilt(fault.number, fault.below, failure(fault.error_type, fault.message))


def view_rate(cost: Cost, window: Window) -> dict[str, object]:
    """Return ``rateLimit``: points as they are when this query is paid for."""
    return {
        "cost": cost.points,
        "limit": window.limit,
        "nodeCount": cost.nodes,
        "remaining": window.remaining,
        "resetAt": datetime.fromtimestamp(window.reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "used": window.used,
    }


def read_query(text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """Return a query that the schema allows, or what is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, [error]
    errors = validate(schema(), document)
    return (None, errors) if errors else (document, [])


def read_operation(body: bytes) -> tuple[str, dict[str, object], str | None] | None:
    """Return query, variables and operation name of a GraphQL request, if it is one."""
    try:
        read = json.loads(body)
    except ValueError:
        return None
    match read:
        case {"query": str() as query}:
            variables, name = read.get("variables"), read.get("operationName")
            return (
                query,
                variables if isinstance(variables, dict) else {},
                name if isinstance(name, str) else None,
            )
    return None
