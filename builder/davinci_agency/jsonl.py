"""Records in files: every line checked, every bad one set aside, in one order, read on demand.

`open_records` makes one pass over the files of a record type: it validates each line, quarantines
what can't be used, drops exact copies, and sorts; so nothing downstream depends on the order of
lines or files, or meets a bad record. `open_inspected` looks at every record on the way, and may
write it anew.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, BinaryIO, Generic, TypeVar

import orjson

from davinci_agency.files import plain_file, read_lines
from davinci_agency.garbage import collecting_rarely
from davinci_agency.ids import canonical
from davinci_agency.parallel import ordered_map
from davinci_agency.parsing import MAX_LINE_BYTES, UnusableLineError, parse_record, spelling
from davinci_agency.progress import SILENT, Progress
from davinci_agency.records import R, Record, SortKey, from_json
from davinci_agency.stage import Quarantined, StageOutput
from davinci_agency.texts import TooDeepError

T = TypeVar("T")

_BATCH_BYTES = 4 << 20
"""Lines given to a process at once."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a record's line stands, so that any process can read it again."""

    path: Path
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What was seen of a record, and its line as it shall be from now on, if it is another."""

    what: T
    line: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a file: its number from 1, its offset, its bytes (``None`` if it is too long)."""

    number: int
    offset: int
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class _Checked(Generic[T]):
    """A line that is a good record."""

    sort_key: SortKey
    identity: str
    seen: Seen[T]


@dataclass(frozen=True, slots=True)
class _Unusable:
    """A line that is none: where in it the fault is, and what it is."""

    json_path: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Place(Generic[T]):
    sort_key: SortKey
    identity: str
    file: int
    line: int
    source: Location
    location: Location
    what: T


class LineReader:
    """Reads lines where they stand, and keeps the files open until it is closed."""

    def __init__(self) -> None:
        self._files: dict[Path, BinaryIO] = {}

    def __enter__(self) -> LineReader:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def read(self, location: Location) -> bytes:
        """Return the bytes of a line."""
        if location.path not in self._files:
            self._files[location.path] = location.path.open("rb")
        file = self._files[location.path]
        file.seek(location.offset)
        return file.read(location.length)


class RecordFiles(Generic[R]):
    """The good records of some files, sorted by their keys, whatever the files' order was.

    Every line was checked in one pass; a record is read again when it is asked for. Held in
    memory: its key, identifier and location (some 400 bytes), never the record.
    """

    def __init__(
        self,
        record_type: type[R],
        paths: Sequence[Path],
        places: Sequence[_Place[Any]],
        reader: LineReader,
    ) -> None:
        self._paths = paths
        self._record_type = record_type
        self._places = places
        self._reader = reader

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[R]:
        return (self.read(index) for index in range(len(self._places)))

    def read(self, index: int) -> R:
        """Return the record at an index of the sorted order."""
        return from_json(orjson.loads(self.line(index)), self._record_type)

    def line(self, index: int) -> bytes:
        """Return the line of the record at an index, without its end."""
        return self._reader.read(self._places[index].location).rstrip(b"\r\n")

    def note(self, index: int, json_path: str, reason: str) -> Quarantined:
        """Return a note that the record at an index can't be used."""
        place = self._places[index]
        file, offset = str(self._paths[place.file]), place.source.offset
        sha256 = hashlib.sha256(self._reader.read(place.source)).hexdigest()
        return Quarantined(file, place.line, json_path, reason, offset, sha256)

    def locations(self) -> list[tuple[str, Location]]:
        """Return every record's identifier and location, in the sorted order."""
        return [(place.identity, place.location) for place in self._places]


