"""``kill -9`` in the middle of mining: a second run ends with the bytes of an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.command import COMMAND, environment
from tests.mine.hosted import REPO, Hosted, make_hosted
from tests.servers.github import TOKEN, GitHubServer
from tests.servers.github_faults import Request

MOMENTS = 20


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Hosted:
    return make_hosted(tmp_path_factory.mktemp("hosted") / "demo.git", 250)


def start(folder: Path, hosted: Hosted, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["mine", str(hosted.folder), "--repo", REPO, "--out", str(folder / "pulls.jsonl")]
    return subprocess.Popen(
        [*COMMAND, *arguments, "--cache", str(folder / "cache"), *more],
        env={**environment(), "GITHUB_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes]) -> bytes:
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr.decode()
    return stdout + stderr


def kill(process: subprocess.Popen[bytes]) -> None:
    # The whole group, git with it: that is what a machine does that loses its power.
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_mine_from_git_that_was_killed_twenty_times_ends_with_the_same_bytes(
    hosted: Hosted, tmp_path: Path
) -> None:
    begun = time.monotonic()
    finish(start(tmp_path / "whole", hosted))
    whole, expected = time.monotonic() - begun, (tmp_path / "whole/pulls.jsonl").read_bytes()
    chance = random.Random(3)  # noqa: S311
    for moment in range(MOMENTS):
        folder = tmp_path / f"killed-{moment}"
        process = start(folder, hosted)
        time.sleep(chance.uniform(0.2, 1.0) * whole)
        kill(process)
        finish(start(folder, hosted))
        assert (folder / "pulls.jsonl").read_bytes() == expected
        assert [path.name for path in folder.iterdir() if "partial" in path.name] == []


def test_a_mine_from_github_that_was_killed_twenty_times_asks_for_no_page_twice_but_the_last(
    hosted: Hosted, tmp_path: Path
) -> None:
    with GitHubServer(hosted.pulls) as server:
        options = ("--github", "--base-url", server.base_url)
        finish(start(tmp_path / "whole", hosted, *options))
        expected = (tmp_path / "whole/pulls.jsonl").read_bytes()
        calls = len(server.requests)
        chance = random.Random(4)  # noqa: S311
        for moment in range(MOMENTS):
            server.forget()
            folder = tmp_path / f"killed-{moment}"
            reached = threading.Event()
            fatal = chance.randrange(1, calls)

            def watch(request: Request, reached: threading.Event = reached) -> None:
                if len(server.requests) >= fatal:  # noqa: B023
                    reached.set()

            server.hook = watch
            process = start(folder, hosted, *options)
            assert reached.wait(60)
            time.sleep(chance.uniform(0, 0.05))
            kill(process)
            server.hook = None
            finish(start(folder, hosted, *options))
            assert (folder / "pulls.jsonl").read_bytes() == expected
            asked = Counter((r.path, r.query, repr(r.variables)) for r in server.requests)
            again = sum(count - 1 for count in asked.values())
            # The page that was under way, and what belongs to it.
            assert again <= 2, asked


def test_no_token_stands_in_an_output_a_record_or_the_list_of_processes(
    hosted: Hosted, tmp_path: Path
) -> None:
    seen: set[bytes] = set()

    def look(_: Request) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes())
            except OSError:
                # It ended meanwhile.
                continue

    with GitHubServer(hosted.pulls, hook=look) as server:
        options = ("--github", "--base-url", server.base_url, "--debug")
        printed = finish(start(tmp_path / "good", hosted, *options))
        server.tokens = ()
        refused = start(tmp_path / "bad", hosted, *options)
        stdout, stderr = refused.communicate(timeout=60)
        assert refused.returncode == 2
        assert b"Traceback" in stderr
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert seen
    for text in (printed, stdout, stderr, *written, *seen):
        assert TOKEN.encode() not in text
