"""How much memory does publishing take, above the Hub's client sending the same files by itself?

    python -m tests.benchmarks.publish_memory [GIGABYTES]

The release is of rows with some 400 kB of text that does not compress. It is sent to a Hub on the
loopback, without Xet, each time by a process of its own: by `create_commit` alone, and by
``davinci-agency publish``, which checks every row before and reads the release back.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import Process, Queue
from pathlib import Path
from typing import Any

import click
from tests.command import Result, environment
from tests.publish.support import NAME, hub_environment, publish
from tests.samples import attempt, task, write_lines
from tests.servers.hub import Hub

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.card import write_card

TEXT = 300_000
"""Random bytes in a row; base64 makes four characters of three."""


def attempts(count: int) -> Iterator[dict[str, Any]]:
    """Yield attempts at one task, each with its own text."""
    for number in range(count):
        said = base64.b64encode(os.urandom(TEXT)).decode()
        messages = [{"role": "user", "content": said}, {"role": "assistant", "content": "Done."}]
        yield attempt(f"attempt-{number}", "task-1", messages=messages)


def make(folder: Path, count: int) -> Path:
    """Build a release of so many attempts."""
    folder.mkdir()
    inputs = BuildInputs(
        tasks=(write_lines(folder / "tasks.jsonl", [task("task-1")]),),
        attempts=(write_lines(folder / "attempts.jsonl", attempts(count)),),
    )
    write_release(inputs, folder / "release", finish=write_card)
    (folder / "attempts.jsonl").unlink()
    return folder / "release"


def measure(send: Callable[[Hub, Path], Result], hub: Hub, release: Path) -> tuple[float, float]:
    """Send a release in a child of a child, and return its peak memory in MB and its seconds."""
    found: Queue[tuple[float, float]] = Queue()

    def run() -> None:
        begun = time.monotonic()
        done = send(hub, release)
        if done.code:
            raise SystemExit(done.stderr)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        found.put((peak, time.monotonic() - begun))

    process = Process(target=run)
    process.start()
    process.join()
    return found.get(timeout=5)


def send_alone(hub: Hub, release: Path) -> Result:
    """Send all files of a release by the client's `create_commit` alone."""
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, NAME, str(release)],
        env={**environment(), **hub_environment(hub, release.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


_ALONE = """
import sys
from pathlib import Path
from huggingface_hub import CommitOperationAdd, HfApi

name, folder = sys.argv[1], Path(sys.argv[2])
HfApi().create_repo(name, repo_type="dataset")
files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
additions = [CommitOperationAdd(path.relative_to(folder).as_posix(), str(path)) for path in files]
HfApi().create_commit(name, additions, commit_message="send", repo_type="dataset")
"""


def main() -> None:
    """Print both peaks and their difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("gigabytes", type=float, nargs="?", default=2.0)
    size = parser.parse_args().gigabytes * 1e9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A sample and an attempt each hold the text once.
        release = make(folder / "made", int(size / (2 * TEXT)))
        total = sum(path.stat().st_size for path in release.rglob("*.parquet"))
        click.echo(f"{total / 1e6:.1f} MB of shards")
        peaks = []
        for label, send in (("the client alone", send_alone), ("publish", publish)):
            with Hub(folder / label) as hub:
                peak, seconds = measure(send, hub, release)
            peaks.append(peak)
            click.echo(f"{label:>16}: peak {peak:.0f} MB, {seconds:.0f} s")
        click.echo(f"{peaks[1] - peaks[0]:.0f} MB above the client's own")


if __name__ == "__main__":
    main()