class InspectedFiles(RecordFiles[R], Generic[R, T]):
    """Records of which something was seen when they were checked."""

    def __init__(
        self,
        record_type: type[R],
        paths: Sequence[Path],
        places: Sequence[_Place[T]],
        reader: LineReader,
    ) -> None:
        super().__init__(record_type, paths, places, reader)
        self.seen: list[T] = [place.what for place in places]


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
    are no input of the stage.

    Raises `CommandError` if a file is absent or would be written over, and `DataError` if its
    compression is damaged.
    """
    with open_inspected(paths, record_type, _nothing, output, progress, counted=counted) as records:
        yield records


def _nothing(_: Record) -> Seen[None]:
    return Seen(None)


@contextmanager
def open_inspected(
    paths: Sequence[Path],
    record_type: type[R],
    inspect: Callable[[R], Seen[T]],
    output: StageOutput,
    progress: Progress = SILENT,
    *,
    counted: bool = True,
    workers: int = 1,
) -> Iterator[InspectedFiles[R, T]]:
    """Read the files of one record type like `open_records`, and look at every record on the way.

    What ``inspect`` sees is held in memory. A line that it writes anew, or that is not spelt as
    this project spells it, is kept in a temporary file and stands for the record from then on.
    ``inspect`` is called in ``workers`` processes, and raises `UnusableLineError` where the record
    is of no use.
    """
    with ExitStack() as stack:
        reader = stack.enter_context(LineReader())
        spool = stack.enter_context(tempfile.NamedTemporaryFile(prefix="davinci-agency-"))
        places: list[_Place[T]] = []
        for number, path in enumerate(paths):
            output.refuse_own(path)
            plain = stack.enter_context(plain_file(path))
            progress.start(f"read {path.name}", plain.stat().st_size)
            check = partial(_check, record_type, inspect)
            for line, checked in _survey(plain, check, progress, workers):
                output.read += counted
                if isinstance(checked, _Unusable):
                    fault, reason = checked.json_path, checked.reason
                    _set_aside(
                        output, path, line.number, line.offset, line.raw, fault, reason, counted
                    )
                else:
                    places.append(_place(number, line, plain, checked, spool))
        spool.flush()
        places.sort(key=attrgetter("sort_key", "file", "line"))
        settled = _settle(places, record_type, paths, reader, output, counted)
        yield InspectedFiles(record_type, paths, settled, reader)


def _survey(
    plain: Path,
    check: Callable[[Sequence[_Line]], list[_Checked[T] | _Unusable]],
    progress: Progress,
    workers: int,
) -> Iterator[tuple[_Line, _Checked[T] | _Unusable]]:
    """Yield every line of a file that is not empty, and what it is."""
    # The lines that were handed out are needed again when their answers come.
    waiting: list[Sequence[_Line]] = []

    def batches() -> Iterator[Sequence[_Line]]:
        for batch in _batches(plain, progress):
            waiting.append(batch)
            yield batch

    for answers in ordered_map(check, batches(), workers):
        yield from zip(waiting.pop(0), answers, strict=True)


def _batches(plain: Path, progress: Progress) -> Iterator[Sequence[_Line]]:
    batch: list[_Line] = []
    size = 0
    with plain.open("rb") as file:
        for number, (offset, raw) in enumerate(read_lines(file, MAX_LINE_BYTES), start=1):
            progress.advance(len(raw) if raw is not None else MAX_LINE_BYTES)
            if raw is not None and not raw.strip():
                continue
            if batch and size + len(raw or b"") > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
            batch.append(_Line(number, offset, raw))
            size += len(raw or b"")
    if batch:
        yield batch


@collecting_rarely()
def _check(
    record_type: type[R], inspect: Callable[[R], Seen[T]], lines: Sequence[_Line]
) -> list[_Checked[T] | _Unusable]:
    """Return what some lines are."""
    answers: list[_Checked[T] | _Unusable] = []
    for line in lines:
        try:
            record = parse_record(line.raw, record_type)
            seen = inspect(record)
            if seen.line is None and (spelt := spelling(record)) != (line.raw or b"").strip():
                # Of a name that is there twice only one value was looked at.
                seen = Seen(seen.what, spelt)
            answers.append(_Checked(record.sort_key, record.identity, seen))
        except UnusableLineError as error:
            answers.append(_Unusable(error.json_path, str(error)))
        except TooDeepError as error:
            answers.append(_Unusable("$", f"the line can't be written again ({error})."))
    return answers


def _place(
    number: int, line: _Line, plain: Path, checked: _Checked[T], spool: IO[bytes]
) -> _Place[T]:
    """Return where a record stands from now on."""
    source = location = Location(plain, line.offset, len(line.raw or b""))
    if checked.seen.line is not None:
        location = Location(Path(spool.name), spool.tell(), len(checked.seen.line))
        spool.write(checked.seen.line)
    return _Place(
        checked.sort_key,
        checked.identity,
        number,
        line.number,
        source,
        location,
        checked.seen.what,
    )


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
    places: Sequence[_Place[T]],
    record_type: type[R],
    paths: Sequence[Path],
    reader: LineReader,
    output: StageOutput,
    counted: bool,
) -> list[_Place[T]]:
    """Return one place for each identifier, from places sorted by key; account for the others."""
    count = Counter(place.identity for place in places)
    contents: dict[str, set[bytes]] = defaultdict(set)
    for place in places:
        if count[place.identity] > 1:
            raw = reader.read(place.source)
            contents[place.identity].add(hashlib.sha256(canonical(orjson.loads(raw))).digest())
    ambiguous = {identity for identity, digests in contents.items() if len(digests) > 1}
    settled: dict[str, _Place[T]] = {}
    for place in places:
        if place.identity in ambiguous:
            raw = reader.read(place.source)
            offset = place.source.offset
            reason = (
                f"{place.identity} stands here and elsewhere with different contents, and none "
                "can be trusted; keep the right one."
            )
            path = paths[place.file]
            _set_aside(output, path, place.line, offset, raw, "$", reason, counted)
        elif place.identity not in settled:
            settled[place.identity] = place
        elif counted:
            output.remove(
                record_type.RECORD,
                place.identity,
                "exact-copy",
                "another line says the same",
                kept_id=place.identity,
            )
    return list(settled.values())
