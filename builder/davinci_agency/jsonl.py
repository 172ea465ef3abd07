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
from operator import attrgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson

from davinci_agency.files import plain_file
from davinci_agency.ids import canonical
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress
from davinci_agency.records import R, Record, SortKey, from_json
from davinci_agency.spooling import LineReader, Location
from davinci_agency.stage import Quarantined, StageOutput
from davinci_agency.surveying import Checked, Seen, Survey, Unusable, ranges_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Place(Generic[T]):
    sort_key: SortKey
    identity: str
    file: int
    line: int
    source: Location
    location: Location
    what: T


class RecordFiles(Generic[R]):
    """The good records of some files, sorted by their keys, whatever the files' order was.

    Every line was checked in one pass; a record is read again when it is asked for. Held in
    memory: its key, identifier and location (some 950 bytes), never the record.
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
        return self._reader.read(self._places[index].location)

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
    engine: Engine = HERE,
) -> Iterator[InspectedFiles[R, T]]:
    """Read the files of one record type like `open_records`, and look at every record on the way.

    What ``inspect`` sees is held in memory. A line that it writes anew, or that is not spelt as
    this project spells it, is kept in a temporary file and stands for the record from then on.
    ``inspect`` is called by ``engine``, and raises `UnusableLineError` where the
    record is of no use.
    """
    with ExitStack() as stack:
        reader = stack.enter_context(LineReader())
        spool = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="davinci-agency-", dir=engine.scratch)
        )
        survey = Survey(record_type, inspect, Path(spool))
        places: list[_Place[T]] = []
        for number, path in enumerate(paths):
            output.refuse_own(path)
            plain = stack.enter_context(plain_file(path, engine.scratch)).absolute()
            progress.start(f"read {path.name}", plain.stat().st_size)
            before = 0
            ranges = list(ranges_of(plain))
            for part, surveyed in zip(ranges, engine.map(survey, ranges), strict=True):
                for line in surveyed.found:
                    output.read += counted
                    if isinstance(line, Unusable):
                        _set_aside(output, path, before, line, counted)
                    else:
                        places.append(_place(number, before, line))
                before += surveyed.lines
                progress.advance(part.end - part.start)
        places.sort(key=attrgetter("sort_key", "file", "line"))
        settled = _settle(places, record_type, paths, reader, output, counted)
        yield InspectedFiles(record_type, paths, settled, reader)


def _place(file: int, before: int, line: Checked[T]) -> _Place[T]:
    """Return where a record stands from now on; ``before`` its range there are so many lines."""
    number = before + line.number
    return _Place(line.sort_key, line.identity, file, number, line.source, line.location, line.what)


def _set_aside(output: StageOutput, path: Path, before: int, line: Unusable, counted: bool) -> None:
    note = Quarantined(
        str(path), before + line.number, line.json_path, line.reason, line.offset, line.sha256
    )
    output.quarantine(note, counted=counted)


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
            sha256 = hashlib.sha256(reader.read(place.source)).hexdigest()
            reason = (
                f"{place.identity} stands here and elsewhere with different contents, and none "
                "can be trusted; keep the right one."
            )
            line = Unusable(place.line, place.source.offset, "$", reason, sha256)
            _set_aside(output, paths[place.file], 0, line, counted)
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
