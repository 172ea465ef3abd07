"""A record of an older version as one of a newer version; pure.

A field that is new and may be null is filled with null. Any other change needs a function in
`MIGRATIONS`, named by the record and the version that it leads to: it gets the record with all that
could be done by rule done, and returns it whole.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from davinci_agency.errors import SchemaError
from davinci_agency.schema.registry import JsonSchema, Schema

JsonRecord = dict[str, Any]
Migration = Callable[[JsonRecord], JsonRecord]

MIGRATIONS: Mapping[tuple[str, str], Migration] = {}
"""What can't be done by rule, by record and the version that it leads to."""


def migrate_record(
    record: Mapping[str, Any],
    steps: Sequence[Schema],
    migrations: Mapping[tuple[str, str], Migration] = MIGRATIONS,
) -> JsonRecord:
    """Return a record after each of some consecutive versions, none left out.

    Raises `SchemaError` if a step needs a function and there is none.
    """
    value = copy.deepcopy(dict(record))
    for schema in steps:
        by_hand = migrations.get((schema.record, schema.version))
        value = _filled(value, schema.document, schema, "$", strict=by_hand is None)
        value["schema_version"] = schema.version
        if by_hand is not None:
            value = by_hand(value)
    return value


def _filled(value: Any, node: JsonSchema, schema: Schema, path: str, *, strict: bool) -> Any:
    """Return a value with null in every field that is new and may be null."""
    if node.get("x-arrow") == "json" or value is None:
        return value
    if isinstance(value, list) and "items" in node:
        inner = schema.follow(node["items"])
        return [_filled(each, inner, schema, f"{path}[]", strict=strict) for each in value]
    if not (isinstance(value, dict) and "properties" in node):
        return value
    gone = [name for name in value if name not in node["properties"]]
    if gone and strict:
        raise SchemaError(f"{schema.name}: {path}.{gone[0]} is gone; there is no rule for that.")
    filled = {}
    for name, reference in node["properties"].items():
        child = schema.follow(reference)
        if name in value:
            filled[name] = _filled(value[name], child, schema, f"{path}.{name}", strict=strict)
        elif "null" in child.get("type", ()):
            filled[name] = None
        elif strict:
            raise SchemaError(f"{schema.name}: {path}.{name} is new and can't be null; say what.")
    return {**filled, **{name: value[name] for name in gone}}
