"""Which patches are git's own: what they apply to and what they give is known without a trial.

A stage's patch that says, file by file and byte by byte, what git says of base and merge commit
applies cleanly to the one and gives the other. One process of git tells it of a thousand stages,
where a trial takes three for each; of a pull request as it was mined nobody is asked again. Only
files whose content changes, that begin, end or get another name with it are judged so; whatever is
less plain (links, modes, odd names) is left to the trial. Where files are named without their patch
(a lock file's), what the others give is the base with these others as the merge has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from davinci_agency.records import ChainStage, ChangedFile, PullRequest
from davinci_agency.repository.differ import Differ, DiffStoppedError
from davinci_agency.repository.overlay import Overlay

_BATCH = 100
"""Stages that git is asked for at once."""
_FILE = b"\ndiff --git "
_NAME = rb"[\w ./+@,=-]+"
_PLAIN = re.compile(
    rb"a/(?:(?P<one>%b) b/(?P=one)|(?P<old>%b) b/(?P<new>%b))\n"
    rb"(?:(?:new|deleted) file mode 100(?:644|755)\n)?"
    rb"(?(old)similarity index \d{1,2}%%\nrename from (?P=old)\nrename to (?P=new)\n)"
    rb"index [0-9a-f]{40,64}\.\.[0-9a-f]{40,64}(?: 100(?:644|755))?"
    rb"(?:\n--- [^\n]+\n\+\+\+ [^\n]+\n@@ |\Z)" % (_NAME, _NAME, _NAME)
)
_ODD = b""
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
    said = _said(patch, test_patch)
    return (
        sorted(files) == sorted(said) and listed.count(b"\n:") == len(files) and _are_plain(files)
    )


def own_paths(pull: PullRequest) -> frozenset[bytes] | None:
    """Return the paths of which a patch as it was mined says what git printed; ``None`` if unsure.

    The others are those of files that are named without their patch.
    """
    said = _said(pull.patch, pull.test_patch)
    shown = [file for file in pull.files if file.omitted is None]
    omitted = _names(file for file in pull.files if file.omitted is not None)
    if len(said) != len(shown) or not _are_plain(said, omitted):
        return None
    return frozenset(_names(shown))


def _names(files: Iterable[ChangedFile]) -> list[bytes]:
    return [_bytes(path) for file in files for path in (file.path, file.old_path) if path]


def _said(patch: str, test_patch: str) -> list[bytes]:
    return [*_files(_bytes(patch)), *_files(_bytes(test_patch))]


def _are_plain(files: Sequence[bytes], others: Sequence[bytes] = ()) -> bool:
    """Tell whether parts of a patch are plain, and none has to do with another or with others."""
    found = [match for match in map(_PLAIN.match, files) if match]
    names = [name for match in found for name in match.group("one", "old", "new") if name]
    names += others
    folders = {folder for name in names for folder in _folders(name)}
    return (
        len(found) == len(files)
        and len(set(names)) == len(names)
        and not folders & set(names)
        and not any(map(_NO_NAME.search, names))
    )


def _folders(name: bytes) -> Iterator[bytes]:
    return accumulate(name.split(b"/")[:-1], lambda folder, part: folder + b"/" + part)


def _files(patch: bytes) -> list[bytes]:
    """Return the parts of a patch that are of one file each, without their mark and their end.

    What is no such patch is one part that is not plain.
    """
    if not patch:
        return []
    before, *parts = (b"\n" + patch).split(_FILE)
    if before or not patch.endswith(b"\n"):
        return [_ODD]
    parts[-1] = parts[-1].removesuffix(b"\n")
    return parts


def _bytes(patch: str) -> bytes:
    return patch.encode("utf-8", "surrogateescape")
