"""Hypothesis strategies for rows: values that follow a JSON Schema of the supported subset."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from davinci_agency.schema import Schema, load_schema

JsonSchema = dict[str, Any]
Values = st.SearchStrategy[Any]

INT64 = 2**63
CHARACTERS = st.characters(exclude_categories=["Cs"])
"""Every character that JSON can hold: control characters and odd planes too, no half pairs."""

_HEX = "0123456789abcdef"
_NAME = st.text("ABCXYZabcxyz019._-", min_size=1, max_size=12)
# Written out, since drawing from a regular expression is slow.
_PATTERNS: dict[str, Values] = {
    "^([0-9a-f]{40}|[0-9a-f]{64})$": st.text(_HEX, min_size=40, max_size=40)
    | st.text(_HEX, min_size=64, max_size=64),
    "^[0-9a-f]{16}$": st.text(_HEX, min_size=16, max_size=16),
    "^[0-9a-f]{64}$": st.text(_HEX, min_size=64, max_size=64),
    "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$": st.tuples(_NAME, _NAME).map("/".join),
    "^[A-Za-z0-9][A-Za-z0-9.+() -]*$": st.sampled_from(
        ["MIT", "BSD-3-Clause", "MIT OR (GPL-2.0+)"]
    ),
    "^[a-z0-9-]+$": st.text("abcxyz019-", min_size=1, max_size=20),
    "^[a-z][a-z-]*$": st.sampled_from(["weak-tie", "hub"]),
}

JSON_VALUES: Values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INT64, INT64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS, max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(CHARACTERS, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
JSON_OBJECTS = st.dictionaries(st.text(CHARACTERS, max_size=4), JSON_VALUES, max_size=3)


def rfc3339(moment: datetime) -> str:
    """Return a moment as the schemas want it."""
    return f"{moment.replace(microsecond=0).isoformat()}Z"


def moments(since: int = 1000) -> Values:
    """Return a strategy for times in the form of the schemas."""
    return st.datetimes(datetime(since, 1, 1), datetime(9999, 12, 31)).map(rfc3339)


def rows_of(record: str) -> Values:
    """Return a strategy for rows of a released record."""
    schema = load_schema(record)
    return values_of(schema.document, schema)


def values_of(node: JsonSchema, schema: Schema) -> Values:
    """Return a strategy for values that follow a node of a schema."""
    node = schema.follow(node)
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return st.one_of([_of_kind(kind, node, schema) for kind in kinds])


def _of_kind(kind: str, node: JsonSchema, schema: Schema) -> Values:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            low, high = node.get("minimum", -INT64), node.get("maximum", INT64 - 1)
            return st.integers(low, high)
        case "number":
            return st.floats(
                node.get("minimum"),
                node.get("maximum"),
                allow_nan=False,
                allow_infinity=False,
            )
        case "string":
            return _texts(node)
        case "array":
            items = values_of(node["items"], schema) if "items" in node else JSON_VALUES
            return st.lists(items, min_size=node.get("minItems", 0), max_size=3)
        case _:
            return _objects(node, schema)


def _texts(node: JsonSchema) -> Values:
    if node.get("format") == "date-time":
        return moments()
    if "pattern" in node:
        return _PATTERNS[node["pattern"]]
    return st.text(CHARACTERS, min_size=node.get("minLength", 0), max_size=12)


def _objects(node: JsonSchema, schema: Schema) -> Values:
    if "properties" not in node:
        return JSON_OBJECTS
    required = {name: values_of(child, schema) for name, child in node["properties"].items()}
    named = {name: required[name] for name in node.get("required", ())}
    others = {name: value for name, value in required.items() if name not in named}
    return st.fixed_dictionaries(named, optional=others)
