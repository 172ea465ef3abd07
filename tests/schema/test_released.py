"""What every released schema promises to whoever reads a column's name."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, get_args, get_origin

import jsonschema
import pytest

from davinci_agency.errors import SchemaError
from davinci_agency.records import RECORD_TYPES, SCHEMA_VERSION
from davinci_agency.schema import (
    CURRENT_VERSION,
    RECORDS,
    Schema,
    load_schema,
    validator,
    versions,
)

RELEASED = [load_schema(record, version) for version in versions() for record in RECORDS]
every_schema = pytest.mark.parametrize("schema", RELEASED, ids=lambda schema: schema.name)


def properties(schema: Schema) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property and every kind of item below a schema, references followed."""
    yield from _below("$", schema.document, schema)


def _below(path: str, node: dict[str, Any], schema: Schema) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in node.get("properties", {}).items():
        followed = schema.follow(child)
        yield f"{path}.{name}", followed
        # What is kept as JSON as a whole has no columns of its own.
        if followed.get("x-arrow") != "json":
            yield from _below(f"{path}.{name}", followed, schema)
    if "items" in node:
        followed = schema.follow(node["items"])
        yield f"{path}[]", followed
        if followed.get("x-arrow") != "json":
            yield from _below(f"{path}[]", followed, schema)


@every_schema
def test_every_property_says_what_it_is_its_unit_and_an_example(schema: Schema) -> None:
    found = list(properties(schema))
    assert len(found) > 5
    for path, node in found:
        assert node.get("description", "").endswith("."), path
        assert node.get("x-unit"), path
        assert node.get("examples"), path


@every_schema
def test_every_example_follows_its_own_schema(schema: Schema) -> None:
    checker = validator(schema.record, schema.version)
    for example in schema.document["examples"]:
        assert checker.faults(example) == []
    whole = schema.document["examples"][0]
    for name, child in schema.document["properties"].items():
        for example in schema.follow(child)["examples"]:
            assert checker.faults({**whole, name: example}) == [], (name, example)


@every_schema
def test_every_schema_is_a_schema_of_2020_12(schema: Schema) -> None:
    assert schema.document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema.document)


@every_schema
def test_every_schema_names_the_properties_that_identify_a_record(schema: Schema) -> None:
    assert set(schema.document["x-identity"]) <= set(schema.document["properties"])


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_s_fields_are_its_schema_s_properties_in_their_order(record: str) -> None:
    schema = load_schema(record)
    _check_class(record, RECORD_TYPES[record], schema.document, schema)


def _check_class(path: str, cls: type, node: dict[str, Any], schema: Schema) -> None:
    hints = typing.get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    assert names == list(node["properties"]), path
    for name in names:
        _check_hint(f"{path}.{name}", hints[name], schema.follow(node["properties"][name]), schema)


def _check_hint(path: str, hint: Any, node: dict[str, Any], schema: Schema) -> None:
    said = node.get("type")
    kinds = {said} if isinstance(said, str) else set(said or ())
    if get_origin(hint) in (types.UnionType, typing.Union):
        assert "null" in kinds, path
        (hint,) = [part for part in get_args(hint) if part is not types.NoneType]
    else:
        assert "null" not in kinds, path
    kinds -= {"null"}
    if get_origin(hint) is typing.Literal:
        assert [value for value in node["enum"] if value is not None] == list(get_args(hint)), path
    elif get_origin(hint) is tuple:
        assert kinds == {"array"}, path
        _check_hint(f"{path}", get_args(hint)[0], schema.follow(node["items"]), schema)
    elif is_dataclass(hint):
        assert isinstance(hint, type)
        assert kinds == {"object"}, path
        _check_class(path, hint, node, schema)
    elif get_origin(hint) is dict:
        assert node["x-arrow"] == "json", path
    elif hint is datetime:
        assert node["format"] == "date-time", path
    else:
        scalars = {str: "string", int: "integer", float: "number", bool: "boolean"}
        assert kinds == {scalars[hint]}, path
        assert "enum" not in node, path


def test_the_records_mirror_the_newest_version() -> None:
    assert SCHEMA_VERSION == CURRENT_VERSION == versions()[-1]


def test_an_unknown_version_is_answered_with_those_that_are_known() -> None:
    with pytest.raises(SchemaError, match=r"'9\.9\.9'; this program knows 1\.0\.0"):
        load_schema("task", "9.9.9")


def test_an_unknown_record_is_answered_with_those_that_are_known() -> None:
    with pytest.raises(SchemaError, match="'pull'; there are pull-request, pr-chain"):
        load_schema("pull")


@pytest.mark.parametrize("version", ["..", "", "1.0", "/"])
def test_a_version_is_never_taken_for_a_path(version: str) -> None:
    with pytest.raises(SchemaError):
        load_schema("task", version)


def test_a_reference_to_nothing_is_named() -> None:
    document = {"$id": "urn:x", "properties": {"a": {"$ref": "urn:x#/no/such"}}}
    schema = Schema("x", "1.0.0", document, {"urn:x": document})
    with pytest.raises(SchemaError, match="urn:x#/no/such names nothing"):
        schema.follow(document["properties"]["a"])  # type: ignore[index]
