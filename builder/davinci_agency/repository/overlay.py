"""The edge to git's objects: an overlay of a repository, read through GitPython.

An overlay is a bare repository in a temporary folder that borrows the source's objects and has
nothing else of it: no configuration, hooks, filters, replaced objects or promisor remotes, so
nothing is run, fetched or written. Blobs that a partial clone lacks get a stand-in there, since
``git diff`` dies in mid-stream on the first one that is absent.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import git

from davinci_agency.errors import DataError
from davinci_agency.repository.source import Source, said, steer

_BLOCK = 1 << 20
_SUBMODULE = b"160000"
_QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
NO_REPLACE = {"GITNO_REPLACE_OBJECTS": "1"}
"""Replace refs switch git's commit-graph off, so only the patches are read with them."""

_CONFIG = """\
[core]
    repositoryformatversion = 1
    bare = true
[extensions]
    objectformat = {object_format}
"""

DIFF = (
    "diff-tree", "--stdin", "-r", "--root", "--full-index", "--no-color", "--no-ext-diff",
    "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=myers",
    "--submodule=short", "--ignore-submodules=none",
)  # fmt: skip
MARK = b"="
"""A line of standard input that names no object is printed as it is, and what is waiting with it.

No line of a patch or of the raw part begins like that.
"""
_CAT = ("cat-file", "--batch")

