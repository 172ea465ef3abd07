"""What a new version of the schemas changes for readers, and the number that it needs; pure.

| change | version |
|---|---|
| a record, a column or a field went away, or its type changed | MAJOR |
| values may be null that never were | MAJOR |
| a record, a column or a field is new; other words in a list; other bounds | MINOR |
| only words changed: description, unit, examples | PATCH |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from davinci_agency.schema.registry import JsonSchema, Schema

_WORDS = ("title", "description", "x-unit", "examples", "x-identity")
_BOUNDS = (
    "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
)  # fmt: skip


class Impact(IntEnum):
    """How much of a version's number a change moves."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One change, in words.

    Attributes:
        record: the record that it is in.
        path: where in the record; ``$`` for all of it.
        words: what changed.
        impact: what it means for the version.
    """

    record: str
    path: str
    words: str
    impact: Impact

    def __str__(self) -> str:
        return f"{self.impact.name.lower():5} {self.record} {self.path}: {self.words}"


def find_differences(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[Difference]:
    """Return every change between the schemas of two versions, the gravest first."""
    found: list[Difference] = []
    for record in {**old, **new}:
        if record not in new:
            found.append(Difference(record, "$", "the record is gone", Impact.MAJOR))
        elif record not in old:
            found.append(Difference(record, "$", "the record is new", Impact.MINOR))
        else:
            found += _between(record, dict(_nodes(old[record])), dict(_nodes(new[record])))
    return sorted(found, key=lambda each: (-each.impact, each.record, each.path))


def next_version(version: str, impact: Impact) -> str:
    """Return the least number that may follow.

    >>> next_version("1.2.3", Impact.MINOR)
    '1.3.0'
    """
    major, minor, patch = map(int, version.split("."))
    match impact:
        case Impact.MAJOR:
            return f"{major + 1}.0.0"
        case Impact.MINOR:
            return f"{major}.{minor + 1}.0"
        case _:
            return f"{major}.{minor}.{patch + 1}"


def _between(
    record: str, old: Mapping[str, JsonSchema], new: Mapping[str, JsonSchema]
) -> Iterator[Difference]:
    for path in old:
        if path not in new:
            yield Difference(record, path, "it is gone", Impact.MAJOR)
    for path, node in new.items():
        if path not in old:
            yield Difference(record, path, "it is new", Impact.MINOR)
        else:
            for words, impact in _changes(old[path], node):
                yield Difference(record, path, words, impact)


def _changes(old: JsonSchema, new: JsonSchema) -> Iterator[tuple[str, Impact]]:
    before, after = _kinds(old), _kinds(new)
    if before - {"null"} != after - {"null"} or old.get("format") != new.get("format"):
        yield f"its type was {_listed(before)} and is {_listed(after)}", Impact.MAJOR
    elif after - before:
        yield "it may be null now", Impact.MAJOR
    elif before - after:
        yield "it is never null now", Impact.MINOR
    if old.get("x-arrow") != new.get("x-arrow"):
        yield "whether it is kept as JSON changed", Impact.MAJOR
    yield from _choices(old, new)
    for bound in _BOUNDS:
        if old.get(bound) != new.get(bound):
            said = f"{bound} was {old.get(bound, 'none')} and is {new.get(bound, 'none')}"
            # A bound can decide how wide the column is, so nothing less is safe to say.
            yield said, Impact.MAJOR if bound in ("minimum", "maximum") else Impact.MINOR
    words = [word for word in _WORDS if old.get(word) != new.get(word)]
    if words:
        yield f"{' and '.join(words)} changed", Impact.PATCH


def _choices(old: JsonSchema, new: JsonSchema) -> Iterator[tuple[str, Impact]]:
    before, after = old.get("enum"), new.get("enum")
    if before == after:
        return
    if before is None or after is None:
        said = "any" if after is None else "only listed words"
        yield f"it may be {said} now", Impact.MINOR
        return
    for word in before:
        if word not in after:
            yield f"it is never {word!r} now", Impact.MINOR
    for word in after:
        if word not in before:
            yield f"it may be {word!r} now", Impact.MINOR


def _kinds(node: JsonSchema) -> set[str]:
    kinds = node.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _listed(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds)) or "anything"


def _nodes(schema: Schema) -> Iterator[tuple[str, JsonSchema]]:
    """Yield every node of a schema with its path, references followed, versions left out."""
    yield "$", {**schema.document, "examples": None}
    yield from _below("$", schema.document, schema)


def _below(path: str, node: JsonSchema, schema: Schema) -> Iterator[tuple[str, JsonSchema]]:
    if node.get("x-arrow") == "json":
        return
    children: dict[str, Any] = {
        f"{path}.{name}": child for name, child in node.get("properties", {}).items()
    }
    if "items" in node:
        children[f"{path}[]"] = node["items"]
    for name, child in children.items():
        if name != "$.schema_version":
            followed = schema.follow(child)
            yield name, followed
            yield from _below(name, followed, schema)
