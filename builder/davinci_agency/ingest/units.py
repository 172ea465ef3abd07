"""Trajectories where they stand: found in files and folders, read as often as they are needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from davinci_agency.errors import CommandError
from davinci_agency.files import plain_file, read_lines
from davinci_agency.ids import content_digest
from davinci_agency.parsing import MAX_LINE_BYTES
from davinci_agency.records import SourceFormat
from davinci_agency.trajectories import FORMATS, Format, TrajectoryError, recognise

_DOCUMENTS = (".traj", ".json")
_LINES = (".jsonl", ".jsonl.zst")
_TABLES = (".parquet",)
_OPENING_LINES = 32
"""By so many lines a session is told from lines that are conversations by themselves."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One trajectory where it stands.

    Attributes:
        path: its file or folder, as it was named.
        source: where its bytes are, wherever this program stands: of ``.zst`` an unpacked copy.
        form: its format.
        line: its line or row from 1; ``None`` if it is all of the file.
        offset, length: its bytes; 0 if it is no file or line.
    """

    path: Path
    source: Path
    form: Format
    line: int | None = None
    offset: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder, and the format of what it holds; ``None`` if nothing is known to fit."""

    path: Path
    form: Format | None


class Units:
    """Finds trajectories and reads them; closes with the stack that it is given.

    Unpacked copies go into the folder ``scratch``, if there is one.
    """

    def __init__(self, stack: ExitStack, scratch: Path | None = None) -> None:
        self._stack = stack
        self._scratch = scratch
        self._plain: dict[Path, Path] = {}
        self._lines: dict[Path, BinaryIO] = {}
        self._tables: dict[Path, pq.ParquetFile] = {}
        self._row_group = lru_cache(2)(self._read_row_group)

    def find(self, paths: Sequence[Path], name: SourceFormat | None) -> list[Found]:
        """Return every file and folder once that may hold trajectories, in order.

        With the ``name`` of a format nothing else is looked for. Raises `CommandError` if a path is
        not there.
        """
        found: dict[Path, Found] = {}
        for path in paths:
            if not path.exists():
                raise CommandError(f"{path} does not exist; name trajectory files or their folder.")
            for place in _places(path):
                is_named = place == path
                if is_named or place.is_dir() or place.name.endswith(_DOCUMENTS + _LINES + _TABLES):
                    form = self._form(place, name)
                    found[place] = Found(place, form)
        return list(found.values())

    def units(self, path: Path, form: Format) -> Iterator[Unit]:
        """Yield the trajectories of a file or folder."""
        if form.unit == "row":
            for row in range(self._table(path).metadata.num_rows):
                yield Unit(path, path.absolute(), form, row + 1)
        elif form.unit == "folder":
            yield Unit(path, path.absolute(), form)
        elif form.unit == "line":
            source = self._unpacked(path)
            lines = read_lines(self._file(source), MAX_LINE_BYTES)
            for line, (offset, raw) in enumerate(lines, 1):
                if raw is None or raw.strip():
                    length = MAX_LINE_BYTES + 1 if raw is None else len(raw)
                    yield Unit(path, source, form, line, offset, length)
        else:
            source = self._unpacked(path)
            yield Unit(path, source, form, length=source.stat().st_size)

    def read(self, unit: Unit) -> tuple[Any, str]:
        """Return a trajectory's value and the digest of what it was read from.

        Raises `TrajectoryError` if it is too large, or no JSON.
        """
        if unit.length > MAX_LINE_BYTES:
            limit = MAX_LINE_BYTES >> 20
            raise TrajectoryError("$", f"the trajectory is larger than {limit} MiB")
        if unit.form.unit == "row":
            row = self._row(unit.source, (unit.line or 1) - 1)
            return row, content_digest(row)
        if unit.form.unit == "folder":
            return _folder(unit.source)
        file = self._file(unit.source)
        file.seek(unit.offset)
        raw = file.read(unit.length)
        value = _session(raw) if unit.form.unit == "session" else _parsed(raw)
        return value, hashlib.sha256(raw).hexdigest()

    def _form(self, place: Path, name: SourceFormat | None) -> Format | None:
        if place.is_dir():
            return recognise(_names(place), "folder", name)
        if place.name.endswith(_TABLES):
            table = self._table(place)
            row = self._row(place, 0) if table.metadata.num_rows else {}
            return recognise(row, "row", name)
        if place.name.endswith(_LINES):
            opening = list(self._opening(place))
            session = recognise(opening, "session", None)
            if session and name in (None, session.name):
                return session
            lines = next(filter(None, (recognise(value, "line") for value in opening)), None)
            if lines and name in (None, lines.name):
                return lines
            # What looks like nothing is read all the same: each line is told what is wrong with it.
            return _first("session", name) or _first("line", name or "openai-messages")
        try:
            raw = place.read_bytes() if place.stat().st_size <= MAX_LINE_BYTES else b""
            value = _parsed(raw)
        except TrajectoryError:
            value = None
        if place.name.endswith(".traj.json"):
            return recognise(value, "document", name) or _first("document", "mini-swe-agent")
        return recognise(value, "document", name)

    def _opening(self, path: Path) -> Iterator[Any]:
        lines = (raw for _, raw in read_lines(self._file(self._unpacked(path)), MAX_LINE_BYTES))
        for raw in islice((raw for raw in lines if raw and raw.strip()), _OPENING_LINES):
            try:
                yield orjson.loads(raw)
            except orjson.JSONDecodeError:
                yield None

    def _unpacked(self, path: Path) -> Path:
        if path not in self._plain:
            plain = self._stack.enter_context(plain_file(path, self._scratch))
            self._plain[path] = plain.absolute()
        return self._plain[path]

    def _file(self, path: Path) -> BinaryIO:
        if path not in self._lines:
            self._lines[path] = self._stack.enter_context(path.open("rb"))
        return self._lines[path]

    def _table(self, path: Path) -> pq.ParquetFile:
        if path not in self._tables:
            try:
                self._tables[path] = self._stack.enter_context(pq.ParquetFile(path))
            except (pa.ArrowException, OSError) as error:
                raise CommandError(f"{path} can't be read as Parquet ({error}).") from error
        return self._tables[path]

    def _row(self, path: Path, row: int) -> Mapping[str, Any]:
        table = self._table(path)
        for group in range(table.num_row_groups):
            rows = table.metadata.row_group(group).num_rows
            if row < rows:
                found: Mapping[str, Any] = self._row_group(path, group).slice(row, 1).to_pylist()[0]
                return found
            row -= rows
        raise IndexError(row)

    def _read_row_group(self, path: Path, group: int) -> pa.Table:
        return self._table(path).read_row_group(group)


