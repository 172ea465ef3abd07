"""One line as a record: whole, valid, and in one spelling; pure."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from davinci_agency.errors import SchemaError
from davinci_agency.records import SCHEMA_VERSION, R, Record, from_json, to_json
from davinci_agency.schema import Fault, cut_short, validator

MAX_LINE_BYTES = 64 << 20
"""A longer line is quarantined unread. A trajectory of 3 million tokens takes about 12 MB."""


class UnusableLineError(Exception):
    """A line is no record; says where in it the fault is and what it is."""

    def __init__(self, json_path: str, reason: str) -> None:
        super().__init__(reason)
        self.json_path = json_path


def parse_record(raw: bytes | None, record_type: type[R]) -> R:
    """Return a line as a record; ``None`` was too long to read.

    Raises `UnusableLineError` saying what is wrong with it.
    """
    if raw is None:
        limit = MAX_LINE_BYTES >> 20
        reason = f"the line is longer than {limit} MiB; split it or leave it out."
        raise UnusableLineError("$", reason)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise UnusableLineError("$", f"the line is not JSON ({error}).") from error
    try:
        faults = find_faults(value, record_type.RECORD)
    except ValueError as error:
        # The checker goes no deeper than a record can be written again.
        raise UnusableLineError("$", f"the line is nested too deeply ({error}).") from error
    if faults:
        more = f" And {len(faults) - 1} more faults." if len(faults) > 1 else ""
        name = f"{record_type.RECORD} {SCHEMA_VERSION}"
        raise UnusableLineError(faults[0].json_path, f"{faults[0]} (schema {name}).{more}")
    try:
        return from_json(value, record_type)
    except msgspec.ValidationError as error:
        raise UnusableLineError("$", f"{error} (record {record_type.RECORD}).") from error


def find_faults(value: Any, record: str) -> list[Fault]:
    """Return what is wrong with a value that should be a record of the version it names."""
    if not isinstance(value, dict):
        return [Fault("$", "an object", cut_short(value))]
    version = value.get("schema_version", SCHEMA_VERSION)
    try:
        checker = validator(record, version if isinstance(version, str) else SCHEMA_VERSION)
    except SchemaError as error:
        return [Fault("$.schema_version", str(error), cut_short(version))]
    return checker.faults(value)


def spelling(record: Record) -> bytes:
    """Return the one spelling of a record; raises `UnusableLineError` if it has none.

    What can be read can be nested more deeply than what can be written.
    """
    try:
        return to_json(record)
    except orjson.JSONEncodeError as error:
        raise UnusableLineError("$", f"the line can't be written again ({error}).") from error
