"""Whether every line of a file is a good record."""

from __future__ import annotations

from pathlib import Path

import orjson

from davinci_agency.errors import DataError
from davinci_agency.files import plain_file, read_lines
from davinci_agency.parsing import MAX_LINE_BYTES, UnusableLineError, parse_record, spelling
from davinci_agency.progress import Progress
from davinci_agency.records import RECORD_TYPES
from davinci_agency.schema import RECORDS, load_schema


def check_file(path: Path, record: str | None, progress: Progress) -> tuple[str, list[str]]:
    """Return what the records of a file are, and what is wrong with them, a text for each line.

    Without ``record``, the first line that is a JSON object tells: it is the record whose
    properties it has most of. Raises `DataError` if no line tells, or there is no such record.
    """
    with plain_file(path) as plain, plain.open("rb") as file:
        name = record or _guess(path, list(_first_object(plain)))
        if name not in RECORD_TYPES:
            raise DataError(f"There is no record {name!r}; there are {', '.join(RECORDS)}.")
        progress.start(f"check {path.name}", plain.stat().st_size)
        faults = []
        for number, (_, raw) in enumerate(read_lines(file, MAX_LINE_BYTES), start=1):
            progress.advance(len(raw or b""))
            if raw is None or raw.strip():
                try:
                    spelling(parse_record(raw, RECORD_TYPES[name]))
                except UnusableLineError as error:
                    faults.append(f"{path}:{number}: {error}")
        return name, faults


def record_of(path: Path) -> str:
    """Return what the records of a file are, as its first good line tells.

    Raises `DataError` if no line tells.
    """
    with plain_file(path) as plain:
        return _guess(path, list(_first_object(plain)))


def _first_object(path: Path) -> list[str]:
    with path.open("rb") as file:
        for _, raw in read_lines(file, MAX_LINE_BYTES):
            try:
                value = orjson.loads(raw or b"")
            except orjson.JSONDecodeError:
                continue
            if isinstance(value, dict):
                return list(value)
    return []


def _guess(path: Path, properties: list[str]) -> str:
    shared = {
        name: len(set(properties) & set(load_schema(name).document["properties"]))
        - len(set(properties) ^ set(load_schema(name).document["properties"]))
        for name in RECORDS
    }
    if not properties:
        raise DataError(f"{path} has no line that is a JSON object; say what it is with --schema.")
    return max(shared, key=lambda name: shared[name])
