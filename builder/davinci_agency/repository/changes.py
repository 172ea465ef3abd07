"""What was changed in a worktree, told by a repository that its agent never saw.

The agent's own ``.git`` is not looked at: it may be deleted, or hold hooks, filters and settings
that run programs. Objects, index and configuration are ours; only the files are its.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from davinci_agency.errors import DataError
from davinci_agency.repository.states import States
from davinci_agency.repository.worktree import remove_worktree

LARGEST_FILE = 32 << 20
"""Bytes; what is larger is no source, and git would hold it in memory."""
_LONGEST_PATH = 3_500
"""Characters; the kernel takes no path beyond 4,096, and git adds its own."""
_SETTINGS = (
    "-c", "core.bare=false", "-c", "core.excludesFile=/dev/null", "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false", "-c", "core.autocrlf=false",
    "-c", "core.safecrlf=false", "-c", "core.symlinks=true", "-c", "core.protectNTFS=false",
    "-c", "advice.addEmbeddedRepo=false",
)  # fmt: skip
_FROM_INPUT = ("--pathspec-from-file=-", "--pathspec-file-nul")
_DIFF = (
    "diff-index", "--cached", "-p", "--binary", "--full-index", "--no-color", "--no-ext-diff",
    "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=myers",
    "--submodule=short",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Changes:
    """What was changed: as a patch, as the tree that it gives, and what could not be taken in."""

    patch: str
    tree: str
    left_out: tuple[str, ...]


def read_changes(states: States, start: str, folder: Path) -> Changes:
    """Return what differs in a worktree from the tree that it started from, new files included.

    Its own ``.gitignore`` files hold, those of this machine don't. Repositories made inside are
    taken as folders. Files that are too large or too deep, or neither files nor links, are left out
    and named. Changes the folder: permissions that shut us out are widened.
    """
    left_out = list(_prepare(folder))
    with states.index(start) as index:
        environment = {**index, "GIT_WORK_TREE": str(folder), "GIT_ATTR_NOSYSTEM": "1"}
        wanted = b"".join(
            [b".\0", *(b":(exclude,top,literal)%s\0" % os.fsencode(path) for path in left_out)]
        )
        adding = (
            "add",
            "--all",
            "--ignore-errors",
            "--pathspec-from-file=-",
            "--pathspec-file-nul",
        )
        states.overlay.answer((*_SETTINGS, *adding), wanted, environment)
        tree = states.written(index)
        printed = states.overlay.attempt((*_SETTINGS, *_DIFF, start), b"", index)
        if printed is None:
            raise DataError("git could not tell what was changed; is the disk full?")
    try:
        patch = printed.decode()
    except UnicodeDecodeError:
        return _without_other_bytes(states, start, printed, tuple(left_out))
    return Changes(patch, tree, tuple(left_out))


def _without_other_bytes(
    states: States, start: str, printed: bytes, left_out: tuple[str, ...]
) -> Changes:
    """Return the changes without the files whose text is not UTF-8: records hold nothing else."""
    head, *parts = printed.split(b"\ndiff --git ")
    parts = [head.removeprefix(b"diff --git "), *parts]
    kept: list[str] = []
    for part in parts:
        try:
            kept.append("diff --git " + part.decode())
        except UnicodeDecodeError:
            name = part.partition(b"\n")[0].decode(errors="replace")
            left_out = (*left_out, name.partition(" b/")[0].removeprefix("a/"))
    patch = "\n".join(kept)
    patch = patch + "\n" if patch and not patch.endswith("\n") else patch
    tree = states.applied(start, patch)
    if tree is None:
        raise DataError("what is left of a patch without other bytes does not apply")
    return Changes(patch, tree, left_out)


def _prepare(folder: Path) -> Iterator[str]:
    """Make a folder readable and its inner repositories folders; yield what can't be taken in."""
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        with suppress(OSError):
            if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
                place.chmod(0o700)
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            yield str(place.relative_to(folder))
            continue
        for entry in entries:
            path = Path(entry.path)
            name = str(path.relative_to(folder))
            if entry.name == ".git":
                if place != folder:
                    remove_worktree(path)
            elif len(os.fsencode(entry.path)) > _LONGEST_PATH:
                yield name
                remove_worktree(path)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                if not os.access(path, os.R_OK):
                    path.chmod(path.stat().st_mode | 0o600)
                if entry.stat(follow_symlinks=False).st_size > LARGEST_FILE:
                    yield name
            elif not entry.is_symlink():
                yield name
