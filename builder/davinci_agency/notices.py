"""The licences and notices that go with the code of a release, from its repositories' own files.

Mining leaves them beside its records, one a line; a release has those of its repositories in one
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from davinci_agency.errors import DataError
from davinci_agency.files import plain_file
from davinci_agency.printable import printable
from davinci_agency.stage import side_file

NOTICES = "NOTICES.txt"
"""The text's file in a release."""
_RULE = "=" * 80


class NoticeLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A text that goes with the code of a repository.

    Attributes:
        repo: the repository.
        path, blob, text: where it was in it, git's name for it, its words.
        licenses: the licences of the base commits that had it; empty for one that is not known.
    """

    repo: str
    path: str
    blob: str
    text: str
    licenses: tuple[str, ...]


def notices_file(out: Path) -> Path:
    """Return where the notices of mined records are: ``pulls.jsonl`` → ``pulls.notices.jsonl``."""
    return side_file(out, "notices")


def write_notices(file: BinaryIO, notices: Iterable[NoticeLine]) -> None:
    """Write some notices."""
    for notice in notices:
        file.write(msgspec.json.encode(notice) + b"\n")


def read_notices(paths: Sequence[Path]) -> Iterator[NoticeLine]:
    """Yield the notices in some files. Raises `DataError` if a line is none."""
    for path in paths:
        with plain_file(path) as plain, plain.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield msgspec.json.decode(line, type=NoticeLine)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    reason = f"{path}:{number}: {error} (a notice). Mine again, or drop the line."
                    raise DataError(reason) from error


def notices_text(notices: Iterable[NoticeLine], held: frozenset[tuple[str, str]]) -> str:
    """Return the notices of what is held, by repository and licence, as one text, each once."""
    parts = ["Code in this dataset comes from these repositories, under their licences.\n"]
    wanted = {n for n in notices if any((n.repo, license_) in held for license_ in n.licenses)}
    for notice in sorted(wanted):
        parts.append(f"{_RULE}\n{printable(notice.repo)}: {printable(notice.path)}\n{_RULE}\n")
        # Behind a mark, so that no notice can pass for the heading of another.
        lines = (f"| {_plain(line)}".rstrip() for line in notice.text.rstrip().split("\n"))
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _plain(line: str) -> str:
    """Return a line without characters that steer a terminal or hide."""
    return "".join(char if char.isprintable() else " " for char in line.expandtabs(4))
