"""Whether a value follows its schema, and in a person's words where it does not.

The validator's own messages are never asked for: one wrong value of 12 MB would make a message of
12 MB. Ours are made from the path, the keyword and the first characters of the value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from davinci_agency.schema.registry import CURRENT_VERSION, Schema, load_schema

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a value.

    Attributes:
        json_path: where, such as ``$.stages[0].title``.
        expected: what should be there.
        found: what is there, cut short.
    """

    json_path: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.json_path} is {self.found}; expected {self.expected}"


class Validator:
    """Checks values against one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        registry = jsonschema_rs.Registry([(key, doc) for key, doc in schema.siblings.items()])
        self._validator = jsonschema_rs.validator_for(
            schema.document, registry=registry, validate_formats=True
        )

    def faults(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value made of JSON's types; empty if nothing is."""
        if self._validator.is_valid(value):
            return []
        return [_fault(error) for error in self._validator.iter_errors(value)]


@cache
def validator(record: str, version: str = CURRENT_VERSION) -> Validator:
    """Return the validator of a record.

    Raises `SchemaError` if there is no such record or version.
    """
    return Validator(load_schema(record, version))


def cut_short(value: Any) -> str:
    """Return a value as JSON of at most about 80 characters.

    >>> cut_short("a" * 1000)
    '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'
    """
    if isinstance(value, str):
        value = value[: _SHOWN_CHARACTERS + 1]
    elif isinstance(value, list | tuple) and len(value) > _SHOWN_CHARACTERS:
        value = list(value[:_SHOWN_CHARACTERS])
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _fault(error: jsonschema_rs.ValidationError) -> Fault:
    keyword, limit = error.kind.name, error.kind.value
    path = list(error.instance_path)
    if keyword == "required":
        return Fault(json_path([*path, limit]), "a value", "missing")
    if keyword == "additionalProperties":
        return Fault(json_path([*path, limit[0]]), "no such property", "there")
    return Fault(json_path(path), _expected(keyword, limit), cut_short(error.instance))


def _expected(keyword: str, limit: Any) -> str:
    match keyword:
        case "type":
            return " or ".join(sorted(limit))
        case "enum":
            return "one of " + ", ".join(cut_short(option) for option in limit)
        case "const":
            return cut_short(limit)
        case "pattern":
            return f"text that matches {limit}"
        case "format":
            return f"a {limit}"
        case "minimum" | "maximum":
            return f"at {'least' if keyword == 'minimum' else 'most'} {limit}"
        case "minLength" | "maxLength":
            return f"at {'least' if keyword == 'minLength' else 'most'} {limit} characters"
        case "minItems" | "maxItems":
            return f"at {'least' if keyword == 'minItems' else 'most'} {limit} items"
        case _:
            return f"what {keyword} {cut_short(limit)} allows"


def json_path(path: Iterable[str | int]) -> str:
    """Return a path in JSONPath's form.

    >>> json_path(["stages", 0, "title"])
    '$.stages[0].title'
    """
    parts = (f"[{key}]" if isinstance(key, int) else f".{key[:_SHOWN_CHARACTERS]}" for key in path)
    return "$" + "".join(parts)
