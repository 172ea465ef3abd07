"""The edge to git's objects: an overlay of a repository, read through GitPython.

An overlay is a bare repository in a temporary folder that borrows the source's objects and has
nothing else of it: no configuration, hooks, filters, replaced objects or promisor remotes, so
nothing is run, fetched or written. Blobs that a partial clone lacks get a stand-in there, since
``git diff`` dies in mid-stream on the first one that is absent.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import git

from davinci_agency.errors import DataError
from davinci_agency.mine.diffs import MAX_PATCH_BYTES, unquote
from davinci_agency.mine.history import LOG_FORMAT
from davinci_agency.mine.repository import Source, said, steer

_BLOCK = 1 << 20
_PIPE = 1 << 18
"""Bytes to have in a pipe and to read from it at once. Asking for much more than is there costs
as much as to make room for it."""
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
_MARK = b"="
"""A line of standard input that names no object is printed as it is, and what is waiting with it.

No line of a patch or of the raw part begins like that.
"""
_CAT = ("cat-file", "--batch")
_ATTRIBUTES = ("linguist-generated", "linguist-vendored")

Pair = tuple[str, str]
"""A commit, and the one that its diff starts from."""


class DiffStoppedError(Exception):
    """``git diff-tree`` ended before it had answered; says what git said."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A bare repository that borrows another one's objects."""

    folder: Path

    def log(self, tips: Iterable[str]) -> Iterator[bytes]:
        """Yield the log of every commit that some tips reach, cut anywhere.

        Tips that are absent or no commits are passed over.
        """
        arguments = ["log", "-z", f"--format={LOG_FORMAT}", "--ignore-missing", "--stdin"]
        with self._lines(tips) as names, self._run(arguments, names, _NO_REPLACE) as output:
            yield from iter(lambda: output.read(_BLOCK), b"")

    def _kinds(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield each object's name and kind; the kind of an absent one is ``missing``."""
        arguments = ["cat-file", "--batch-check=%(objectname) %(objecttype)"]
        with self._lines(names) as lines, self._run(arguments, lines, _NO_REPLACE) as output:
            for line in output:
                name, _, kind = line.decode().strip().partition(" ")
                yield name, kind

    def paths(self, pairs: Sequence[Pair]) -> Iterator[frozenset[bytes]]:
        """Yield the paths that each pair changes, as git quotes them, without reading a blob."""
        arguments = [*_DIFF, "--name-only", "--no-renames"]
        lines = (f"{commit} {base}\n{_MARK.decode()}" for commit, base in pairs)
        with self._lines(lines) as names, self._run(arguments, names, _NO_REPLACE) as output:
            paths: list[bytes] = []
            for line in output:
                if line == _MARK + b"\n":
                    # The first line is the commit's name.
                    yield frozenset(paths[1:])
                    paths = []
                else:
                    paths.append(line.rstrip(b"\n"))

    def attributes(self, tip: str) -> str:
        """Return what stands for the attributes of generated files at a commit; empty if none.

        They are then ready for `generated`.
        """
        for arguments in (["read-tree", tip], ["ls-files", "-s", "--", "*.gitattributes"]):
            with self._run(arguments, None, _NO_REPLACE) as output:
                listed = output.read()
        blobs = [line.split()[1].decode() for line in listed.splitlines()]
        with self._lines(blobs) as names, self._run(_CAT, names, _NO_REPLACE) as output:
            texts = output.read()
        return listed.decode(errors="replace") if b"linguist-" in texts else ""

    def generated(self, pairs: Sequence[Pair]) -> frozenset[str]:
        """Return the paths of some pairs that the attributes call generated or vendored."""
        quoted = frozenset[bytes]().union(*self.paths(pairs))
        # Told of quoted names without -z, git takes the quotes off.
        arguments = ["check-attr", "--cached", "--stdin", *_ATTRIBUTES]
        lines = (path + b"\n" for path in sorted(quoted))
        with self._file(lines) as names, self._run(arguments, names, _NO_REPLACE) as output:
            told = [line.rstrip(b"\n").rsplit(b": ", 2) for line in output]
        return frozenset(unquote(path) for path, _, value in told if value in (b"set", b"true"))

    def stand_in_for_missing(self, pairs: Sequence[Pair]) -> frozenset[str]:
        """Give every blob that the diffs of the pairs need and that is absent a stand-in.

        Returns their names. Every stand-in differs from all other blobs, for where nothing differs
        git prints nothing.
        """
        needed: set[str] = set()
        arguments = [*_DIFF, "--raw", "--no-renames"]
        with (
            self._lines(f"{commit} {base}" for commit, base in pairs) as lines,
            self._run(arguments, lines, _NO_REPLACE) as output,
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

    def start(
        self, arguments: Sequence[str], lines: BinaryIO | int | None, environment: dict[str, str]
    ) -> Any:
        """Start git in the overlay, and return GitPython's handle of it."""
        command = ["git", "-c", "i18n.logOutputEncoding=UTF-8", "-c", "core.quotePath=true"]
        with git.Repo(self.folder) as repo:
            repo.git.update_environment(**_QUIET, **environment, **steer(self.folder, self.folder))
            return repo.git.execute(
                [*command, *arguments], as_process=True, istream=lines, output_stream=None
            )


class Differ:
    """One ``git diff-tree`` that answers batch after batch; for one thread at a time.

    Git keeps what it unpacked for one pair and needs it for the next: a process for each hundred
    pairs takes half as much time again.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._process = self._begin()

    def _begin(self) -> Any:
        arguments = [*_DIFF, "--patch-with-raw", "-U3", "-M"]
        process = self._overlay.start(arguments, subprocess.PIPE, {})
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            # A user may have so many large pipes; with a small one it works as well.
            with suppress(OSError):
                fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
        return process

    def restart(self, mend: Callable[[], None]) -> None:
        """End the process, mend what stopped it, and begin another."""
        self.close()
        mend()
        self._process = self._begin()

    def diffs(self, pairs: Sequence[Pair]) -> Iterator[tuple[bytes, bool]]:
        """Yield what git prints for each pair, and whether it is whole.

        That is a line with the commit's name, ``--raw`` lines, an empty line and the patch, or
        nothing where nothing differs. Only the beginning is kept of what is larger than
        `MAX_PATCH_BYTES`. At most some hundred pairs fit into the pipe at once. Raises
        `DiffStoppedError` if git ends before that.
        """
        asked = b"".join(b"%b %b\n%b\n" % (c.encode(), b.encode(), _MARK) for c, b in pairs)
        try:
            self._process.stdin.write(asked)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise DiffStoppedError(self._last_words()) from None
        end_mark = b"\n" + _MARK + b"\n"
        held, is_whole, waiting = bytearray(b"\n"), True, len(pairs)
        output = self._process.stdout.fileno()
        while waiting:
            block = os.read(output, _PIPE)
            if not block:
                raise DiffStoppedError(self._last_words())
            start = max(0, len(held) - len(end_mark) + 1)
            held += block
            while waiting and (end := held.find(end_mark, start)) >= 0:
                with memoryview(held) as view:
                    printed = bytes(view[1 : end + 1])
                # Told by its size alone: how much was read at once is chance.
                yield printed, is_whole and end <= MAX_PATCH_BYTES
                del held[: end + len(end_mark) - 1]
                start, is_whole, waiting = 0, True, waiting - 1
            if len(held) > MAX_PATCH_BYTES:
                del held[MAX_PATCH_BYTES - len(end_mark) : -len(end_mark)]
                is_whole = False

    def _last_words(self) -> str:
        return str(self._process.stderr.read().decode(errors="replace")).strip()

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.stderr.close()
        self._process.proc.kill()
        self._process.proc.wait()


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
