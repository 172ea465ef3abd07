"""That every object of a released schema has the same columns in every row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from davinci_agency.schema import RECORDS, Schema, load_schema, validator, versions
from tests.schema.strategies import JsonSchema

RELEASED = [load_schema(record, version) for version in versions() for record in RECORDS]
every_schema = pytest.mark.parametrize("schema", RELEASED, ids=lambda schema: schema.name)


def _objects(path: list[str], node: JsonSchema, schema: Schema) -> Iterator[tuple[str, JsonSchema]]:
    """Yield every object that becomes columns, references followed."""
    node = schema.follow(node)
    if node.get("x-arrow") == "json":
        return
    if "properties" in node:
        yield ".".join(path), node
    for name, child in node.get("properties", {}).items():
        yield from _objects([*path, name], child, schema)
    if "items" in node:
        yield from _objects([*path, "[]"], node["items"], schema)


@every_schema
def test_every_object_is_closed_and_all_its_properties_are_required(schema: Schema) -> None:
    found = list(_objects(["$"], schema.document, schema))
    assert found[0] == ("$", schema.document)
    for path, node in found:
        assert node["additionalProperties"] is False, path
        # In one order, so that a reader finds a property where the list says it is.
        assert node["required"] == list(node["properties"]), path


@every_schema
def test_a_record_without_one_of_its_properties_is_never_valid(schema: Schema) -> None:
    whole: dict[str, Any] = schema.document["examples"][0]
    assert set(whole) == set(schema.document["properties"])
    for name in whole:
        without = {key: value for key, value in whole.items() if key != name}
        (fault,) = validator(schema.record, schema.version).faults(without)
        assert (fault.json_path, fault.found) == (f"$.{name}", "missing")