def _places(path: Path) -> Iterator[Path]:
    """Yield a path, or what is in a folder: a folder of events is one place."""
    if not path.is_dir() or _is_one(path):
        yield path
    else:
        for child in sorted(path.iterdir()):
            if child.is_dir() or child.is_file():
                yield from _places(child)


def _is_one(folder: Path) -> bool:
    names = _names(folder)
    return bool(names) and recognise(names, "folder") is not None


def _names(folder: Path) -> dict[str, Any]:
    """Return what a folder format is told by: the names of its files, without their content."""
    return {file.relative_to(folder).as_posix(): None for file in _json_files(folder)}


def _json_files(folder: Path) -> Iterator[Path]:
    """Yield the JSON files of a folder and of the folders in it, no deeper."""
    yield from sorted(folder.glob("*.json"))
    yield from sorted(folder.glob("*/*.json"))


def _folder(path: Path) -> tuple[Any, str]:
    values: dict[str, Any] = {}
    digests: list[tuple[str, str]] = []
    total = 0
    for file in _json_files(path):
        raw = file.read_bytes()
        total += len(raw)
        if total > MAX_LINE_BYTES:
            limit = MAX_LINE_BYTES >> 20
            raise TrajectoryError("$", f"the trajectory is larger than {limit} MiB")
        name = file.relative_to(path).as_posix()
        values[name] = _parsed(raw)
        digests.append((name, hashlib.sha256(raw).hexdigest()))
    return values, content_digest(digests)


def _session(raw: bytes) -> list[Any]:
    return [_parsed(line) for line in raw.split(b"\n") if line.strip()]


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise TrajectoryError("$", f"this is not JSON ({error})") from error


def _first(unit: str, name: SourceFormat | None) -> Format | None:
    return next((form for form in FORMATS if form.unit == unit and form.name == name), None)
