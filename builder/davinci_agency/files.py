"""Files that are whole or not there: written beside their place, checked, then renamed into it.

A temporary file is called ``.<name>.partial``; the next run of the same command takes it over, so
a killed run leaves at most one of each. A lock on it keeps a second run from writing the same
output at the same time.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

import xxhash
import zstandard

from davinci_agency.errors import CommandError, DataError, OutputError

_BLOCK = 1 << 20
_ZSTD_LEVEL = 3
STDIO = Path("-")
"""The path that means standard input or standard output."""


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def quick_digest(path: Path) -> str:
    """Return the XXH3 of a file's bytes: it tells, ten times as fast, whether they are the same.

    Not whether somebody made them seem so: what is published goes by `digest_file`.
    """
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


def is_compressed(path: Path) -> bool:
    """Tell whether a path names a zstd file."""
    return path.suffix == ".zst"


_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)


@contextmanager
def _explain(path: Path, *, opening: bool) -> Iterator[None]:
    """Turn the operating system's refusals to write into errors that say what to do.

    While an output is only being opened, whatever is refused is its fault; later the same refusal
    may be an input's.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            advice = "free some space, or choose another --out, and run it again"
        elif opening and error.errno in _REFUSED:
            advice = "choose a place that you may write to"
        else:
            raise
        raise OutputError(f"{path}: {error.strerror or error}; {advice}.") from error


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name only when the block ends well.

    ``-`` is standard output, and a name ending in ``.zst`` is compressed; a link is followed.
    Raises `OutputError` if the disk is full, the place may not be written to, another run is
    writing the same file, or something else than a file has its name.
    """
    if path == STDIO:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    compressed = is_compressed(path)
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file.")
    if path.exists() and not path.is_file():
        # Renaming over it would take a device such as /dev/null from the whole machine.
        raise OutputError(f"{path} is a device or a pipe; name a file, or - for standard output.")
    partial = path.with_name(f".{path.name}.partial")
    with locked(path), _explain(path, opening=False):
        with _explain(path, opening=True):
            file = partial.open("wb")
        try:
            with _compressor(file) if compressed else _uncompressed(file) as sink:
                yield sink
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        finally:
            # After a full disk, closing would try the same write once more.
            with suppress(OSError):
                file.close()


@contextmanager
def _compressor(file: IO[bytes]) -> Iterator[BinaryIO]:
    # One thread: the bytes must not depend on the number of processors.
    context = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
    with context.stream_writer(file, closefd=False) as sink:
        yield cast(BinaryIO, sink)


@contextmanager
def _uncompressed(file: IO[bytes]) -> Iterator[BinaryIO]:
    yield cast(BinaryIO, file)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other runs from writing the same output; the kernel lets go when a run is killed."""
    guard = path.with_name(f".{path.name}.lock")
    while True:
        with _explain(path, opening=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = guard.open("ab")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise OutputError(
                    f"Another run is writing {path}; wait for it, or choose another --out."
                ) from error
            if not _is_still(guard, file):
                # The run before removed its guard after we had opened it: this one guards nothing.
                continue
            try:
                yield
            finally:
                guard.unlink(missing_ok=True)
            return


def _is_still(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def atomic_folder(path: Path, marker: str) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of ``path`` when the block ends well.

    ``path`` may be absent, empty, or hold an earlier result, known by its file ``marker``;
    anything else there is an `OutputError`, and is left as it is.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if not path.name:
        raise OutputError(f"{str(path)!r} is no name for a folder to make; give it one.")
    check_replaceable(path, marker)
    partial = path.with_name(f".{path.name}.partial")
    retired = path.with_name(f".{path.name}.retired")
    with locked(path), _explain(path, opening=False):
        _remove_tree(partial)
        partial.mkdir()
        try:
            yield partial
            _sync_tree(partial)
            # A kill between the two renames leaves no folder, never half of one.
            _remove_tree(retired)
            if path.exists():
                path.replace(retired)
            partial.replace(path)
        except BaseException:
            _remove_tree(partial)
            raise
        _remove_tree(retired)


def check_replaceable(path: Path, marker: str) -> None:
    """Raise `OutputError` if ``path`` holds something that this project did not make."""
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(f"{path} is a file; name a folder.")
    if any(path.iterdir()) and not (path / marker).is_file():
        raise OutputError(
            f"{path} holds something else (there is no {marker} in it); choose another --out."
        )


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _remove_tree(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def plain_file(path: Path, scratch: Path | None = None) -> Iterator[Path]:
    """Give the path of an uncompressed file with the same content, to be read anywhere in it.

    A plain file is its own; standard input and ``.zst`` are copied to a temporary file, in the
    folder ``scratch`` if there is one. Raises `CommandError` if there is no such file, and
    `DataError` if its compression is damaged.
    """
    if path != STDIO and not path.is_file():
        if path.is_dir():
            what = "a folder; name a file"
        elif path.exists():
            what = "a device or a pipe; name a file, or - for standard input"
        else:
            what = "not there; name a file that exists"
        raise CommandError(f"{path} is {what}.")
    if path != STDIO and not is_compressed(path):
        yield path
        return
    with tempfile.NamedTemporaryFile(
        prefix="davinci-agency-", suffix=path.stem, dir=scratch
    ) as spool:
        if path == STDIO:
            shutil.copyfileobj(sys.stdin.buffer, spool, _BLOCK)
        else:
            with path.open("rb") as file:
                _decompress(file, spool, path)
        spool.flush()
        yield Path(spool.name)


def _decompress(file: BinaryIO, spool: IO[bytes], path: Path) -> None:
    # zstandard's reader takes a cut-off file for its end; a decompressor object tells.
    unit = zstandard.ZstdDecompressor().decompressobj()
    begun = False
    try:
        while block := file.read(_BLOCK):
            while block:
                if unit.eof:
                    unit = zstandard.ZstdDecompressor().decompressobj()
                spool.write(unit.decompress(block))
                begun = True
                block = unit.unused_data if unit.eof else b""
    except zstandard.ZstdError as error:
        raise DataError(f"{path}: the compression is damaged ({error}); make it again.") from error
    if begun and not unit.eof:
        raise DataError(f"{path}: the file is cut off in its middle; make it again.")


def read_lines(
    file: BinaryIO, limit: int, start: int = 0, end: int | None = None
) -> Iterator[tuple[int, bytes | None]]:
    """Yield offset and bytes of every line that begins from ``start`` on and before ``end``.

    ``None`` stands for a line longer than ``limit`` bytes; it is passed over without being held in
    memory. Ranges that follow each other yield every line once.
    """
    offset = _next_line(file, start, end)
    while (end is None or offset < end) and (line := file.readline(limit + 1)):
        length = len(line)
        if length > limit:
            while not line.endswith(b"\n") and (line := file.readline(_BLOCK)):
                length += len(line)
            yield offset, None
        else:
            yield offset, line
        offset += length


def _next_line(file: BinaryIO, start: int, end: int | None) -> int:
    """Go to the first line that begins at ``start`` or behind it, but not far behind ``end``."""
    if start == 0:
        return file.seek(0)
    offset = file.seek(start - 1)
    while (end is None or offset < end) and (line := file.readline(_BLOCK)):
        offset += len(line)
        if line.endswith(b"\n"):
            break
    return offset
