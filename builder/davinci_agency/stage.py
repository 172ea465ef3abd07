"""What a stage leaves behind: its records, its receipts, its notes, and an account that adds up.

`stage_output` opens the file of records, ``<out>.removed.jsonl`` with a receipt for each record
that a rule took out, and ``<out>.quarantine.jsonl`` with a note on each one that could not be used.
All appear when the stage ends well, and only if in = out + removed + quarantined.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from davinci_agency.errors import DataError, OutputError, StrictError
from davinci_agency.files import STDIO, atomic_file
from davinci_agency.records import (
    SCHEMA_VERSION,
    Record,
    RecordName,
    Removal,
    StageName,
    to_json,
)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A note on one record that could not be used.

    Attributes:
        file: the file it stands in, as it was named.
        line: its line from 1, or ``None`` where the file is one record.
        json_path: where in the record the fault is; ``$`` for all of it.
        reason: what is wrong, for a person.
        offset: the byte at which the line begins; ``None`` where the file is one record.
        sha256: the digest of the line's bytes; ``None`` if they were not read.
    """

    file: str
    line: int | None
    json_path: str
    reason: str
    offset: int | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a stage did. ``read == out + removed + quarantined``, all counted in input records.

    Attributes:
        stage: the stage's name.
        read: records that came in.
        out: records that went on.
        removed: records that a rule took out.
        quarantined: records that could not be used.
        seconds: wall time.
        written: what was written, by kind.
        rules: records removed, by rule.
        notes: what a person should know.
        funnel: how many of what there were on the way from the input to the output, in its order.
    """

    stage: str
    read: int
    out: int
    removed: int
    quarantined: int
    seconds: float
    written: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    funnel: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as ``--json`` prints it: ``in`` for ``read``."""
        values = asdict(self)
        return {"stage": values.pop("stage"), "in": values.pop("read"), **values}


class StageOutput:
    """What a stage writes to; made by `stage_output`."""

    def __init__(
        self,
        stage: StageName,
        main: BinaryIO | None,
        removed: BinaryIO,
        quarantined: BinaryIO,
        makes: frozenset[Path] = frozenset(),
    ) -> None:
        self.stage: StageName = stage
        self._makes = makes
        self._main = main
        self._removed = removed
        self._quarantined = quarantined
        self._started = time.monotonic()
        self.read = 0
        self.kept = 0
        self.written: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.first_quarantined: Quarantined | None = None
        self.quarantine_count = 0
        self.notes: list[str] = []
        self.funnel: dict[str, int] = {}

    def refuse_own(self, path: Path) -> None:
        """Raise `OutputError` if a file to be read is one that the stage writes over."""
        if path != STDIO and path.resolve() in self._makes:
            raise OutputError(
                f"{path} is an input, and would be written over; choose another --out."
            )

    def write(self, record: Record, kind: str) -> None:
        """Write a record, counted under ``kind``."""
        self.write_line(to_json(record), kind)

    def write_line(self, line: bytes, kind: str) -> None:
        """Write a record that is JSON already, counted under ``kind``."""
        if self._main is None:
            raise RuntimeError("this stage's records go elsewhere")
        self._main.write(line + b"\n")
        self.written[kind] += 1

    def remove(
        self,
        record_type: RecordName,
        record_id: str,
        rule: str,
        reason: str,
        *,
        measure: float | None = None,
        kept_id: str | None = None,
        counted: bool = True,
    ) -> Removal:
        """Write and return a receipt for an input record that a rule took out.

        What the stage made itself and then left out is no input (``counted=False``).
        """
        removal = Removal(
            schema_version=SCHEMA_VERSION,
            stage=self.stage,
            rule=rule,
            record_type=record_type,
            record_id=record_id,
            reason=reason,
            measure=measure,
            kept_id=kept_id,
        )
        self._removed.write(to_json(removal) + b"\n")
        if counted:
            self.rules[rule] += 1
        return removal

    def quarantine(self, note: Quarantined, *, counted: bool = True) -> None:
        """Set a record aside that could not be used.

        A record that was only to be looked up is no input of the stage (``counted=False``).
        """
        # Compiled code, which most runs never need.
        from davinci_agency.secrets import hidden

        note = replace(note, reason=hidden(note.reason), json_path=hidden(note.json_path))
        # A file's name may be no UTF-8, and JSON holds nothing else.
        shown = replace(note, file=os.fsencode(note.file).decode(errors="replace"))
        self._quarantined.write(orjson.dumps(shown) + b"\n")
        self.first_quarantined = self.first_quarantined or note
        self.quarantine_count += counted

    def summary(self) -> Summary:
        """Return the account; fails if it does not add up."""
        removed = sum(self.rules.values())
        if self.read != self.kept + removed + self.quarantine_count:
            raise RuntimeError(
                f"{self.stage}: {self.read} records in, but {self.kept} out + {removed} removed + "
                f"{self.quarantine_count} quarantined"
            )
        return Summary(
            stage=self.stage,
            read=self.read,
            out=self.kept,
            removed=removed,
            quarantined=self.quarantine_count,
            seconds=round(time.monotonic() - self._started, 3),
            written=dict(sorted(self.written.items())),
            rules=dict(sorted(self.rules.items())),
            notes=tuple(self.notes),
            funnel=dict(self.funnel),
        )


def side_file(out: Path, what: str) -> Path:
    """Return the path beside an output: ``pulls.jsonl.zst`` → ``pulls.removed.jsonl``."""
    stem = out.name.removesuffix(".zst").removesuffix(".jsonl")
    return out.with_name(f"{stem}.{what}.jsonl")


@contextmanager
def stage_output(
    stage: StageName, out: Path, *, strict: bool = False, records: bool = True
) -> Iterator[StageOutput]:
    """Open a stage's output; everything appears together when the block ends well.

    ``out`` is the file of records, or ``-``, in which case receipts and notes go to standard
    error. With ``records=False`` the stage makes ``out`` itself and only the two side files are
    opened. Raises `StrictError` at the end if ``strict`` and a record was quarantined, and
    `DataError` if all were; the notes are written even then, the records are not.
    """
    with atomic_file(out) if records else nullcontext() as main:
        # The records are renamed into place last, so whoever finds them finds the rest.
        with _side_file(out, "removed") as removed, _side_file(out, "quarantine") as notes:
            output = StageOutput(stage, main, removed, notes, _made(out))
            yield output
            output.summary()
        _refuse_faults(output, out, strict)


def _made(out: Path) -> frozenset[Path]:
    """Return the files that a stage makes."""
    if out == STDIO:
        return frozenset()
    beside = (side_file(out, what) for what in ("removed", "quarantine"))
    return frozenset(path.resolve() for path in (out, *beside))


def _refuse_faults(output: StageOutput, out: Path, strict: bool) -> None:
    """Raise if a record was quarantined and none may be, or if there was nothing but bad ones."""
    first, count = output.first_quarantined, output.quarantine_count
    if first is None:
        return
    where = "All are listed above." if out == STDIO else f"See {side_file(out, 'quarantine')}."
    if strict:
        raise StrictError(f"{count} records could not be used, the first: {first} {where}")
    if output.read and output.read == count:
        raise DataError(
            f"None of the {count} records could be used, the first: {first} {where} "
            "Are these the right files?"
        )


@contextmanager
def _side_file(out: Path, what: str) -> Iterator[BinaryIO]:
    if out == STDIO:
        yield sys.stderr.buffer
    else:
        with atomic_file(side_file(out, what)) as file:
            yield file