Pair = tuple[str, str]
"""A commit, and the one that its diff starts from."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A bare repository that borrows another one's objects."""

    folder: Path

    def log(self, tips: Iterable[str], form: str) -> Iterator[bytes]:
        """Yield the log of every commit that some tips reach, in a form, cut anywhere.

        Tips that are absent or no commits are passed over.
        """
        arguments = ["log", "-z", f"--format={form}", "--ignore-missing", "--stdin"]
        with self._lines(tips) as names, self._run(arguments, names, NO_REPLACE) as output:
            yield from iter(lambda: output.read(_BLOCK), b"")

    def _kinds(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield each object's name and kind; the kind of an absent one is ``missing``."""
        arguments = ["cat-file", "--batch-check=%(objectname) %(objecttype)"]
        with self._lines(names) as lines, self._run(arguments, lines, NO_REPLACE) as output:
            for line in output:
                name, _, kind = line.decode().strip().partition(" ")
                yield name, kind

    def trees(self, commits: Sequence[str]) -> dict[str, str]:
        """Return the tree of each commit that is there."""
        names = [f"{commit}^{{tree}}" for commit in commits]
        found = zip(commits, self._kinds(names), strict=True)
        return {commit: tree for commit, (tree, kind) in found if kind == "tree"}

    def paths(self, pairs: Sequence[Pair]) -> Iterator[frozenset[bytes]]:
        """Yield the paths that each pair changes, as git quotes them, without reading a blob."""
        # With a status before it no path can be a mark, and a name comes even before no path.
        arguments = [*DIFF, "--always", "--name-status", "--no-renames"]
        lines = (f"{commit} {base}\n{MARK.decode()}" for commit, base in pairs)
        with self._lines(lines) as names, self._run(arguments, names, NO_REPLACE) as output:
            begun = b""
            for block in iter(lambda: output.read(_BLOCK), b""):
                *printed, begun = (begun + block).split(b"\n" + MARK + b"\n")
                for pair in printed:
                    yield frozenset(line[2:] for line in pair.split(b"\n")[1:])

    @property
    def with_index(self) -> dict[str, str]:
        """The environment of a git that sees the index.

        All others see none: ``git diff`` would take from it what a file's attributes say of diffs,
        at that one commit, and search every hunk's heading with another expression.
        """
        return {**NO_REPLACE, "GIT_INDEX_FILE": str(self.folder / "attributes")}

    def read_index(self, tip: str) -> list[tuple[str, bytes]]:
        """Make the index that of a commit; return the blobs of its attributes, with their paths."""
        for arguments in (["read-tree", tip], ["ls-files", "-s", "--", "*.gitattributes"]):
            with self._run(arguments, None, self.with_index) as output:
                listed = output.read()
        entries = (line.split(b"\t") for line in listed.splitlines())
        return [(details.split()[1].decode(), path) for details, path in entries]

    def blobs(self, names: Iterable[str]) -> bytes:
        """Return some blobs' contents, each after a line of its own."""
        with self._lines(names) as lines, self._run(_CAT, lines, NO_REPLACE) as output:
            return output.read()

    def stand_in_for_missing(self, pairs: Sequence[Pair]) -> frozenset[str]:
        """Give every blob that the diffs of the pairs need and that is absent a stand-in.

        Returns their names. Every stand-in differs from all other blobs, for where nothing differs
        git prints nothing.
        """
        needed: set[str] = set()
        arguments = [*DIFF, "--raw", "--no-renames"]
        with (
            self._lines(f"{commit} {base}" for commit, base in pairs) as lines,
            self._run(arguments, lines, NO_REPLACE) as output,
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

    def present(self, blobs: Iterable[str]) -> bool:
        """Tell whether any of some blobs is there."""
        return any(kind != "missing" for _, kind in self._kinds(blobs))

    def _replace(self, contents: Mapping[str, bytes]) -> None:
        """Give blobs, by name, other contents."""
        if not contents:
            return
        blobs = (
            f"blob\nmark :{mark}\ndata {len(content)}\n{content.decode()}"
            for mark, content in enumerate(contents.values(), start=1)
        )
        marks = self.folder / "marks"
        arguments = ["fast-import", "--quiet", f"--export-marks={marks}"]
        with self._lines(blobs) as stream, self._run(arguments, stream, {}) as output:
            output.read()
        made = dict(line.split() for line in marks.read_text().splitlines())
        # One file of refs, in the order of their names: git reads it once a process.
        refs = [
            f"{made[f':{mark}']} refs/replace/{name}\n"
            for mark, name in enumerate(contents, start=1)
        ]
        refs.sort(key=lambda line: line.partition(" ")[2])
        header = "# pack-refs with: peeled fully-peeled sorted \n"
        (self.folder / "packed-refs").write_text(header + "".join(refs))

    def _lines(self, lines: Iterable[str]) -> AbstractContextManager[BinaryIO]:
        return self._file(line.encode() + b"\n" for line in lines)

    @contextmanager
    def _file(self, blocks: Iterable[bytes]) -> Iterator[BinaryIO]:
        # A file, not a pipe: git may stop reading while we wait for what it writes.
        with tempfile.TemporaryFile() as file:
            file.writelines(blocks)
            file.seek(0)
            yield cast(BinaryIO, file)

    @contextmanager
    def _run(
        self, arguments: Sequence[str], lines: BinaryIO | None, environment: dict[str, str]
    ) -> Iterator[BinaryIO]:
        """Run git in the overlay and hand out what it prints; a failure is raised at the end."""
        process = self.start(arguments, lines, environment)
        try:
            yield process.stdout
            process.wait()
        except git.GitCommandError as error:
            raise DataError(
                f"git {arguments[0]} failed: {said(error)} If the clone is partial, fetch "
                "what it lacks; if it is damaged, git fsck tells where."
            ) from error
        finally:
            process.stdout.close()
            process.stderr.close()

    def attempt(
        self, arguments: Sequence[str], given: bytes, environment: dict[str, str]
    ) -> bytes | None:
        """Return what git prints of some standard input; ``None`` if it fails."""
        status, printed = self.answer(arguments, given, environment)
        return printed if status == 0 else None

    def answer(
        self, arguments: Sequence[str], given: bytes, environment: dict[str, str]
    ) -> tuple[int, bytes]:
        """Return git's exit status and what it prints: that something fails is an answer, too."""
        with self._file([given]) as file:
            process = self.start(arguments, file, environment)
            status = 0
            try:
                printed = cast(bytes, process.stdout.read())
                process.wait()
            except git.GitCommandError as error:
                status = error.status if isinstance(error.status, int) else -1
            finally:
                process.stdout.close()
                process.stderr.close()
            return status, printed

    def start(
        self, arguments: Sequence[str], lines: BinaryIO | int | None, environment: dict[str, str]
    ) -> Any:
        """Start git in the overlay, and return GitPython's handle of it."""
        command = ["git", "-c", "i18n.logOutputEncoding=UTF-8", "-c", "core.quotePath=true"]
        # Not by a `git.Repo`, which reads its configuration each time; there is none.
        here = git.Git(self.folder)
        here.update_environment(**{**_QUIET, **steer(self.folder, self.folder), **environment})
        return here.execute(
            [*command, *arguments], as_process=True, istream=lines, output_stream=None
        )


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
