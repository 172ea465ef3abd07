"""A range of a file's lines checked, wherever that is done: what each line is, never the line.

A file is cut into ranges of bytes, which processes read for themselves, so that no line is sent
from one to another. A line that is to be spelt anew goes into a `Spool`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from davinci_agency.files import read_lines
from davinci_agency.garbage import collecting_rarely
from davinci_agency.ledger import ordered, packed
from davinci_agency.parsing import MAX_LINE_BYTES, UnusableLineError, parse_record, spelling
from davinci_agency.records import R
from davinci_agency.spooling import Location, Spool, open_spool
from davinci_agency.texts import TooDeepError

T = TypeVar("T")

_RANGE_BYTES = 8 << 20
"""Lines given to a process at once."""
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LineRange:
    """The lines of a file that begin at ``start`` or behind it and before ``end``, in bytes."""

    path: Path
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What was seen of a record, and what shall stand for it from now on, if not its line."""

    what: T
    instead: bytes | None = None


Checked = tuple[int, int, int, int | Location, str, bytes, bytes | None]
"""A line that is a good record, plain since no object is sent between processes as fast.

Its number in its range, from 1; its offset and length; the length of the record at that offset, or
where else it stands from now on; its identifier; its key and what was seen of it, as a ledger holds
them.
"""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that is none: where in it the fault is, and what it is.

    ``sha256`` is the digest of its bytes; ``None`` if it is too long to be read.
    """

    number: int
    offset: int
    json_path: str
    reason: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What the lines of a range are that are not empty, in order, and how many there are."""

    lines: int
    found: list[Checked | Unusable]


@dataclass(frozen=True, slots=True)
class Survey(Generic[R, T]):
    """How lines are checked and looked at. ``spool`` is the folder of what is spelt anew."""

    record_type: type[R]
    inspect: Callable[[R], Seen[T]]
    spool: Path

    @collecting_rarely()
    def __call__(self, part: LineRange) -> Surveyed:
        """Return what the lines of a range are."""
        found: list[Checked | Unusable] = []
        number = 0
        with part.path.open("rb", buffering=_BUFFER_BYTES) as file, open_spool(self.spool) as spool:
            lines = read_lines(file, MAX_LINE_BYTES, part.start, part.end)
            for number, (offset, raw) in enumerate(lines, start=1):
                if raw is None or raw.strip():
                    found.append(self._line(number, offset, raw, spool))
        return Surveyed(number, found)

    def _line(
        self, number: int, offset: int, raw: bytes | None, spool: Spool
    ) -> Checked | Unusable:
        try:
            record = parse_record(raw, self.record_type)
            seen = self.inspect(record)
            line = spelling(record) if seen.instead is None else seen.instead
        except UnusableLineError as error:
            return Unusable(number, offset, error.json_path, str(error), _digest(raw))
        except TooDeepError as error:
            reason = f"the line can't be written again ({error})."
            return Unusable(number, offset, "$", reason, _digest(raw))
        # Of a name that is there twice only one value was looked at.
        raw = raw or b""
        is_spelt_so = raw.startswith(line) and not raw[len(line) :].strip()
        stands = len(line) if is_spelt_so else spool.keep(line)
        key, kept = ordered(record.sort_key), packed(seen.what)
        return number, offset, len(raw), stands, record.identity, key, kept


def _digest(raw: bytes | None) -> str | None:
    return None if raw is None else hashlib.sha256(raw).hexdigest()


def ranges_of(path: Path) -> Iterator[LineRange]:
    """Yield the ranges that a file is read in."""
    size = path.stat().st_size
    for start in range(0, size, _RANGE_BYTES):
        yield LineRange(path, start, min(size, start + _RANGE_BYTES))
