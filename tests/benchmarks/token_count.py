"""How fast are the tokens of conversations counted, against tiktoken on one thread?

    python -m tests.benchmarks.token_count [MEGABYTES]

The conversations are those of `publish_again`: turns of pieces of Python's own source files, of
350 kB on average. Both count each conversation in turn, so that what else the machine does falls
on both; tiktoken by `encode_ordinary`, text by text, with the same vocabulary. What is needed once
(the vocabulary, the compiled kernels) is there before; what short pieces are remembered is not.
The ratio holds, the megabytes a second are this machine's.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import click
from tests.benchmarks.publish_again import rows, sources

from davinci_agency.tokens import _o200k, open_counter, texts_of


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


def main() -> None:
    """Print a table: way, speed, CPU time; the ratios; and whether the totals are equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("megabytes", type=float, nargs="?", default=100.0)
    counter = open_counter()
    if counter is None:
        raise SystemExit("there is no counter")
    for count in (by_tiktoken, counter.count):
        count(["What is needed once."])
    ours, theirs = Way("davinci-agency", counter.count), Way("tiktoken", by_tiktoken)
    size = 0
    for row in rows(parser.parse_args().megabytes, sources(), random.Random(6)):  # noqa: S311
        texts = list(texts_of(row["messages"], ()))
        size += sum(len(text.encode()) for text in texts)
        for way in (theirs, ours):
            way.add(texts)
    megabytes = size / 1e6
    click.echo(f"{megabytes:.0f} MB of text{'':10}{'MB/s':>8}{'CPU s':>8}{'tokens':>12}")
    for way in (theirs, ours):
        click.echo(f"{way.name:24}{megabytes / way.wall:8.1f}{way.cpu:8.2f}{way.tokens:12,}")
    click.echo(
        f"{theirs.wall / ours.wall:.1f} times as fast, at {ours.cpu / theirs.cpu:.0%} of the CPU"
    )
    click.echo(f"equal totals: {'yes' if ours.tokens == theirs.tokens else 'no'}")


if __name__ == "__main__":
    main()
