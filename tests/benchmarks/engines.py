"""What do engines of several machines add to a stage's work, on one machine?

    python -m tests.benchmarks.engines [--megabytes 400] [--rounds 3] [--workers 2]

Takes the packages of `davinci-agency[ray,slurm]`. The work is build's own: shards of 16 MB written
from attempts as large as real ones (see `publish_again`). Each round does it by

- ``pool``: the engine of this machine;
- ``datatrove``: the ranks that Slurm would run, by datatrove's executor for one machine;
- ``ray``: the engine of a Ray cluster, started here and not counted.

An item tells when it began and when it ended. Work is the time from the first beginning to the
last end; startup is what a whole call takes beside that. Told are medians, and every engine's
shards must be those of the pool.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import click
from datatrove.executor import LocalPipelineExecutor
from tests.benchmarks.build_speed import write_inputs
from tests.servers.ray_nodes import RayNodes

from davinci_agency.build import shards
from davinci_agency.build.rows import RowSource, write_sources
from davinci_agency.build.shards import ShardCut, ShardPlan, cut_sizes, write_shard
from davinci_agency.engines import EngineName, open_engine
from davinci_agency.engines.ranks import Ranks, Work
from davinci_agency.files import read_lines
from davinci_agency.parsing import MAX_LINE_BYTES
from davinci_agency.release import Shard, shard_path
from davinci_agency.spooling import Location

SHARD_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Timed:
    """A shard, and when it was written."""

    shard: Shard
    began: float
    ended: float


def write_timed(plan: ShardPlan) -> Timed:
    """Write a shard."""
    began = time.time()
    shard = write_shard(plan)
    return Timed(shard, began, time.time())


def by_engine(name: EngineName, plans: Sequence[ShardPlan], workers: int, folder: Path) -> Any:
    """Write shards by an engine of ours."""
    with open_engine(name, workers, folder, {}) as engine:
        return list(engine.map(write_timed, plans))


def by_datatrove(plans: Sequence[ShardPlan], workers: int, folder: Path) -> list[Timed]:
    """Write shards by the ranks of a local pipeline."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Work.write(Path(name), write_timed, plans)
        step = Ranks(work, tuple(range(len(plans))))
        LocalPipelineExecutor(
            [step], tasks=workers, workers=workers, logging_dir=f"{name}/logs"
        ).run()
        return [work.outcome(number).value for number in range(len(plans))]


ROUTES: dict[str, Callable[[Sequence[ShardPlan], int, Path], list[Timed]]] = {
    "pool": partial(by_engine, "local"),
    "datatrove": by_datatrove,
    "ray": partial(by_engine, "ray"),
}


def plans_of(path: Path, folder: Path) -> list[ShardPlan]:
    """Return the shards that a file of attempts makes."""
    with path.open("rb") as file:
        rows = [
            RowSource(str(offset), (Location(path, offset, len(line or b"")),))
            for offset, line in read_lines(file, MAX_LINE_BYTES)
        ]
    shards.SHARD_BYTES = SHARD_BYTES  # cut here, whoever writes them
    sizes = list(cut_sizes(row.size for row in rows))
    remaining = iter(rows)
    return [
        ShardPlan(
            folder=folder,
            cut=ShardCut(
                path=shard_path("attempts", "train", number, len(sizes), "parquet"),
                config="attempts",
                split="train",
                first=0,
                count=count,
                size=size,
            ),
            sources=write_sources(path.parent / f"shard-{number}", islice(remaining, count)),
            shard_format="parquet",
            threshold=0.8,
        )
        for number, (count, size) in enumerate(sizes)
    ]


def measure(rounds: int, workers: int, plans: Sequence[ShardPlan], folder: Path) -> None:
    """Print what every route takes."""
    work: dict[str, list[float]] = {name: [] for name in ROUTES}
    startup: dict[str, list[float]] = {name: [] for name in ROUTES}
    digests = set()
    for _ in range(rounds):
        for name, route in ROUTES.items():
            started = time.time()
            done = route(plans, workers, folder)
            whole = time.time() - started
            span = max(each.ended for each in done) - min(each.began for each in done)
            work[name].append(span)
            startup[name].append(whole - span)
            digests.add(tuple(each.shard for each in done))
    if len(digests) != 1:
        sys.exit("They write different shards.")
    click.echo(f"{len(plans)} shards, the same by all; {workers} workers, {rounds} rounds")
    click.echo(f"{'engine':12}{'work s':>10}{'of pool':>10}{'startup s':>12}")
    pool = statistics.median(work["pool"])
    for name in ROUTES:
        taken = statistics.median(work[name])
        begun = statistics.median(startup[name])
        click.echo(f"{name:12}{taken:10.2f}{taken / pool:10.2f}{begun:12.2f}")


def main() -> None:
    """Make the inputs and a cluster, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=float, default=400.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, options.megabytes)
        plans = plans_of(folder / "attempts.jsonl", folder / "release")
        with RayNodes(Path(sys.executable), options.workers) as nodes:
            os.environ["RAY_ADDRESS"] = nodes.address
            measure(options.rounds, options.workers, plans, folder)


if __name__ == "__main__":
    # Ranks import functions by the name of their module, which is none of `__main__`'s.
    import_module("tests.benchmarks.engines").main()
