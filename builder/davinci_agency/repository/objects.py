"""Many objects of a repository read at once: a process of git for thousands of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from davinci_agency.errors import DataError
from davinci_agency.repository.overlay import NO_REPLACE, Overlay

_BATCH = 2000
"""Objects to a process: some megabytes of root trees."""


def read_objects(overlay: Overlay, names: Iterable[str]) -> Iterator[bytes | None]:
    """Yield the content of each object, in order; ``None`` of one that is absent."""
    remaining = iter(names)
    while batch := list(islice(remaining, _BATCH)):
        printed = overlay.blobs(batch)
        start = 0
        for _ in batch:
            end = printed.index(b"\n", start)
            header = printed[start:end]
            if header.endswith(b" missing"):
                yield None
                start = end + 1
                continue
            size = int(header.rpartition(b" ")[2])
            yield printed[end + 1 : end + 1 + size]
            start = end + size + 2


def read_small(overlay: Overlay, names: Iterable[str], largest: int) -> Iterator[tuple[str, bytes]]:
    """Yield each object that is there and has at most so many bytes, with its content."""
    small = list(_small(overlay, names, largest))
    for name, content in zip(small, read_objects(overlay, small), strict=True):
        if content is not None:
            yield name, content


def _small(overlay: Overlay, names: Iterable[str], largest: int) -> Iterator[str]:
    given = "".join(f"{name}\n" for name in names).encode()
    if not given:
        return
    form = "--batch-check=%(objectname) %(objectsize)"
    printed = overlay.attempt(("cat-file", form), given, NO_REPLACE)
    if printed is None:
        raise DataError("git cat-file failed; if the clone is damaged, git fsck tells where.")
    for line in printed.decode().splitlines():
        name, _, size = line.partition(" ")
        if size != "missing" and int(size) <= largest:
            yield name
