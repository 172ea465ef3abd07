"""Lines kept aside, and read where they stand by whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from davinci_agency.spooling import LineReader, Location, open_spool


def test_lines_that_were_kept_are_read_by_many_threads(tmp_path: Path) -> None:
    lines = [b"%d" % number * (1 + number % 50) for number in range(2_000)]
    with open_spool(tmp_path) as spool:
        places = [spool.keep(line) for line in lines[:1_000]]
    with open_spool(tmp_path) as spool:
        places += [spool.keep(line) for line in lines[1_000:]]
    assert len(list(tmp_path.iterdir())) == 1
    with LineReader() as reader, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reader.read, places)) == lines


def test_what_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo")
    with LineReader() as reader:
        assert reader.read(Location(path, 4, 10)) == b"two"
        assert reader.read(Location(path, 0, 0)) == b""
