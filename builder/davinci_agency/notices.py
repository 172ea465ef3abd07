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
from davinci_agency.repository.licensing import Notice
from davinci_agency.stage import side_file

NOTICES = "NOTICES.txt"
"""The text's file in a release."""
_RULE = "=" * 80


class NoticeLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A text that goes with the code of a repository: a path where it was, its blob, its words."""

    repo: str
    path: str
    blob: str
    text: str


def notices_file(out: Path) -> Path:
    """Return where the notices of mined records are: ``pulls.jsonl`` → ``pulls.notices.jsonl``."""
    return side_file(out, "notices")


def write_notices(file: BinaryIO, repo: str, notices: Iterable[Notice]) -> None:
    """Write the notices of a repository."""
    for notice in notices:
        line = NoticeLine(repo, notice.path, notice.blob, notice.text)
        file.write(msgspec.json.encode(line) + b"\n")


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


def notices_text(notices: Iterable[NoticeLine], repos: frozenset[str]) -> str:
    """Return the notices of some repositories as one text, each once."""
    parts = ["Code in this dataset comes from these repositories, under their licences.\n"]
    for notice in sorted({notice for notice in notices if notice.repo in repos}):
        parts.append(f"{_RULE}\n{printable(notice.repo)}: {printable(notice.path)}\n{_RULE}\n")
        parts.append(f"{notice.text.rstrip()}\n")
    return "\n".join(parts)
