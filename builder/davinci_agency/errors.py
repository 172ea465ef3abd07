"""Every error the project raises on purpose, and the exit code each one means.

    DavinciError
    ├── CommandError      2   the command, its options or the recipe are at fault
    │   ├── RecipeError       dataset.toml says something that can't be done
    │   ├── SourceError       what should be a git repository is not one
    │   └── OutputError       the place to write to is taken, full or read-only
    ├── DataError         1   the data is at fault
    │   ├── StrictError       a record was quarantined while --strict was on
    │   └── ReleaseError      a release is not what its manifest says
    ├── SchemaError       1   a schema can't be found, or can't be held by Arrow
    └── RemoteError       3   GitHub, the Hub, a model or a scaffold is at fault

A message says what failed, where, and what to do next.
"""

from __future__ import annotations

from pathlib import Path


class DavinciError(Exception):
    """The root of the tree; catch it to catch everything raised on purpose."""

    exit_code = 2


class CommandError(DavinciError):
    """The command, its options or the recipe are at fault."""

    exit_code = 2


class RecipeError(CommandError):
    """A recipe says something that can't be done."""


class SourceError(CommandError):
    """What should be a git repository can't be read as one."""


class OutputError(CommandError):
    """The place to write to is taken, full, locked or read-only."""


class DataError(DavinciError):
    """The data is at fault."""

    exit_code = 1


class StrictError(DataError):
    """A record was quarantined while ``--strict`` was on."""


class ReleaseError(DataError):
    """A release is not what its manifest says, or is no release at all."""


class SchemaError(DavinciError):
    """A schema is unknown, or says something that Arrow can't hold."""

    exit_code = 1


class RemoteError(DavinciError):
    """A remote service or a tool run as a process is at fault."""

    exit_code = 3


def no_room(folder: Path, why: object) -> OutputError:
    """Return the error of a folder for temporary files in which one can't be written."""
    return OutputError(
        f"{folder}: {why}; free some space there, or name another folder for temporary files with "
        "--scratch, or in TMPDIR."
    )
