"""Files that are whole or not there, and lines that are read where they stand."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.errors import CommandError, DataError, OutputError
from davinci_agency.files import (
    atomic_file,
    atomic_folder,
    check_replaceable,
    digest_file,
    plain_file,
    read_lines,
)

MARKER = "manifest.json"


class TroubleError(Exception):
    """What goes wrong in these tests."""


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _fill(folder: Path, content: str) -> None:
    (folder / MARKER).write_text(content)
    (folder / "inner").mkdir()
    (folder / "inner" / "data").write_text(content)


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.zst"])
def test_a_file_has_its_name_only_when_it_is_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with atomic_file(path) as file:
        file.write(b"all of it\n")
        assert not path.exists()
    with plain_file(path) as plain:
        assert plain.read_bytes() == b"all of it\n"
    assert _names(tmp_path) == [name]


@pytest.mark.parametrize("trouble", [TroubleError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_beside_it(
    trouble: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")

    def fail() -> None:
        with atomic_file(path) as file:
            file.write(b"half of the n")
            raise trouble

    with pytest.raises(trouble):
        fail()
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["out.jsonl"]


def test_a_file_replaces_the_one_before_it_and_makes_the_folders_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "out.txt"
    for content in (b"first", b"second"):
        with atomic_file(path) as file:
            file.write(content)
    assert path.read_bytes() == b"second"


def test_what_a_killed_run_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    script = (
        "import os, pathlib, sys\n"
        "from davinci_agency.files import atomic_file\n"
        "with atomic_file(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'x' * 100)\n"
        "    file.flush()\n"
        "    os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], check=False)
    assert done.returncode == 9
    assert not path.exists()
    assert _names(tmp_path) != []
    with atomic_file(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert _names(tmp_path) == ["out.txt"]


def test_a_second_writer_is_refused_and_the_first_one_s_output_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with atomic_file(path) as file:
        file.write(b"the first ")
        with (
            pytest.raises(OutputError, match=r"Another run is writing .*out\.txt"),
            atomic_file(path),
        ):
            pytest.fail("two may write")
        file.write(b"one's")
    assert path.read_bytes() == b"the first one's"


def test_another_process_that_writes_the_same_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    script = (
        "import pathlib, sys\n"
        "from davinci_agency.errors import OutputError\n"
        "from davinci_agency.files import atomic_file\n"
        "try:\n"
        "    with atomic_file(pathlib.Path(sys.argv[1])) as file:\n"
        "        file.write(b'the second one')\n"
        "except OutputError:\n"
        "    sys.exit(7)\n"
    )
    with atomic_file(path) as file:
        file.write(b"the first one's")
        done = subprocess.run([sys.executable, "-c", script, path], check=False)
    assert done.returncode == 7
    assert path.read_bytes() == b"the first one's"


def test_a_file_is_not_written_where_a_folder_is(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="is a folder"), atomic_file(tmp_path / "out"):
        pytest.fail("a folder was opened")
    assert _names(tmp_path) == ["out"]


def test_a_file_below_a_file_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose"), atomic_file(tmp_path / "file" / "out"):
        pytest.fail("a file was taken for a folder")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_reported_as_one(tmp_path: Path) -> None:
    (tmp_path / ".out.partial").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="free some space"), atomic_file(tmp_path / "out") as file:
        file.write(b"x" * (1 << 20))
    assert not (tmp_path / "out").exists()


def test_an_input_that_may_not_be_read_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="/input"), atomic_file(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "Permission denied", "/input")


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for name in ("pipe", "link"):
        with (
            pytest.raises(OutputError, match="device or a pipe; name a file"),
            atomic_file(tmp_path / name),
        ):
            pytest.fail("a pipe was taken for a file")
    assert pipe.is_fifo()
    assert _names(tmp_path) == ["link", "pipe"]


def test_a_link_stays_a_link_to_what_is_written(tmp_path: Path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "elsewhere.jsonl")
    for content in (b"once", b"again"):
        with atomic_file(link) as file:
            file.write(content)
        assert link.is_symlink()
        assert (tmp_path / "elsewhere.jsonl").read_bytes() == content


def test_a_folder_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "release"
    with atomic_folder(path, MARKER) as folder:
        _fill(folder, "new")
        assert not path.exists()
    assert (path / "inner" / "data").read_text() == "new"
    assert _names(tmp_path) == ["release"]


def test_a_folder_takes_the_place_of_an_earlier_result_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "release"
    with atomic_folder(path, MARKER) as folder:
        _fill(folder, "old")
        (folder / "only-in-the-old-one").write_text("")
    with atomic_folder(path, MARKER) as folder:
        _fill(folder, "new")
    assert _names(path) == ["inner", MARKER]
    assert (path / "inner" / "data").read_text() == "new"
    assert _names(tmp_path) == ["release"]


def test_a_failure_leaves_the_old_folder_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "release"
    with atomic_folder(path, MARKER) as folder:
        _fill(folder, "old")

    def fail() -> None:
        with atomic_folder(path, MARKER) as folder:
            _fill(folder, "new")
            raise TroubleError

    with pytest.raises(TroubleError):
        fail()
    assert (path / "inner" / "data").read_text() == "old"
    assert _names(tmp_path) == ["release"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    with atomic_folder(tmp_path / "release", MARKER) as folder:
        _fill(folder, "new")
    assert _names(tmp_path / "release") == ["inner", MARKER]


def test_a_folder_that_holds_something_else_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "home"
    path.mkdir()
    (path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=f"no {MARKER} in it"), atomic_folder(path, MARKER):
        pytest.fail("the folder was handed out")
    assert (path / "thesis.tex").read_text() == "years of work"
    assert _names(tmp_path) == ["home"]


def test_a_file_where_a_folder_should_be_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "release").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        check_replaceable(tmp_path / "release", MARKER)
    with (
        pytest.raises(OutputError, match="is a file"),
        atomic_folder(tmp_path / "release", MARKER),
    ):
        pytest.fail("a file was taken for a folder")
    assert _names(tmp_path) == ["release"]
    assert (tmp_path / "release").read_text() == "a file"


def test_a_second_writer_of_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "release"
    with atomic_folder(path, MARKER) as folder:
        _fill(folder, "the first one's")
        with pytest.raises(OutputError, match="Another run"), atomic_folder(path, MARKER):
            pytest.fail("two may write")
    assert (path / "inner" / "data").read_text() == "the first one's"


@settings(deadline=None, max_examples=15)
@given(content=st.binary(max_size=3000), repeats=st.integers(1, 2000))
def test_what_was_compressed_comes_back(
    content: bytes, repeats: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("zst") / "data.zst"
    with atomic_file(path) as file:
        for _ in range(repeats):
            file.write(content)
    assert zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()) == (
        content * repeats
    )
    with plain_file(path) as plain:
        assert plain.read_bytes() == content * repeats


def test_a_compressed_file_of_several_frames_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "data.zst"
    path.write_bytes(b"".join(zstandard.compress(part) for part in (b"one\n", b"", b"two\n")))
    with plain_file(path) as plain:
        assert plain.read_bytes() == b"one\ntwo\n"


def test_the_copy_of_a_compressed_file_is_gone_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "data.zst"
    path.write_bytes(zstandard.compress(b"one\n"))
    with plain_file(path) as plain:
        assert plain.exists()
    assert not plain.exists()
    assert _names(tmp_path) == ["data.zst"]


def _cut_off(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _cut_in_the_second_frame(whole: bytes) -> bytes:
    return whole + whole[:-3]


def _damaged(whole: bytes) -> bytes:
    return whole[:6] + bytes(byte ^ 0xFF for byte in whole[6:12]) + whole[12:]


def _followed_by_something_else(whole: bytes) -> bytes:
    return whole + b"no zstd at all"


@pytest.mark.parametrize(
    "spoil", [_cut_off, _cut_in_the_second_frame, _damaged, _followed_by_something_else]
)
def test_a_spoiled_compressed_file_is_the_data_s_fault(
    spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "data.zst"
    path.write_bytes(spoil(zstandard.compress(os.urandom(50_000))))
    with pytest.raises(DataError, match=r"data\.zst: .* make it again"), plain_file(path):
        pytest.fail("a spoiled file was handed out")


def test_a_file_that_was_compressed_here_never_comes_back_changed(tmp_path: Path) -> None:
    path, spoiled = tmp_path / "data.zst", tmp_path / "spoiled.zst"
    content = b"".join(b'{"number":%d,"title":"Fix %d"}\n' % (n, n * 7919) for n in range(50))
    with atomic_file(path) as file:
        file.write(content)
    whole = path.read_bytes()
    for place, byte in enumerate(whole):
        spoiled.write_bytes(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        try:
            with plain_file(spoiled) as plain:
                assert plain.read_bytes() == content, f"byte {place} was changed unnoticed"
        except DataError:
            continue


def test_a_file_that_is_not_there_is_the_command_s_fault(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not there"), plain_file(tmp_path / "no.jsonl"):
        pytest.fail("a file that is not there was handed out")


def test_a_plain_file_is_read_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"x")
    with plain_file(path) as plain:
        assert plain == path


@settings(deadline=None)
@given(
    lines=st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b" ")), max_size=8),
    ended=st.booleans(),
    limit=st.integers(1, 20),
)
def test_every_line_stands_at_its_offset_and_only_a_too_long_one_is_withheld(
    lines: list[bytes], ended: bool, limit: int
) -> None:
    content = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    expected = []
    offset = 0
    for line in io.BytesIO(content):
        expected.append((offset, line if len(line) <= limit else None))
        offset += len(line)
    assert list(read_lines(io.BytesIO(content), limit)) == expected


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b" ")), max_size=8),
    cuts=st.lists(st.integers(0, 250), max_size=5),
    limit=st.integers(1, 40),
)
def test_ranges_that_follow_each_other_hold_every_line_once(
    lines: list[bytes], cuts: list[int], limit: int
) -> None:
    content = b"\n".join(lines)
    places = sorted({0, *(cut for cut in cuts if cut < len(content)), len(content)})
    found = [
        line
        for start, end in pairwise(places)
        for line in read_lines(io.BytesIO(content), limit, start, end)
    ]
    assert found == list(read_lines(io.BytesIO(content), limit))


def test_a_range_in_the_middle_of_a_line_looks_no_further_than_its_end() -> None:
    file = io.BytesIO(b"x" * (64 << 20) + b"\nnext\n")
    assert list(read_lines(file, 10, 1 << 20, 2 << 20)) == []
    assert file.tell() <= 4 << 20


def test_a_line_much_longer_than_the_limit_leaves_the_next_one_whole() -> None:
    file = io.BytesIO(b"x" * (3 << 20) + b"\nnext\n")
    assert list(read_lines(file, 10)) == [(0, None), ((3 << 20) + 1, b"next\n")]


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_file(tmp_path / "f") == digest


Opened = Callable[[Path], AbstractContextManager[Any]]


def _file(path: Path) -> AbstractContextManager[Any]:
    return atomic_file(path)


def _folder(path: Path) -> AbstractContextManager[Any]:
    return atomic_folder(path, MARKER)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("opened", [_file, _folder])
def test_a_place_that_may_not_be_written_to_is_refused_with_advice(
    opened: Opened, tmp_path: Path
) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="may write to"), opened(tmp_path / "out"):
            pytest.fail("a closed place was opened")
    finally:
        tmp_path.chmod(0o700)
