"""Records in files: every line checked, every bad one set aside, in one order, read on demand.

`open_records` makes one pass over the files of a record type: it validates each line, quarantines
what can't be used, drops exact copies, and sorts; so nothing downstream depends on the order of
lines or files, or meets a bad record.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, Generic

import msgspec
import orjson

from davinci_agency.errors import SchemaError
from davinci_agency.files import STDIO, is_compressed, read_lines, seekable
from davinci_agency.ids import canonical
from davinci_agency.progress import SILENT, Progress
from davinci_agency.records import SCHEMA_VERSION, R, SortKey, from_json
from davinci_agency.schema import Fault, cut_short, validator
from davinci_agency.stage import Quarantined, StageOutput

MAX_LINE_BYTES = 64 << 20
"""A longer line is quarantined unread. A trajectory of 3 million tokens takes about 12 MB."""


class RecordFiles(Generic[R]):
    """The valid records of some files, in the order of their sort keys, whatever theirs was.

    One pass over the files has validated every line; a record is read again when it is asked for.
    Held in memory: per record its key, identifier and place (some 300 bytes), never the record.
    """

    def __init__(self, record_type: type[R], places: list[_Place], files: Sequence[BinaryIO]):
        self._record_type = record_type
        self._places = places
        self._files = files

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[R]:
        return (self.read(index) for index in range(len(self._places)))

    def identities(self) -> list[str]:
        """Return the identifier of every record, in order."""
        return [place.identity for place in self._places]

    def lengths(self) -> list[int]:
        """Return the length of every record's line in bytes, in order."""
        return [place.length for place in self._places]

    def read(self, index: int) -> R:
        """Return the record at a position in the sorted order."""
        place = self._places[index]
        file = self._files[place.file]
        file.seek(place.offset)
        return from_json(orjson.loads(file.read(place.length)), self._record_type)


@dataclass(frozen=True, slots=True)
class _Place:
    sort_key: SortKey
    identity: str
    digest: bytes
    file: int
    line: int
    offset: int
    length: int


@contextmanager
def open_records(
    paths: Sequence[Path],
    record_type: type[R],
    output: StageOutput,
    progress: Progress = SILENT,
    *,
    counted: bool = True,
) -> Iterator[RecordFiles[R]]:
    """Read the files of one record type, and hand out their good records.

    A line that can't be used goes to ``output``'s quarantine. Of exact copies one stays, and the
    others get a receipt; of records with one identifier and different content none can be
    trusted, and all are quarantined. With ``counted=False`` the records are looked up only and
    are no input of the stage. ``-`` and ``.zst`` are spooled to a temporary file.

    Raises `DataError` if a file is absent or its compression is damaged.
    """
    with ExitStack() as stack:
        files: list[BinaryIO] = []
        places: list[_Place] = []
        for number, path in enumerate(paths):
            spool: Any = None
            if path == STDIO or is_compressed(path):
                spool = stack.enter_context(tempfile.TemporaryFile())
            files.append(stack.enter_context(seekable(path, spool)))
            places += _survey(number, path, files[-1], record_type, output, progress, counted)
        places.sort(key=attrgetter("sort_key", "digest", "file", "line"))
        yield RecordFiles(
            record_type, _settle(places, record_type, paths, files, output, counted), files
        )


def _survey(
    number: int,
    path: Path,
    file: BinaryIO,
    record_type: type[R],
    output: StageOutput,
    progress: Progress,
    counted: bool,
) -> Iterator[_Place]:
    file.seek(0, 2)
    progress.start(f"read {path.name}", file.tell())
    for line, (offset, raw) in enumerate(read_lines(file, MAX_LINE_BYTES), start=1):
        if raw is not None and not raw.strip():
            continue
        output.read += counted
        length = len(raw) if raw is not None else MAX_LINE_BYTES
        try:
            value, record = parse_record(raw, record_type)
        except _Unusable as error:
            _set_aside(output, path, line, offset, raw, error.fault, error.reason, counted)
        else:
            digest = hashlib.sha256(canonical(value)).digest()
            key = record.sort_key
            yield _Place(key, record.identity, digest, number, line, offset, length)
        progress.advance(length)


def _set_aside(
    output: StageOutput,
    path: Path,
    line: int,
    offset: int,
    raw: bytes | None,
    fault: str,
    reason: str,
    counted: bool,
) -> None:
    sha256 = None if raw is None else hashlib.sha256(raw).hexdigest()
    output.quarantine(Quarantined(str(path), line, fault, reason, offset, sha256), counted=counted)


def _settle(
    places: list[_Place],
    record_type: type[R],
    paths: Sequence[Path],
    files: Sequence[BinaryIO],
    output: StageOutput,
    counted: bool,
) -> list[_Place]:
    """Return one place for each identifier, from places sorted by key; account for the others."""
    digests: dict[str, set[bytes]] = {}
    for place in places:
        digests.setdefault(place.identity, set()).add(place.digest)
    settled: dict[str, _Place] = {}
    for place in places:
        contents = len(digests[place.identity])
        if contents > 1:
            files[place.file].seek(place.offset)
            raw = files[place.file].read(place.length)
            reason = (
                f"{place.identity} stands here and elsewhere with {contents} different contents, "
                "and none can be trusted; keep the right one."
            )
            path = paths[place.file]
            _set_aside(output, path, place.line, place.offset, raw, "$", reason, counted)
        elif place.identity not in settled:
            settled[place.identity] = place
        elif counted:
            output.remove(
                record_type.RECORD,
                place.identity,
                "exact-copy",
                f"{paths[place.file]}:{place.line} says the same as another line",
                kept_id=place.identity,
            )
    return list(settled.values())


class _Unusable(Exception):  # noqa: N818
    """A line is no record; says where the fault is and what it is."""

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


def parse_record(raw: bytes | None, record_type: type[R]) -> tuple[Any, R]:
    """Return a line as JSON and as a record; ``None`` is a line that was too long to read.

    Raises `_Unusable` saying what is wrong with it.
    """
    if raw is None:
        limit = MAX_LINE_BYTES >> 20
        raise _Unusable("$", f"the line is longer than {limit} MiB; split it or leave it out.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _Unusable("$", f"the line is not JSON ({error}).") from error
    faults = find_faults(value, record_type.RECORD)
    if faults:
        more = f" And {len(faults) - 1} more faults." if len(faults) > 1 else ""
        name = f"{record_type.RECORD} {SCHEMA_VERSION}"
        raise _Unusable(faults[0].json_path, f"{faults[0]} (schema {name}).{more}")
    try:
        return value, from_json(value, record_type)
    except msgspec.ValidationError as error:
        raise _Unusable("$", f"{error} (record {record_type.RECORD}).") from error


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
