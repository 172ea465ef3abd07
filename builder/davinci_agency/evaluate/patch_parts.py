"""A git patch as files and hunks, changed and written again; pure.

What is in a hunk is told by its heading's counts, since a removed line may look like a heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

_HEADING = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@(.*)")
_BEGIN = "diff --git "


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that follow each other.

    Attributes:
        old_start: the number of the first line in the old file; of the line before, if it is
            empty there.
        section: what stands behind the numbers.
        lines: the lines with their signs, and the words about a missing line end.
    """

    old_start: int
    section: str
    lines: tuple[str, ...]

    @property
    def runs(self) -> list[tuple[bool, list[str]]]:
        """The lines as they change and stay, by turns: (whether they change, the lines)."""
        changes: list[bool] = []
        for line in self.lines:
            # What is said of a line end belongs to the line before it.
            changes.append(changes[-1] if line[:1] == "\\" and changes else line[:1] in "+-")
        pairs = zip(changes, self.lines, strict=True)
        return [
            (changed, [line for _, line in run]) for changed, run in groupby(pairs, lambda p: p[0])
        ]

    def count(self, signs: str) -> int:
        """Return the number of lines with one of some signs."""
        return sum(line[:1] in signs for line in self.lines)


@dataclass(frozen=True, slots=True)
class FilePart:
    """What a patch does to one file: its lines up to the hunks, and the hunks."""

    heading: tuple[str, ...]
    hunks: tuple[Hunk, ...]

    @property
    def path(self) -> str:
        """The path of the new file, as its heading has it."""
        return self.heading[0].rpartition(" b/")[2]

    @property
    def is_new(self) -> bool:
        """Whether the file was not there before."""
        return any(line.startswith("new file mode ") for line in self.heading)

    @property
    def is_gone(self) -> bool:
        """Whether the file is not there after it."""
        return any(line.startswith("deleted file mode ") for line in self.heading)

    @property
    def is_submodule(self) -> bool:
        """Whether it is the commit of another repository."""
        return any(line.endswith(" 160000") for line in self.heading)

    def with_hunks(self, hunks: Iterable[Hunk]) -> FilePart:
        """Return it with other hunks; those that change nothing are left out."""
        return replace(self, hunks=tuple(hunk for hunk in hunks if hunk.count("+-")))


def parse_patch(patch: str) -> list[FilePart]:
    """Return the files of a patch as git writes it."""
    parts: list[FilePart] = []
    lines = iter(patch.split("\n"))
    heading: list[str] = []
    hunks: list[Hunk] = []
    for line in lines:
        match = _HEADING.match(line) if heading else None
        if match:
            hunks.append(_hunk(match, lines))
        elif line.startswith(_BEGIN):
            if heading:
                parts.append(FilePart(tuple(heading), tuple(hunks)))
            heading, hunks = [line], []
        elif hunks and line.startswith("\\"):
            hunks[-1] = replace(hunks[-1], lines=(*hunks[-1].lines, line))
        elif heading and (line or not hunks):
            heading.append(line)
    if heading:
        parts.append(FilePart(tuple(heading), tuple(hunks)))
    return parts


def _hunk(match: re.Match[str], lines: Iterator[str]) -> Hunk:
    old, new = (1 if match[group] is None else int(match[group]) for group in (2, 3))
    taken: list[str] = []
    while old > 0 or new > 0:
        line = next(lines, None)
        if line is None:
            break
        taken.append(line)
        if line[:1] != "\\":
            old -= line[:1] != "+"
            new -= line[:1] != "-"
    return Hunk(int(match[1]), match[4], tuple(taken))


def write_patch(parts: Iterable[FilePart]) -> str:
    """Return the patch of some files; where lines come to stand is counted anew."""
    written: list[str] = []
    for part in parts:
        heading = part.heading
        while heading and not heading[-1]:
            heading = heading[:-1]
        written += heading
        shift = 0
        for hunk in part.hunks:
            old, new = (hunk.count(f"{sign} ") + hunk.lines.count("") for sign in "-+")
            # An empty side is said to begin at the line before it.
            start = hunk.old_start + shift + (old == 0) - (new == 0)
            sides = f"-{hunk.old_start}{_counted(old)} +{start}{_counted(new)}"
            written.append(f"@@ {sides} @@{hunk.section}")
            written += hunk.lines
            shift += new - old
    return "\n".join(written) + "\n" if written else ""


def _counted(lines: int) -> str:
    """Return a number of lines as git writes it: one is understood."""
    return "" if lines == 1 else f",{lines}"


def split_hunk(hunk: Hunk) -> list[Hunk]:
    """Return a hunk as one for each run of changes."""
    split: list[Hunk] = []
    held: list[str] = []
    start, passed = hunk.old_start, 0
    has_change = False
    for changed, lines in hunk.runs:
        if changed and has_change:
            split.append(Hunk(start, hunk.section, tuple(held)))
            start += passed
            held, passed = [], 0
        held += lines
        passed += sum(line[:1] not in "+\\" for line in lines) + lines.count("")
        has_change = has_change or changed
    return [*split, Hunk(start, hunk.section, tuple(held))]
