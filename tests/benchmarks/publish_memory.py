"""How much memory does publishing take, above what the client takes for a release of a few rows?

    python tests/benchmarks/publish_memory.py [GIGABYTES]

The large release is of rows with some 400 kB of text that does not compress; both are published on
a Hub on the loopback, without Xet, by the command line in a process of its own.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import Process, Queue
from pathlib import Path
from typing import Any

import click
from tests.publish.support import publish
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


def measure(hub: Hub, release: Path) -> tuple[float, float]:
    """Publish in a child of a child, and return its peak memory in MB and its seconds."""
    found: Queue[tuple[float, float]] = Queue()

    def run() -> None:
        begun = time.monotonic()
        done = publish(hub, release, "--quiet")
        if done.code:
            raise SystemExit(done.stderr)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        found.put((peak, time.monotonic() - begun))

    process = Process(target=run)
    process.start()
    process.join()
    return found.get(timeout=5)


def main() -> None:
    """Print both peaks and their difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("gigabytes", type=float, nargs="?", default=2.0)
    size = parser.parse_args().gigabytes * 1e9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peaks = []
        # A sample and an attempt each hold the text once.
        for label, count in (("few", 3), ("many", int(size / (2 * TEXT)))):
            release = make(folder / label, count)
            total = sum(path.stat().st_size for path in release.rglob("*.parquet"))
            with Hub(folder / f"hub-{label}") as hub:
                peak, seconds = measure(hub, release)
            peaks.append(peak)
            click.echo(f"{total / 1e6:8.1f} MB of shards: peak {peak:.0f} MB, {seconds:.0f} s")
        click.echo(f"{peaks[1] - peaks[0]:.0f} MB above the client's own")


if __name__ == "__main__":
    main()
