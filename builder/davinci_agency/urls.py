"""Addresses of files and folders that are elsewhere; pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from davinci_agency.errors import CommandError


@dataclass(frozen=True, slots=True)
class Url:
    """The address of a file or folder; shown without what may be a secret in it.

    >>> str(Url("https://me:key@example.org/a/b.jsonl?signature=key"))
    'https://example.org/a/b.jsonl'
    """

    address: str

    def __str__(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def name(self) -> str:
        """The last part of its path. Raises `CommandError` if that names nothing."""
        name = PurePosixPath(urlsplit(self.address).path).name
        if not name or name.startswith("."):
            raise CommandError(f"{self} names no file or folder; give it a name at its end.")
        return name
