"""Connections of the loopback GitHub: bounds, cursors, and pages that start after a key.

A page after a cursor is what sorts after it *now*. A list that changed since the last page
therefore neither repeats nor skips what kept its place.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
)

from tests.servers.github_cost import PAGE_LIMIT

Item = TypeVar("Item")
Key = tuple[str | int, int]
View = dict[str, object]

if TYPE_CHECKING:
    Info = GraphQLResolveInfo[None]
else:
    Info = GraphQLResolveInfo  # generic for the type checker alone

_MARK = "cursor:v2:"


class Page(TypedDict, total=False):
    """The arguments of every connection."""

    first: int | None
    last: int | None
    after: str | None
    before: str | None


def failure(kind: str, message: str) -> GraphQLError:
    """Return an error with GitHub's ``type``; graphql-core adds where it happened."""
    return GraphQLError(message, extensions={"type": kind} if kind else None)


def encode_cursor(key: Key) -> str:
    return base64.b64encode((_MARK + json.dumps(key)).encode()).decode()


def decode_cursor(cursor: str, like: Key | None) -> Key:
    """Return the key in a cursor; ``like`` is a key of the list, to compare with."""
    refused = failure(
        "INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor."
    )
    try:
        text = base64.b64decode(cursor, validate=True).decode()
        key = json.loads(text.removeprefix(_MARK))
    except (binascii.Error, ValueError):
        raise refused from None
    match key:
        case [str() | int() as first, int() as second] if text.startswith(_MARK):
            # A cursor of another order cannot be placed in this one.
            if like is not None and type(like[0]) is not type(first):
                raise refused
            return first, second
    raise refused


def paginate(
    info: Info,
    rows: Sequence[tuple[Key, Item]],
    view: Callable[[Item], object],
    *,
    descending: bool = False,
    **page: Unpack[Page],
) -> View:
    """Return a connection over sorted rows; ``view`` is asked only for the items of the page."""
    first, last = page.get("first"), page.get("last")
    after, before = page.get("after"), page.get("before")
    _check_bounds(info, first, last)
    like = rows[0][0] if rows else None

    def follows(key: Key, limit: Key) -> bool:
        return _less(key, limit) if descending else _less(limit, key)

    start, stop = 0, len(rows)
    if after is not None:
        limit = decode_cursor(after, like)
        start = sum(not follows(key, limit) for key, _ in rows)
    if before is not None:
        limit = decode_cursor(before, like)
        stop = max(start, sum(follows(limit, key) for key, _ in rows))
    if first is not None:
        stop = min(stop, start + first)
    elif last is not None:
        start = max(start, stop - last)
    else:
        stop = start
    shown = rows[start:stop]
    cursors = [encode_cursor(key) for key, _ in shown]
    nodes = [view(item) for _, item in shown]
    return {
        "totalCount": len(rows),
        "nodes": nodes,
        "edges": [{"cursor": c, "node": n} for c, n in zip(cursors, nodes, strict=True)],
        "pageInfo": {
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
            "hasNextPage": stop < len(rows),
            "hasPreviousPage": start > 0,
        },
    }


def by_position(items: Sequence[Item]) -> list[tuple[Key, Item]]:
    """Key a list by position: what GitHub does for short lists inside a pull request."""
    return [((position, 0), item) for position, item in enumerate(items)]


def _less(one: Key, other: Key) -> bool:
    if isinstance(one[0], int) and isinstance(other[0], int):
        return (one[0], one[1]) < (other[0], other[1])
    return (str(one[0]), one[1]) < (str(other[0]), other[1])


def _check_bounds(info: Info, first: int | None, last: int | None) -> None:
    name = info.field_name
    if first is None and last is None:
        # GitHub counts without a page size, but lists nothing.
        if _selects(info, {"nodes", "edges", "pageInfo"}):
            raise failure(
                "MISSING_PAGINATION_BOUNDARIES",
                "You must provide a `first` or `last` value to properly paginate "
                f"the `{name}` connection.",
            )
        return
    if first is not None and last is not None:
        raise failure(
            "INVALID_PAGINATION_BOUNDARIES",
            f"Passing both `first` and `last` to paginate the `{name}` connection "
            "is not supported.",
        )
    for bound, size in (("first", first), ("last", last)):
        if size is not None and size > PAGE_LIMIT:
            raise failure(
                "EXCESSIVE_PAGINATION",
                f"Requesting {size} records on the `{name}` connection exceeds the "
                f"`{bound}` limit of {PAGE_LIMIT} records.",
            )
        if size is not None and size < 0:
            raise failure(
                "INVALID_PAGINATION_BOUNDARIES",
                f"`{bound}` on the `{name}` connection cannot be less than zero.",
            )


def _selects(info: Info, names: set[str]) -> bool:
    fragments = {name: each.selection_set for name, each in info.fragments.items()}
    return any(_mentions(node.selection_set, names, fragments) for node in info.field_nodes)


def _mentions(
    selected: SelectionSetNode | None,
    names: set[str],
    fragments: Mapping[str, SelectionSetNode],
) -> bool:
    for node in selected.selections if selected else ():
        if isinstance(node, FieldNode) and node.name.value in names:
            return True
        if isinstance(node, InlineFragmentNode) and _mentions(node.selection_set, names, fragments):
            return True
        if isinstance(node, FragmentSpreadNode) and _mentions(
            fragments[node.name.value], names, fragments
        ):
            return True
    return False
