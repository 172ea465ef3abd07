"""Which patches are git's own: what they apply to and what they give is known without a trial.

A stage's patch that says, file by file and byte by byte, what git says of base and merge commit
applies cleanly to the one and gives the other. One process of git tells it of a thousand stages,
where a trial takes three for each. Only files whose content changes, that begin or that end are
judged so; whatever is less plain (renames, links, binary files, odd names) is left to the trial.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from davinci_agency.records import ChainStage
from davinci_agency.repository.differ import Differ, DiffStoppedError
from davinci_agency.repository.overlay import Overlay

_BATCH = 100
"""Stages that git is asked for at once."""
_FILE = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_PLAIN = re.compile(
    rb"diff --git a/([\w ./+@,=-]+) b/\1\n"
    rb"(?:(?:new|deleted) file mode 100(?:644|755)\n)?"
    rb"index [0-9a-f]{40,64}\.\.[0-9a-f]{40,64}(?: 100(?:644|755))?\n"
    rb"(?:--- [^\n]+\n\+\+\+ [^\n]+\n@@ |\Z)"
)
_NO_NAME = re.compile(rb"(?:^|/)(?:\.git(?![\w-])|git~|\.{0,2}(?:/|$))", re.IGNORECASE)
"""What git may refuse to write: it could be its own folder, or another one, on some machine."""


class OwnDiffs:
    """Asks git for diffs; for one thread at a time, to be closed in the end."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._differ: Differ | None = None
        self._is_able = True

    def close(self) -> None:
        """End git's process, if there is one."""
        if self._differ is not None:
            self._differ.close()
            self._differ = None

    def among(self, stages: Sequence[ChainStage]) -> Iterator[ChainStage]:
        """Yield those stages whose patch is git's own, of which both commits are there."""
        for start in range(0, len(stages), _BATCH):
            batch = stages[start : start + _BATCH]
            try:
                yield from self._among(batch)
            except DiffStoppedError:
                # A blob is missing; what does not need it can still be tried.
                self._is_able = False
                self.close()

    def _among(self, stages: Sequence[ChainStage]) -> Iterator[ChainStage]:
        if not self._is_able:
            return
        if self._differ is None:
            self._differ = Differ(self._overlay)
        self._differ.ask([(stage.merge_commit, stage.base_commit) for stage in stages])
        answers = self._differ.answers(len(stages))
        for stage, (printed, is_whole) in zip(stages, answers, strict=True):
            if is_whole and is_own(stage.patch, stage.test_patch, printed):
                yield stage


def is_own(patch: str, test_patch: str, printed: bytes) -> bool:
    """Tell whether two parts of a patch say just what git printed of a pair of commits.

    Nothing printed is a pair that does not differ, and its patch says nothing.
    """
    listed, _, told = printed.partition(b"\n\n")
    files = _files(told)
    said = [*_files(_bytes(patch)), *_files(_bytes(test_patch))]
    if sorted(files) != sorted(said) or listed.count(b"\n:") != len(files):
        return False
    names = [match[1].decode() for match in map(_PLAIN.match, files) if match]
    folders = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    return (
        len(set(names)) == len(files)
        and not folders & set(names)
        and not any(_NO_NAME.search(name.encode()) for name in names)
    )


def _files(patch: bytes) -> list[bytes]:
    """Return the parts of a patch that are of one file each."""
    return [part for part in _FILE.split(patch) if part]


def _bytes(patch: str) -> bytes:
    return patch.encode("utf-8", "surrogateescape")
