"""Records in files: every line checked, every bad one set aside, in one order, read on demand.

`open_records` makes one pass over the files of a record type: it validates each line, quarantines
what can't be used, drops exact copies, and sorts; so nothing downstream depends on the order of
lines or files, or meets a bad record. `open_inspected` looks at every record on the way, and may
write it anew.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson

from davinci_agency.files import plain_file
from davinci_agency.ids import canonical
from davinci_agency.ledger import Entry, Ledger, Placed, open_ledger
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress
from davinci_agency.records import R, Record, from_json
from davinci_agency.spooling import LineReader, Location
from davinci_agency.stage import Quarantined, StageOutput
from davinci_agency.surveying import Checked, Seen, Survey, Unusable, ranges_of

T = TypeVar("T")


class RecordFiles(Generic[R]):
    """The good records of some files, sorted by their keys, whatever the files' order was.

    Every line was checked in one pass; a record is read again when it is asked for, by any thread.
    Where it stands is written down on disk (`davinci_agency.ledger`).
    """

    def __init__(
        self,
        record_type: type[R],
        paths: Sequence[Path],
        ledger: Ledger[Any],
        reader: LineReader,
    ) -> None:
        self._paths = paths
        self._record_type = record_type
        self._ledger = ledger
        self._reader = reader

    def __len__(self) -> int:
        return len(self._ledger)

    def __iter__(self) -> Iterator[R]:
        return (self._record(placed) for placed in self._ledger.placed())

    def find(self, identity: str) -> int | None:
        """Return the index of the record with an identifier; ``None`` if there is none."""
        return self._ledger.find(identity)

    def read(self, index: int) -> R:
        """Return the record at an index of the sorted order."""
        return self._record(self._ledger.at(index))

    def line(self, index: int) -> bytes:
        """Return the line of the record at an index, without its end."""
        return self._reader.read(self.location(index))

    def location(self, index: int) -> Location:
        """Return where the record at an index of the sorted order stands."""
        return self._ledger.at(index).location

    def note(self, index: int, json_path: str, reason: str) -> Quarantined:
        """Return a note that the record at an index can't be used."""
        return self._note(self._ledger.at(index), json_path, reason)

    def locations(self) -> Iterator[tuple[str, Location]]:
        """Yield every record's identifier and location, in the sorted order."""
        return ((placed.identity, placed.location) for placed in self._ledger.placed())

    def _record(self, placed: Placed) -> R:
        return from_json(orjson.loads(self._reader.read(placed.location)), self._record_type)

    def _note(self, placed: Placed, json_path: str, reason: str) -> Quarantined:
        sha256 = hashlib.sha256(self._reader.read(placed.source)).hexdigest()
        file, offset = str(self._paths[placed.file]), placed.source.offset
        return Quarantined(file, placed.line, json_path, reason, offset, sha256)

    def settle(self, output: StageOutput, counted: bool) -> None:
        """Leave one record for each identifier, in order; account for the others."""
        for placed, is_ambiguous in self._ledger.settle(self._digest):
            name = placed.identity
            if is_ambiguous:
                reason = (
                    f"{name} stands here and elsewhere with different contents, and none can be "
                    "trusted; keep the right one."
                )
                output.quarantine(self._note(placed, "$", reason), counted=counted)
            elif counted:
                said = "another line says the same"
                output.remove(self._record_type.RECORD, name, "exact-copy", said, kept_id=name)

    def _digest(self, placed: Placed) -> bytes:
        content = orjson.loads(self._reader.read(placed.source))
        return hashlib.sha256(canonical(content)).digest()


class InspectedFiles(RecordFiles[R], Generic[R, T]):
    """Records of which something was seen when they were checked."""

    def seen(self) -> Iterator[T]:
        """Yield what was seen of every record, in the sorted order."""
        return self._ledger.seen()

    def copies(self) -> Iterator[str]:
        """Yield the identifiers of exact copies that were left out, one for each of them."""
        return self._ledger.copies()

    def seen_at(self, index: int) -> T:
        """Return what was seen of the record at an index of the sorted order."""
        seen: T = self._ledger.seen_at(index)
        return seen


@contextmanager
def open_records(
    paths: Sequence[Path],
    record_type: type[R],
    output: StageOutput,
    progress: Progress = SILENT,
    *,
    counted: bool = True,
    engine: Engine = HERE,
) -> Iterator[RecordFiles[R]]:
    """Read the files of one record type, and hand out their good records.

    A line that can't be used goes to ``output``'s quarantine. Of exact copies one stays, and the
    others get a receipt; of records with one identifier and different content none can be
    trusted, and all are quarantined. With ``counted=False`` the records are looked up only and
    are no input of the stage. The lines are checked by ``engine``.

    Raises `CommandError` if a file is absent or would be written over, and `DataError` if its
    compression is damaged.
    """
    with open_inspected(
        paths, record_type, _nothing, output, progress, counted=counted, engine=engine
    ) as records:
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

    What ``inspect`` writes anew, and a line that is not spelt as this project spells it, is kept in
    a temporary file and stands for the record from then on. ``inspect`` is called by ``engine``,
    and raises `UnusableLineError` where the record is of no use.
    """
    with ExitStack() as stack:
        reader = stack.enter_context(LineReader())
        spool = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="davinci-agency-", dir=engine.scratch)
            )
        )
        ledger: Ledger[T] = stack.enter_context(open_ledger(spool))
        survey = Survey(record_type, inspect, spool)
        for path in paths:
            output.refuse_own(path)
            plain = stack.enter_context(plain_file(path, engine.scratch)).absolute()
            file = ledger.begin_file(plain)
            progress.start(f"read {path.name}", plain.stat().st_size)
            before = 0
            ranges = list(ranges_of(plain))
            for part, surveyed in zip(ranges, engine.map(survey, ranges), strict=True):
                output.read += len(surveyed.found) if counted else 0
                for line in surveyed.found:
                    if isinstance(line, Unusable):
                        _set_aside(output, path, before, line, counted)
                good = (line for line in surveyed.found if isinstance(line, tuple))
                ledger.add(_entry(file, plain, before, line) for line in good)
                before += surveyed.lines
                progress.advance(part.end - part.start)
        records: InspectedFiles[R, T] = InspectedFiles(record_type, paths, ledger, reader)
        records.settle(output, counted)
        yield records


def _entry(file: int, path: Path, before: int, line: Checked) -> Entry:
    """Return what is written down of a record; ``before`` its range there are so many lines."""
    number, offset, length, stands, identity, key, seen = line
    location = Location(path, offset, stands) if isinstance(stands, int) else stands
    placed = Placed(identity, file, before + number, Location(path, offset, length), location)
    return placed, key, seen


def _set_aside(output: StageOutput, path: Path, before: int, line: Unusable, counted: bool) -> None:
    note = Quarantined(
        str(path), before + line.number, line.json_path, line.reason, line.offset, line.sha256
    )
    output.quarantine(note, counted=counted)
