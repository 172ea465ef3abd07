"""Trees made from trees: a patch applied or taken back, three trees merged; by git, in an overlay.

Nothing here sees a work tree, a configuration or an attribute of anybody, so no driver, filter or
hook runs, and the same trees always give the same tree.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from davinci_agency.errors import DataError
from davinci_agency.repository.overlay import Overlay

_APPLY = ("apply", "--cached", "--whitespace=nowarn", "--allow-empty")
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "davinci-agency"),
        ("EMAIL", "nobody@example.invalid"),
        ("DATE", "@0 +0000"),
    )
}


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging gave: a tree, or the paths that both sides change differently."""

    tree: str | None
    conflicts: tuple[str, ...] = ()


class States:
    """Makes trees in an overlay; several threads may use one."""

    def __init__(self, overlay: Overlay) -> None:
        self.overlay = overlay

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit. Raises `DataError` if it is not there."""
        printed = self._git(("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}"))
        if printed is None:
            raise DataError(f"the commit {commit} is not in the clone; fetch it, pull heads too.")
        return printed.decode().strip()

    def applied(self, tree: str, patch: str, *, reverse: bool = False) -> str | None:
        """Return a tree with a patch applied, or taken back; ``None`` if that can't be done."""
        given = patch.encode("utf-8", "surrogateescape")
        turned = ("--reverse",) if reverse else ()
        for more in ((), ("--3way",)):
            # Each try needs an index of its own: a failed one leaves conflicts in it.
            with self.index(tree) as environment:
                if self._git((*_APPLY, *turned, *more), given, environment) is not None:
                    return self.written(environment)
        return None

    def merged(self, ancestor: str, ours: str, theirs: str) -> Merged:
        """Return what three-way merging of trees gives."""
        root = self._commit(ancestor)
        sides = [self._commit(tree, root) for tree in (ours, theirs)]
        arguments = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *sides)
        status, printed = self.overlay.answer(arguments, b"", {})
        tree, *paths = printed.decode(errors="replace").split("\0")
        if status not in (0, 1):
            raise DataError("git could not merge two states; is the clone a partial one?")
        return Merged(tree) if status == 0 else Merged(None, tuple(filter(None, paths)))

    def with_files(self, tree: str, source: str, paths: Sequence[str]) -> str:
        """Return a tree in which some files are as in another one; taken out if not there."""
        listed = self._git(("ls-tree", "-r", "-z", "--full-tree", source))
        if listed is None:
            raise DataError(f"the tree {source} is not in the clone; is it a partial one?")
        entries = {
            path: heading.split()
            for entry in listed.split(b"\0")
            if entry
            for heading, _, path in [entry.partition(b"\t")]
        }
        nothing = [b"0", b"blob", b"0" * len(source)]
        wanted = b"".join(
            b"%s %s\t%s\0" % (mode, name, path)
            for path in map(os.fsencode, paths)
            for mode, _, name in [entries.get(path, nothing)]
        )
        with self.index(tree) as environment:
            arguments = ("update-index", "--replace", "-z", "--index-info")
            if self._git(arguments, wanted, environment) is None:
                raise DataError("git could not put files into a tree; is the disk full?")
            return self.written(environment)

    @contextmanager
    def index(self, tree: str) -> Iterator[dict[str, str]]:
        """Give the environment of a git whose index holds a tree, and remove the index."""
        handle, name = tempfile.mkstemp(prefix="index-", dir=self.overlay.folder)
        os.close(handle)
        path = Path(name)
        path.unlink()
        environment = {"GIT_INDEX_FILE": str(path)}
        try:
            if self._git(("read-tree", tree), environment=environment) is None:
                raise DataError(f"the tree {tree} is not in the clone; is it a partial one?")
            yield environment
        finally:
            path.unlink(missing_ok=True)

    def written(self, environment: Mapping[str, str]) -> str:
        """Return the tree that an index holds."""
        printed = self._git(("write-tree", "--missing-ok"), environment=environment)
        if printed is None:
            raise DataError("git could not write a tree; is the disk full?")
        return printed.decode().strip()

    def _commit(self, tree: str, *parents: str) -> str:
        arguments = ["commit-tree", "-m", "state", tree]
        for parent in parents:
            arguments += ["-p", parent]
        printed = self._git(tuple(arguments), environment=_NOBODY)
        if printed is None:
            raise DataError(f"git could not make a commit of the tree {tree}.")
        return printed.decode().strip()

    def _git(
        self,
        arguments: tuple[str, ...],
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> bytes | None:
        return self.overlay.attempt(arguments, given, dict(environment or {}))
