"""Versions of a dataset, and which one follows from a change; pure.

MAJOR: code that reads the dataset may fail: a config, a column or a type went away or changed.
MINOR: rows, columns or configs were added, or rows changed or went away.
PATCH: only words changed: the card, the plots, the licences' notices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from davinci_agency.errors import CommandError
from davinci_agency.release import Manifest

_TAG = re.compile(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})", re.ASCII)


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """A version, ordered as semantic versioning orders them."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """The git tag: ``v1.2.0``."""
        return f"v{self}"

    @classmethod
    def parse(cls, text: str) -> Version:
        """Return the version that a tag or a number names. Raises `CommandError` if none."""
        match = _TAG.fullmatch(text)
        if match is None:
            raise CommandError(f"{text[:40]!r} is no version; write it like v1.2.0.")
        return cls(*map(int, match.groups()))

    def after(self, change: Change) -> Version:
        """Return the version that follows.

        >>> str(Version(1, 2, 3).after(Change.MINOR))
        '1.3.0'
        """
        match change:
            case Change.MAJOR:
                return Version(self.major + 1, 0, 0)
            case Change.MINOR:
                return Version(self.major, self.minor + 1, 0)
            case Change.PATCH:
                return Version(self.major, self.minor, self.patch + 1)
            case Change.NONE:
                return self


class Change(IntEnum):
    """How much a release differs from the one before."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


FIRST = Version(1, 0, 0)
"""The version of a first release."""


def versions_of(tags: Iterable[str]) -> list[Version]:
    """Return the versions among some tags, oldest first."""
    matches = (_TAG.fullmatch(tag) for tag in tags)
    return sorted(Version(*map(int, match.groups())) for match in matches if match)


def change_between(old: Manifest, new: Manifest) -> Change:
    """Return how much the data of a release changed; its words are not looked at.

    A schema's own number says whether its columns still can be read as before.
    """
    if _major(old.schema_version) != _major(new.schema_version):
        return Change.MAJOR
    if old.shard_format != new.shard_format or _configs(old) - _configs(new):
        return Change.MAJOR
    if old.schema_version != new.schema_version or _digests(old) != _digests(new):
        return Change.MINOR
    return Change.NONE


def _major(version: str) -> str:
    return version.partition(".")[0]


def _configs(manifest: Manifest) -> set[str]:
    return {config for config, rows in manifest.rows.items() if rows}


def _digests(manifest: Manifest) -> set[tuple[str, str]]:
    return {(shard.config, shard.sha256) for shard in manifest.shards}
