"""A Hub repository: a bare git repository, changed only by whole commits on a checked parent."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n*.arrow filter=lfs -text\n"
"""What the Hub puts into every new dataset, in short: which files are large by their name."""
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_PERSON = {
    "GIT_AUTHOR_NAME": "ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


class StaleParentError(Exception):
    """The branch is not where the commit was to begin."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What git holds of a large file: its digest and its size."""

    sha256: str
    size: int

    def to_bytes(self) -> bytes:
        return _POINTER + f"oid sha256:{self.sha256}\nsize {self.size}\n".encode()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a tree; ``pointer`` is there if the file is a large one."""

    path: str
    kind: str
    oid: str
    size: int
    pointer: Pointer | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as the Hub lists it."""

    oid: str
    date: str
    title: str
    message: str


class Repository:
    """A bare repository with the Hub's first commit in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _run(["git", "init", "-q", "--bare", "-b", "main", str(folder)])
        self.commit("refs/heads/main", None, "initial commit", {".gitattributes": ATTRIBUTES})

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch, tag, ``refs/pr/N`` or hash names."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            found = self._git("rev-parse", "-q", "--verify", f"{name}^{{commit}}", check=False)
            if found:
                return found.decode().strip()
        return None

    def refs(self, prefix: str) -> dict[str, str]:
        """Return the commits of all references below ``prefix``, by their short names."""
        form = "--format=%(refname) %(objectname) %(*objectname)"
        lines = self._git("for-each-ref", form, prefix).decode().splitlines()
        parts = [line.split() for line in lines]
        return {part[0].removeprefix(prefix + "/"): part[-1] for part in parts}

    def entries(self, commit: str) -> list[Entry]:
        """Return all files and folders of a commit, in git's order."""
        return list(_entries(self.folder, commit))

    def entry(self, commit: str, path: str) -> Entry | None:
        return next((entry for entry in self.entries(commit) if entry.path == path), None)

    def read(self, oid: str) -> bytes:
        return self._git("cat-file", "blob", oid)

    def log(self, commit: str) -> list[Commit]:
        form = "--format=%H%x00%cd%x00%s%x00%b%x01"
        dates = "--date=format-local:%Y-%m-%dT%H:%M:%S.000Z"
        raw = self._git("log", form, dates, commit).decode()
        parts = [each.strip("\n").split("\0") for each in raw.split("\1") if each.strip("\n")]
        return [Commit(*part) for part in parts]

    def commit(
        self,
        ref: str,
        parent: str | None,
        message: str,
        files: Mapping[str, bytes | Pointer],
        deleted: Sequence[str] = (),
    ) -> str:
        """Put one commit on ``parent`` and move ``ref`` from there to it, in one step.

        Raises `StaleParentError` if ``ref`` is elsewhere by now.
        """
        with tempfile.NamedTemporaryFile(prefix="hub-index-") as index:
            environment = {**os.environ, **_PERSON, "GIT_INDEX_FILE": index.name}
            Path(index.name).unlink()
            if parent:
                self._git("read-tree", parent, env=environment)
            lines = [f"0 {'0' * 40}\t{path}" for path in deleted]
            for path, content in files.items():
                raw = content.to_bytes() if isinstance(content, Pointer) else content
                oid = self._git("hash-object", "-w", "--stdin", data=raw).decode().strip()
                lines.append(f"100644 {oid}\t{path}")
            given = "".join(line + "\0" for line in lines).encode()
            self._git("update-index", "-z", "--index-info", data=given, env=environment)
            tree = self._git("write-tree", env=environment).decode().strip()
            # So that the index is there again for the end of the block.
            Path(index.name).touch()
            parents = ["-p", parent] if parent else []
            new = self._git("commit-tree", tree, *parents, "-m", message, env=environment)
        oid = new.decode().strip()
        self.move(ref, oid, parent or "0" * 40)
        return oid

    def move(self, ref: str, new: str, old: str | None = None) -> None:
        """Point a reference at a commit, if it is at ``old`` now; ``None`` asks for nothing."""
        try:
            self._git("update-ref", ref, new, *([] if old is None else [old]))
        except subprocess.CalledProcessError as error:
            raise StaleParentError(ref) from error
        self._git("update-server-info")

    def remove(self, ref: str) -> None:
        self._git("update-ref", "-d", ref)
        self._git("update-server-info")

    def _git(
        self,
        *arguments: str,
        data: bytes | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> bytes:
        return _run(["git", f"--git-dir={self.folder}", *arguments], data, env, check=check)


@lru_cache(maxsize=256)
def _entries(folder: Path, commit: str) -> tuple[Entry, ...]:
    raw = _run(["git", f"--git-dir={folder}", "ls-tree", "-r", "-t", "-l", "-z", commit])
    found = []
    for line in raw.decode().split("\0")[:-1]:
        about, _, path = line.partition("\t")
        _, kind, oid, size = about.split()
        found.append(Entry(path, kind, oid, 0 if size == "-" else int(size)))
    pointers = _pointers(folder, [entry for entry in found if entry.kind == "blob"])
    return tuple(
        Entry(entry.path, entry.kind, entry.oid, entry.size, pointers.get(entry.oid))
        for entry in found
    )


def _pointers(folder: Path, entries: Iterable[Entry]) -> dict[str, Pointer]:
    small = list(dict.fromkeys(entry.oid for entry in entries if entry.size < 200))
    given = "".join(oid + "\n" for oid in small).encode()
    raw = _run(["git", f"--git-dir={folder}", "cat-file", "--batch"], given)
    found, place = {}, 0
    for oid in small:
        end = raw.index(b"\n", place)
        size = int(raw[place:end].split()[2])
        content = raw[end + 1 : end + 1 + size]
        place = end + size + 2
        if content.startswith(_POINTER):
            values = dict(line.split(" ", 1) for line in content.decode().splitlines())
            found[oid] = Pointer(values["oid"].removeprefix("sha256:"), int(values["size"]))
    return found


def _run(
    command: Sequence[str],
    data: bytes | None = None,
    env: Mapping[str, str] | None = None,
    *,
    check: bool = True,
) -> bytes:
    env = {**(env or os.environ), "TZ": "UTC"}
    done = subprocess.run(command, input=data, env=env, capture_output=True, check=False)
    if check:
        done.check_returncode()
    return done.stdout if done.returncode == 0 else b""
