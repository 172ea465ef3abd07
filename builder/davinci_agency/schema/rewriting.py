"""A file of records, rewritten as those of a newer version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from davinci_agency.errors import DataError, SchemaError
from davinci_agency.files import atomic_file, plain_file
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.schema.migrating import migrate_record
from davinci_agency.schema.registry import Schema, read_schemas, versions
from davinci_agency.schema.validate import Validator
from davinci_agency.shipped import shipped


def migrate_file(
    path: Path,
    out: Path,
    record: str,
    to: str | None = None,
    folder: Path | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Write each record of a file as one of version ``to`` (the newest by default).

    Raises `DataError` naming the line of the first record that can't be read, migrated, or that is
    not valid afterwards; nothing is written then.
    """
    where = folder or shipped("schemas")
    known = versions(where)
    target = known[-1] if to is None else to
    if target not in known:
        raise SchemaError(f"There is no version {target[:40]!r}; there are {', '.join(known)}.")
    schemas = {version: read_schemas(where, version) for version in known}
    if record not in schemas[target]:
        raise SchemaError(
            f"There is no record {record[:40]!r}; there are {', '.join(schemas[target])}."
        )
    check, count = Validator(schemas[target][record]), 0
    with plain_file(path) as plain, plain.open("rb") as lines, atomic_file(out) as sink:
        for number, line in enumerate(track(lines, progress, "migrate", None), start=1):
            try:
                value = orjson.loads(line)
                moved = migrate_record(value, _steps(value, target, record, schemas))
            except (orjson.JSONDecodeError, SchemaError) as error:
                raise DataError(f"{path}:{number}: {error}") from error
            faults = check.faults(moved)
            if faults:
                raise DataError(f"{path}:{number}: as {record}@{target}: {faults[0]}")
            sink.write(orjson.dumps(moved) + b"\n")
            count += 1
    return {"in": count, "out": count, "removed": 0, "quarantined": 0, "version": target}


def _steps(
    value: Any, target: str, record: str, schemas: Mapping[str, Mapping[str, Schema]]
) -> list[Schema]:
    """Return the versions that a record goes through."""
    known = list(schemas)
    version = value.get("schema_version") if isinstance(value, dict) else None
    if version not in known:
        raise SchemaError(f"it says that it is of version {version!r}, which nobody knows.")
    if known.index(version) > known.index(target):
        raise SchemaError(f"it is of {version}, newer than {target}; records only go forward.")
    between = known[known.index(version) + 1 : known.index(target) + 1]
    return [schemas[each][record] for each in between]
