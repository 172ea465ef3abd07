"""Files and folders at a URL: brought here to be read, and sent there when they are made.

Stages read anywhere in their files, and rename what they made into its place. Object stores do
neither well, so no stage knows of them: what a URL names is kept in a folder here, and only what
changed is moved. Any filesystem that fsspec knows will do: ``s3://``, ``gs://``, ``hf://``,
``https://``, ….

A folder that is sent is there when its account is: the old one goes first, the new one comes last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import msgspec
from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback

from davinci_agency.errors import CommandError, DavinciError, OutputError, RemoteError
from davinci_agency.files import atomic_file, locked
from davinci_agency.parallel import threaded_map
from davinci_agency.progress import SILENT, Progress
from davinci_agency.urls import Url

ACCOUNTS = frozenset({"manifest.json", "curation.json", "export.json"})
"""What tells that a folder is one of ours, and whole."""
_AT_ONCE = 8
_KNOWN = ".known.json"
_STATES = ("ETag", "etag", "blob_id", "mtime", "LastModified", "last_modified", "updated")
"""What filesystems call that which changes with a file's content, the surest first."""


class _Known(msgspec.Struct, frozen=True):
    """A file as it was when it was moved: its state there, its size and time here."""

    state: str | None
    size: int
    time: int


class Staging:
    """Where what URLs name is kept; ``folder`` may be removed at any time."""

    def __init__(self, folder: Path, progress: Progress = SILENT) -> None:
        self._folder = folder
        self._progress = progress

    def path(self, url: Url) -> Path:
        """Return where a URL's file or folder is here."""
        digest = hashlib.sha256(url.address.encode()).hexdigest()
        return self._folder / digest[:16] / url.name

    def fetch(self, url: Url) -> Path:
        """Bring a file, or a folder with all that is in it, and return its path.

        What is here already, and has not changed there, is not read again. Raises `CommandError` if
        there is nothing, and `RemoteError` if it can't be read.
        """
        path = self.path(url)
        with locked(path), _There.open(url) as there:
            folder, known = path.parent, _read_known(path.parent)
            files = there.files()
            if not files:
                raise CommandError(f"{url} is not there; name a file or folder that exists.")
            for name in _names(folder) - files.keys():
                (folder / name).unlink()
            new = {
                name: file.size
                for name, file in files.items()
                if not _is_same(folder / name, file.state, known.get(name))
            }
            self._move(f"fetch {url}", new, partial(there.get, folder))
            _write_known(folder, files)
        return path

    def check(self, url: Url) -> None:
        """Raise `OutputError` if a folder is there that is none of ours."""
        with _There.open(url) as there:
            inside = {PurePosixPath(name).parts[1] for name in there.files() if "/" in name}
        if inside and not inside & ACCOUNTS:
            raise OutputError(f"{url} holds something else; choose another --out.")

    def send(self, url: Url) -> None:
        """Send what was made at `path`, and the files beside it, where they changed.

        Raises `RemoteError` if it can't be written.
        """
        path = self.path(url)
        with locked(path), _There.open(url) as there:
            folder, known = path.parent, _read_known(path.parent)
            made = _names(folder)
            files = there.files(made)
            stale = files.keys() - made
            new = {
                name: (folder / name).stat().st_size
                for name in made
                if name not in files
                or not _is_same(folder / name, files[name].state, known.get(name))
            }
            if new or stale:
                accounts = {f"{url.name}/{account}" for account in ACCOUNTS}
                there.remove(stale | (accounts & files.keys()))
                last = dict.fromkeys(accounts & made, 0)
                put = partial(there.put, folder)
                self._move(f"send {url}", {n: new[n] for n in new.keys() - accounts}, put)
                self._move(f"send {url}", last, put)
                _write_known(folder, there.files(made))

    def _move(
        self, what: str, files: Mapping[str, int], move: Callable[[Callback, str], None]
    ) -> None:
        """Move files, several at once; given are their sizes by name."""
        self._progress.start(what, sum(files.values()))
        for _ in threaded_map(partial(move, _Watch(self._progress)), sorted(files), _AT_ONCE):
            pass


@dataclass(frozen=True, slots=True)
class _File:
    """A file there: what changes with its content (``None`` where nothing does), and its size."""

    state: str | None
    size: int


