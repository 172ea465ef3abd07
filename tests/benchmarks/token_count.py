"""How fast are the tokens of conversations counted, against tiktoken on one thread?

    python -m tests.benchmarks.token_count [MEGABYTES] [--workers 2]

The conversations are those of `publish_again`: turns of pieces of Python's own source files, of
350 kB on average. Both count each conversation in turn, so that what else the machine does falls
on both; tiktoken by `encode_ordinary`, text by text, with the same vocabulary. What is needed once
(the vocabulary, the compiled kernels) is there before; what short pieces are remembered is not.
Then all workers count the same conversations, as `ingest` does, each process reading its part of a
file. The ratio holds, the megabytes a second are this machine's.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import orjson
from tests.benchmarks.publish_again import rows, sources

from davinci_agency.files import read_lines
from davinci_agency.parallel import Pool
from davinci_agency.parsing import MAX_LINE_BYTES
from davinci_agency.surveying import LineRange
from davinci_agency.tokens import TokenCounter, _o200k, open_counter, texts_of


@dataclass
class Way:
    """One way to count, and what it took."""

    name: str
    count: Callable[[list[str]], int]
    tokens: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    def add(self, texts: list[str]) -> None:
        """Count another conversation."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.tokens += self.count(texts)
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def by_tiktoken(texts: list[str]) -> int:
    """Return the tokens of texts as tiktoken finds them."""
    return sum(len(_o200k().encode_ordinary(text)) for text in texts)


@cache
def counter() -> TokenCounter:
    """Return this process's counter."""
    opened = open_counter()
    if opened is None:
        raise SystemExit("there is no counter")
    return opened


def by_us(texts: list[str]) -> int:
    """Return the tokens of texts as davinci-agency finds them."""
    return counter().count(texts)


def count_range(part: LineRange) -> tuple[int, float]:
    """Return the tokens of the conversations in a part of a file, and the seconds of CPU."""
    cpu, tokens = time.process_time(), 0
    with part.path.open("rb") as file:
        for _, line in read_lines(file, MAX_LINE_BYTES, part.start, part.end):
            tokens += by_us(orjson.loads(line or b"[]"))
    return tokens, time.process_time() - cpu


def by_all(path: Path, workers: int) -> Way:
    """Return what it takes all workers to count the conversations of a file."""
    size = path.stat().st_size
    with Pool(workers) as pool:
        # What is needed once is there before; nobody can tell which process takes how many.
        list(pool.map(by_us, [["What is needed once."]] * 8 * workers))
        begun = time.perf_counter()
        step = size // (8 * workers) + 1
        parts = [LineRange(path, start, start + step) for start in range(0, size, step)]
        found = list(pool.map(count_range, parts))
        wall = time.perf_counter() - begun
    tokens, cpu = (sum(column) for column in zip(*found, strict=True))
    return Way(f"davinci-agency by {workers}", by_us, int(tokens), wall, cpu)


def main() -> None:
    """Print a table: way, speed, CPU time; the ratios; and whether the totals are equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("megabytes", type=float, nargs="?", default=100.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    ours, theirs = Way("davinci-agency", by_us), Way("tiktoken", by_tiktoken)
    for way in (theirs, ours):
        way.count(["What is needed once."])
    size = 0
    with tempfile.NamedTemporaryFile() as file:
        for row in rows(options.megabytes, sources(), random.Random(6)):  # noqa: S311
            texts = list(texts_of(row["messages"], ()))
            size += sum(len(text.encode()) for text in texts)
            file.write(orjson.dumps(texts) + b"\n")
            for way in (theirs, ours):
                way.add(texts)
        file.flush()
        ways = (theirs, ours, by_all(Path(file.name), options.workers))
    megabytes = size / 1e6
    click.echo(f"{megabytes:.0f} MB of text{'':10}{'MB/s':>8}{'CPU s':>8}{'tokens':>12}")
    for way in ways:
        click.echo(f"{way.name:24}{megabytes / way.wall:8.1f}{way.cpu:8.2f}{way.tokens:12,}")
    for way in ways[1:]:
        faster, cpu = theirs.wall / way.wall, way.cpu / theirs.cpu
        click.echo(f"{way.name}: {faster:.1f} times as fast, at {cpu:.0%} of the CPU")
    click.echo(f"equal totals: {'yes' if len({way.tokens for way in ways}) == 1 else 'no'}")


if __name__ == "__main__":
    main()
