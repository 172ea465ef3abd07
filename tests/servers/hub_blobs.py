"""Where the Hub keeps large files: plain ones by digest, and those that came by Xet in a CAS.

The CAS is a local folder that the real `hf_xet` reads and writes. A commit names a file by its
SHA-256 alone; which Xet file that is stands in the shards that `hf_xet` wrote. Their layout, as
`xet-core` defines it: a header of 48 bytes, then for each file its hash, flags and the number of
its segments, so many entries of 48 bytes (twice so many with the flag for verification), and with
the flag for metadata one more that begins with the SHA-256; hashes are four little-endian words.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

_ENTRY = 48
_VERIFIED, _WITH_METADATA = 1 << 31, 1 << 30
_END = b"\xff" * 32


class Blobs:
    """Large files by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._plain = folder / "plain"
        self._parts = folder / "parts"
        self.cas = folder / "cas"
        self._fetching = threading.Lock()
        for each in (self._plain, self._parts, self.cas):
            each.mkdir(parents=True)

    @property
    def cas_url(self) -> str:
        return f"local://{self.cas}"

    def put(self, sha256: str, content: bytes) -> bool:
        """Keep a file; ``False`` if it is not what its digest says."""
        if hashlib.sha256(content).hexdigest() != sha256:
            return False
        with tempfile.NamedTemporaryFile(dir=self._parts, delete=False) as file:
            file.write(content)
        Path(file.name).rename(self._plain / sha256)
        return True

    def put_part(self, sha256: str, number: int, content: bytes) -> str:
        """Keep a part of a file, and return its tag."""
        (self._parts / f"{sha256}-{number:05d}").write_bytes(content)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def join_parts(self, sha256: str, count: int) -> bool:
        parts = [self._parts / f"{sha256}-{number:05d}" for number in range(1, count + 1)]
        return self.put(sha256, b"".join(part.read_bytes() for part in parts))

    def path(self, sha256: str) -> Path | None:
        """Return the file of a digest; one that came by Xet is put together first."""
        path = self._plain / sha256
        if not path.exists() and (found := self.xet_file(sha256)):
            self._fetch(path, *found)
        return path if path.exists() else None

    def size(self, sha256: str) -> int | None:
        """Return the size of a file that is here."""
        path = self._plain / sha256
        if path.exists():
            return path.stat().st_size
        found = self.xet_file(sha256)
        return found[1] if found else None

    def xet_file(self, sha256: str) -> tuple[str, int] | None:
        """Return the Xet hash and the size of a file that came by Xet."""
        for shard in sorted(self.cas.glob("xet/xorbs/shards/*.mdb")):
            for xet_hash, size, digest in _files(shard.read_bytes()):
                if digest == sha256:
                    return xet_hash, size
        return None

    @property
    def stored(self) -> int:
        """Return how many bytes of chunks the CAS holds."""
        return sum(
            path.stat().st_size
            for path in self.cas.glob("xet/xorbs/xorbs/default.*")
            if not path.name.endswith(".tagset")
        )

    def _fetch(self, path: Path, xet_hash: str, size: int) -> None:
        import hf_xet

        # A client may have the CAS open, which locks its lookup table: a copy is read.
        with self._fetching, tempfile.TemporaryDirectory(dir=self._parts) as folder:
            shutil.copytree(self.cas, folder, dirs_exist_ok=True, copy_function=_link)
            wanted = hf_xet.PyXetDownloadInfo(str(path), xet_hash, size)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                hf_xet.download_files([wanted], f"local://{folder}", ("token", 2**40), None, None)


def _files(shard: bytes) -> Iterator[tuple[str, int, str]]:
    """Yield the Xet hash, the size and the SHA-256 of each file in a shard."""
    place = _ENTRY
    while (raw := shard[place : place + 32]) != _END:
        flags, count = struct.unpack_from("<II", shard, place + 32)
        sizes = [
            struct.unpack_from("<I", shard, place + _ENTRY * (number + 1) + 36)[0]
            for number in range(count)
        ]
        place += _ENTRY * (1 + count * (2 if flags & _VERIFIED else 1))
        if flags & _WITH_METADATA:
            yield _hex(raw), sum(sizes), _hex(shard[place : place + 32])
            place += _ENTRY


def _hex(raw: bytes) -> str:
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def _link(source: str, target: str) -> None:
    """Copy what changes, link what is written once."""
    (shutil.copyfile if source.endswith(".redb") else os.link)(source, target)
