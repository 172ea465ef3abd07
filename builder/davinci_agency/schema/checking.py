"""Is a folder of schemas fit to be released?

schemas/
<version>/<record>.schema.json
released.json                    the digest of every file of every released version
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import orjson

from davinci_agency.errors import SchemaError
from davinci_agency.files import atomic_file, digest_file
from davinci_agency.schema.arrow import arrow_schema, dataset_rows, record_batch
from davinci_agency.schema.compatibility import Impact, find_differences, next_version
from davinci_agency.schema.migrating import migrate_record
from davinci_agency.schema.registry import Schema, read_schemas, versions
from davinci_agency.schema.validate import Validator

LOCK = "released.json"


def check_schemas(folder: Path, changelog: Path | None = None) -> Iterator[str]:
    """Yield everything that is wrong with the schemas in a folder.

    Each file must be JSON Schema 2020-12 that Arrow can hold; its examples must be valid and come
    back from Arrow as they were, and what lacks a property, has one too many or null where none may
    be must not be valid. Released versions are as they were released; a version's number is right
    for its changes to the one before; records of each migrate to the next; and ``changelog``, if
    given, has a word on each version.
    """
    known = versions(folder)
    if not known:
        yield f"{folder} holds no version of any schema"
    yield from _lock_faults(folder, known)
    try:
        all_schemas = {version: read_schemas(folder, version) for version in known}
    except SchemaError as error:
        yield str(error)
        return
    for schemas in all_schemas.values():
        for schema in schemas.values():
            yield from _schema_faults(schema)
    for before, after in itertools.pairwise(known):
        yield from _step_faults(all_schemas[before], all_schemas[after], before, after)
    if changelog is not None:
        words = changelog.read_text(encoding="utf-8")
        for version in known:
            if f"Schemas {version}" not in words:
                yield f"{changelog.name} says nothing of Schemas {version}"


def is_released(folder: Path, version: str) -> bool:
    """Tell whether a version is locked, so that it may be relied on."""
    return version in _lock(folder)


def lock_version(folder: Path, version: str) -> None:
    """Write down the digests of a version's files: from now on they must not change."""
    if version not in versions(folder):
        raise SchemaError(f"There is no schema version {version[:40]!r} in {folder}.")
    lock = {**_lock(folder), version: _digests(folder, version)}
    with atomic_file(folder / LOCK) as file:
        file.write(
            orjson.dumps(
                lock,
                option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
            )
        )


def _lock(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / LOCK
    lock: dict[str, dict[str, str]] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return lock


def _digests(folder: Path, version: str) -> dict[str, str]:
    return {path.name: digest_file(path) for path in sorted((folder / version).iterdir())}


def _lock_faults(folder: Path, known: list[str]) -> Iterator[str]:
    for version, digests in _lock(folder).items():
        if version not in known:
            yield f"{version} was released, and is gone"
            continue
        found = _digests(folder, version)
        for name in sorted({**digests, **found}):
            if digests.get(name) != found.get(name):
                yield f"{version}/{name} is not as it was released; make a new version instead"


def _schema_faults(schema: Schema) -> Iterator[str]:
    try:
        jsonschema.Draft202012Validator.check_schema(schema.document)
        columns = arrow_schema(schema)
    except jsonschema.SchemaError as error:
        yield f"{schema.name}: {error.json_path}: {error.message}"
        return
    except SchemaError as error:
        yield str(error)
        return
    check = Validator(schema)
    examples = schema.document.get("examples", [])
    if not examples:
        yield f"{schema.name} has no example"
    for example in examples:
        faults = check.faults(example)
        yield from (f"{schema.name}: its example is not valid: {fault}" for fault in faults)
        if not faults and list(dataset_rows(record_batch([example], columns))) != [example]:
            yield f"{schema.name}: its example comes back from Arrow as something else"
    for what, wrong in _counter_examples(schema):
        if not check.faults(wrong):
            yield f"{schema.name}: a record {what} is valid"


def _counter_examples(schema: Schema) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield records that must not be valid, made from the examples."""
    for example in schema.document.get("examples", [])[:1]:
        yield "with an unknown property", {**example, "surprise": 1}
        for name, reference in schema.document["properties"].items():
            yield f"without {name}", {k: v for k, v in example.items() if k != name}
            if "null" not in schema.follow(reference).get("type", ()):
                yield f"whose {name} is null", {**example, name: None}


def _step_faults(
    old: dict[str, Schema], new: dict[str, Schema], before: str, after: str
) -> Iterator[str]:
    differences = find_differences(old, new)
    impact = max((each.impact for each in differences), default=Impact.NONE)
    least = next_version(before, impact)
    if _number(after) < _number(least):
        gravest = next(iter(differences))
        yield f"{after} says too little after {before}: {gravest}; it must be {least} at least"
    for record, schema in new.items():
        for example in old[record].document["examples"] if record in old else ():
            try:
                faults = Validator(schema).faults(migrate_record(example, [schema]))
            except SchemaError as error:
                yield f"a {record} can't go from {before} to {after}: {error}"
            else:
                yield from (f"a {record} of {before} as {after}: {fault}" for fault in faults)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