class _There:
    """What a URL names. Its files go by their path from the folder above it."""

    def __init__(self, url: Url) -> None:
        self._fs: AbstractFileSystem
        self._fs, self._root = fsspec.url_to_fs(url.address)
        self._above = self._root.rpartition("/")[0]
        self._own = url.name

    @classmethod
    @contextmanager
    def open(cls, url: Url) -> Iterator[_There]:
        """Look at a URL; whatever goes wrong becomes an error that names it."""
        try:
            yield cls(url)
        except DavinciError:
            raise
        except (ImportError, ValueError) as error:  # an unknown protocol, a package for it
            raise CommandError(f"{url}: {error}") from error
        except Exception as error:
            # Every filesystem has errors of its own, and their words may repeat the address.
            from davinci_agency.secrets import hidden

            said = hidden(f"{type(error).__name__}: {error}".partition("\n")[0])
            raise RemoteError(f"{url} can't be had ({said[:300]}); try again.") from error

    def files(self, beside: Iterable[str] = ()) -> dict[str, _File]:
        """Return the file, or every file of the folder; and those ``beside`` it that are there."""
        found: dict[str, dict[str, Any]] = {}
        for name in beside:
            info = None if PurePosixPath(name).parts[0] == self._own else self._info(name)
            if info is not None:
                found[name] = info
        whole = self._info(self._own)
        if whole is not None and whole["type"] == "file":
            found[self._own] = whole
        elif whole is not None:
            inside = self._fs.find(self._root, detail=True).items()
            found |= {self._name(path): info for path, info in inside if info["type"] == "file"}
        return {
            name: _File(_state(info), info.get("size") or 0)
            for name, info in found.items()
            if not name.endswith("/") and not _is_hidden(name)
        }

    def get(self, folder: Path, watch: Callback, name: str) -> None:
        """Bring a file into a folder; it is whole or not there."""
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        self._fs.get_file(self._path(name), str(partial), callback=watch)
        partial.replace(path)

    def put(self, folder: Path, watch: Callback, name: str) -> None:
        """Send a file of a folder."""
        self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
        self._fs.put_file(str(folder / name), self._path(name), callback=watch)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files."""
        for name in names:
            self._fs.rm_file(self._path(name))

    def _info(self, name: str) -> dict[str, Any] | None:
        self._fs.invalidate_cache()
        try:
            info: dict[str, Any] = self._fs.info(self._path(name))
        except FileNotFoundError:
            return None
        return info

    def _path(self, name: str) -> str:
        return self._root if name == self._own else f"{self._above}/{name}"

    def _name(self, path: str) -> str:
        name = path[len(self._above) + 1 :]
        if ".." in PurePosixPath(name).parts:
            raise CommandError(f"{name!r} would leave its folder; rename it.")
        return name


class _Watch(Callback):  # type: ignore[misc]  # fsspec has no types
    """Tells a stage's progress of bytes moved."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def relative_update(self, inc: int = 1) -> None:
        """Say that so many bytes more were moved."""
        self._progress.advance(inc)


def _state(info: Mapping[str, Any]) -> str | None:
    """Return what changes with a file's content, ``None`` where a filesystem tells nothing."""
    told = next((f"{key} {info[key]}" for key in _STATES if info.get(key)), None)
    return told and f"{told}, {info.get('size')} bytes"


def _is_same(path: Path, state: str | None, known: _Known | None) -> bool:
    """Tell whether a file is here as it was moved, and there as it was then."""
    if known is None or state is None or not path.is_file():
        return False
    return known == _Known(state, path.stat().st_size, path.stat().st_mtime_ns)


def _names(folder: Path) -> set[str]:
    """Return the files of a folder by their path in it, without hidden ones."""
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return {name for name in names if not _is_hidden(name)}


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _read_known(folder: Path) -> dict[str, _Known]:
    try:
        return msgspec.json.decode((folder / _KNOWN).read_bytes(), type=dict[str, _Known])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}  # nothing was moved yet, or by another version: move it again


def _write_known(folder: Path, files: Mapping[str, _File]) -> None:
    """Remember files that are here now as they are there."""
    stats = {name: (folder / name).stat() for name in files}
    known = {n: _Known(files[n].state, s.st_size, s.st_mtime_ns) for n, s in stats.items()}
    with atomic_file(folder / _KNOWN) as file:
        file.write(msgspec.json.encode(known))
