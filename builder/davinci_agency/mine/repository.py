"""The edge to git: one repository read through GitPython, without touching it.

All reading goes through an *overlay*: a bare repository in a temporary folder that borrows the
source's objects and has nothing else of it: no configuration, hooks, filters, replaced objects or
promisor remotes, so nothing is run, fetched or written. Blobs that a partial clone lacks get a
stand-in there, since ``git diff`` dies in mid-stream on the first one that is absent.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import git

from davinci_agency.errors import DataError, SourceError
from davinci_agency.mine.history import LOG_FORMAT, LogCommit, parse_log

_BLOCK = 1 << 20
_PULL_HEAD = re.compile(r"refs/pull/([1-9]\d{0,8})/head")
_SUBMODULE = b"160000"
_QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_NO_REPLACE = {"GIT_NO_REPLACE_OBJECTS": "1"}
"""Replace refs switch git's commit-graph off, so only the patches are read with them."""

_CONFIG = """\
[core]
    repositoryformatversion = 1
    bare = true
[extensions]
    objectformat = {object_format}
"""

_DIFF = (
    "diff-tree", "--stdin", "-r", "--root", "--full-index", "--no-color", "--no-ext-diff",
    "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=myers",
    "--submodule=short", "--ignore-submodules=none",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """What a repository says of itself.

    Attributes:
        path: where it is.
        branch: the commit at the tip of its default branch.
        pull_heads: the commit at every ``refs/pull/<number>/head``.
        origin: the address it was cloned from, if it remembers.
        objects: its folder of objects.
        shallow: the file that lists where its history was cut, if it was.
        object_format: ``sha1`` or ``sha256``.
        fingerprint: every ref with its commit; equal when there is nothing new to mine.
    """

    path: Path
    branch: str
    pull_heads: dict[int, str]
    origin: str | None
    objects: Path
    shallow: Path | None
    object_format: str
    fingerprint: tuple[str, ...]


def read_source(path: Path) -> Source:
    """Look at a clone or a bare repository.

    Raises `SourceError` if it is none, and `DataError` if it has no commit.
    """
    try:
        repo = git.Repo(path)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise SourceError(
            f"{path} is not a git repository; name a clone, or make one with "
            "git clone --mirror URL."
        ) from error
    with repo:
        folder = Path(repo.git_dir).resolve()
        common = _common_folder(folder)
        repo.git.update_environment(**_steer(folder, common), LC_ALL="C")
        try:
            return _look(path, repo, common)
        except git.GitCommandError as error:
            raise SourceError(f"{path}: git says: {_said(error)}") from error


def _look(path: Path, repo: git.Repo, common: Path) -> Source:
    try:
        branch = repo.git.rev_parse("--verify", "--quiet", "HEAD^{commit}")
    except git.GitCommandError as error:
        if error.status != 1:
            raise
        raise DataError(
            f"{path} has no commit on its default branch; fetch its history first."
        ) from error
    lines = repo.git.for_each_ref("--format=%(objectname) %(refname)").splitlines()
    pull_heads = {
        int(match[1]): line.partition(" ")[0]
        for line in lines
        if (match := _PULL_HEAD.fullmatch(line.partition(" ")[2]))
    }
    shallow = common / "shallow"
    return Source(
        path=path,
        branch=branch,
        pull_heads=pull_heads,
        origin=_origin(repo),
        objects=common / "objects",
        shallow=shallow if shallow.is_file() else None,
        object_format=repo.git.rev_parse("--show-object-format"),
        fingerprint=(branch, *lines, shallow.read_text() if shallow.is_file() else ""),
    )


def _common_folder(folder: Path) -> Path:
    """Return the git directory that a worktree's belongs to; its own for any other."""
    pointer = folder / "commondir"
    return (folder / pointer.read_text().strip()).resolve() if pointer.is_file() else folder


def _origin(repo: git.Repo) -> str | None:
    try:
        return str(repo.git.config("--get", "remote.origin.url")) or None
    except git.GitCommandError:
        return None


def hosted_at(origin: str | None) -> tuple[str, str] | None:
    """Return the host and owner/name in a clone's address; ``None`` for a path or none at all.

    >>> hosted_at("git@github.com:numpy/numpy.git")
    ('github.com', 'numpy/numpy')
    >>> hosted_at("https://user:secret@github.com/numpy/numpy")
    ('github.com', 'numpy/numpy')
    """
    if not origin:
        return None
    if "://" not in origin and ":" in origin:
        user_and_host, _, path = origin.partition(":")
        host = user_and_host.rpartition("@")[2]
    else:
        parts = urlsplit(origin)
        host, path = parts.hostname or "", parts.path
    name = path.strip("/").removesuffix(".git")
    return (host, name) if host and re.fullmatch(r"[\w.-]+/[\w.-]+", name) else None


def _steer(folder: Path, common: Path) -> dict[str, str]:
    """Return the variables that tell git where everything is, over those that it was given.

    A hook runs with some of them set to its own repository. Said outright, a git directory is also
    found where it has no configuration file.
    """
    return {
        "GIT_DIR": str(folder),
        "GIT_COMMON_DIR": str(common),
        "GIT_OBJECT_DIRECTORY": str(common / "objects"),
        "GIT_SHALLOW_FILE": str(common / "shallow"),
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_WORK_TREE": str(folder),
        "GIT_DIFF_OPTS": "",
        "GIT_REPLACE_REF_BASE": "refs/replace/",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_CONFIG_COUNT": "0",
    }


@dataclass(frozen=True, slots=True)
class Overlay:
    """A bare repository that borrows another one's objects; picklable, so that workers share it."""

    folder: Path

    def log(self, tip: str) -> Iterator[LogCommit]:
        """Yield every commit that a tip reaches, children before parents."""
        arguments = ["log", "--topo-order", "-z", f"--format={LOG_FORMAT}", tip]
        with self._process(arguments, None, _NO_REPLACE) as output:
            yield from parse_log(iter(lambda: output.read(_BLOCK), b""))

    def commits(self, shas: Iterable[str]) -> Iterator[LogCommit]:
        """Yield the commits of some names, in any order; those that are absent are left out."""
        arguments = ["log", "--no-walk=unsorted", "-z", f"--format={LOG_FORMAT}", "--stdin"]
        present = [sha for sha, kind in self._kinds(shas) if kind == "commit"]
        if not present:
            # Told of no commit at all, git would log HEAD.
            return
        with (
            self._lines(present) as names,
            self._process(arguments, names, _NO_REPLACE) as output,
        ):
            yield from parse_log(iter(lambda: output.read(_BLOCK), b""))

    def _kinds(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield each object's name and kind; the kind of an absent one is ``missing``."""
        arguments = ["cat-file", "--batch-check=%(objectname) %(objecttype)"]
        with (
            self._lines(names) as lines,
            self._process(arguments, lines, _NO_REPLACE) as output,
        ):
            for line in output:
                name, _, kind = line.decode().strip().partition(" ")
                yield name, kind

    def diff(self, pairs: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        """Yield the lines of the diffs of (commit, base) pairs, with renames.

        Each non-empty diff is a line with the commit's name, ``--raw`` lines, an empty line and
        the patch.
        """
        with (
            self._lines(f"{commit} {base}" for commit, base in pairs) as lines,
            self._process([*_DIFF, "--patch-with-raw", "-U3", "-M"], lines, {}) as output,
        ):
            yield from output

    def stand_in_for_missing(self, pairs: Sequence[tuple[str, str]]) -> frozenset[str]:
        """Give every blob that the diffs of the pairs need and that is absent a stand-in.

        Returns their names. Every stand-in differs from all other blobs, for where nothing differs
        git prints nothing.
        """
        needed: set[str] = set()
        with (
            self._lines(f"{commit} {base}" for commit, base in pairs) as lines,
            self._process([*_DIFF, "--raw", "--no-renames"], lines, _NO_REPLACE) as output,
        ):
            for line in output:
                if line.startswith(b":"):
                    old_mode, new_mode, old, new, _ = line[1:].split(b" ", 4)
                    needed |= {
                        blob.decode()
                        for mode, blob in ((old_mode, old), (new_mode, new))
                        if mode != _SUBMODULE and blob.strip(b"0")
                    }
        missing = [name for name, kind in self._kinds(sorted(needed)) if kind == "missing"]
        self._replace({name: f"The blob {name} is missing.\n".encode() for name in missing})
        return frozenset(missing)

    def _replace(self, contents: Mapping[str, bytes]) -> None:
        """Give blobs, by name, other contents."""
        if not contents:
            return
        blobs = (
            f"blob\nmark :{mark}\ndata {len(content)}\n{content.decode()}"
            for mark, content in enumerate(contents.values(), start=1)
        )
        marks = self.folder / "marks"
        with (
            self._lines(blobs) as stream,
            self._process(["fast-import", "--quiet", f"--export-marks={marks}"], stream, {}) as out,
        ):
            out.read()
        made = dict(line.split() for line in marks.read_text().splitlines())
        # One file of refs, in the order of their names: git reads it once a process.
        refs = [
            f"{made[f':{mark}']} refs/replace/{name}\n"
            for mark, name in enumerate(contents, start=1)
        ]
        refs.sort(key=lambda line: line.partition(" ")[2])
        header = "# pack-refs with: peeled fully-peeled sorted \n"
        (self.folder / "packed-refs").write_text(header + "".join(refs))

    @contextmanager
    def _lines(self, lines: Iterable[str]) -> Iterator[BinaryIO]:
        # A file, not a pipe: git may stop reading while we wait for what it writes.
        with tempfile.TemporaryFile() as file:
            file.writelines(line.encode() + b"\n" for line in lines)
            file.seek(0)
            yield cast(BinaryIO, file)

    @contextmanager
    def _process(
        self, arguments: list[str], lines: BinaryIO | None, environment: dict[str, str]
    ) -> Iterator[BinaryIO]:
        """Run git in the overlay and hand out what it prints; a failure is raised at the end."""
        command = ["git", "-c", "i18n.logOutputEncoding=UTF-8", "-c", "core.quotePath=true"]
        with git.Repo(self.folder) as repo:
            repo.git.update_environment(**_QUIET, **environment, **_steer(self.folder, self.folder))
            process: Any = repo.git.execute(
                [*command, *arguments], as_process=True, istream=lines, output_stream=None
            )
            try:
                yield process.stdout
                process.wait()
            except git.GitCommandError as error:
                raise DataError(
                    f"git {arguments[0]} failed: {_said(error)} If the clone is partial, fetch "
                    "what it lacks; if it is damaged, git fsck tells where."
                ) from error
            finally:
                process.stdout.close()
                process.stderr.close()


@contextmanager
def open_overlay(source: Source) -> Iterator[Overlay]:
    """Make an overlay of a source, and remove it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="davinci-agency-overlay-"))
    try:
        for name in ("objects/info", "refs"):
            (folder / name).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        (folder / "config").write_text(_CONFIG.format(object_format=source.object_format))
        alternates = folder / "objects" / "info" / "alternates"
        alternates.write_bytes(_quoted(os.fsencode(source.objects)) + b"\n")
        if source.shallow is not None:
            shutil.copyfile(source.shallow, folder / "shallow")
        yield Overlay(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _quoted(path: bytes) -> bytes:
    """Return a path as git reads it from a list of one path a line."""
    escaped = (b"\\%03o" % byte if byte < 32 or byte in b'"\\' else bytes([byte]) for byte in path)
    return b'"' + b"".join(escaped) + b'"'


def _said(error: git.GitCommandError) -> str:
    text = str(error.stderr or "").strip().removeprefix("stderr: ").strip("'\n ")
    return text or f"exit status {error.status}"
