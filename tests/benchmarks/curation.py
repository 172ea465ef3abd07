"""How much does all of curation cost, in multiples of parsing the same file with orjson?

    python -m tests.benchmarks.curation [--rows 600] [--seed 1] [--profile]

Attempts of realistic size (`corpus`) and their tasks are curated with every rule on: records are
checked, searched for secrets, asked by the rules about trajectories, sketched, joined, and what
stays is written. CPU seconds of one process, with what the system did for it. Beside it: reading
the lines and ``orjson.loads`` on each. The kernels are compiled before.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import click
import orjson
from tests.benchmarks.corpus import write_corpus
from tests.curate.support import pull, task
from tests.samples import read_lines, write_lines

from davinci_agency.curate import CurateInputs, CurateOptions, select_samples


def cpu_seconds(action: Callable[[], object]) -> float:
    """Return the CPU seconds of an action."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def parse(path: Path) -> None:
    """Parse every line of a file."""
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def make(folder: Path, rows: int, seed: int) -> None:
    """Write a corpus whose tasks are all different."""
    folder.mkdir()
    write_corpus(folder, rows, seed)
    ids = [each["task_id"] for each in read_lines(folder / "tasks.jsonl")]
    tasks = [
        {**task(pull(number, license="MIT")), "task_id": task_id}
        for number, task_id in enumerate(ids, start=1)
    ]
    write_lines(folder / "tasks.jsonl", tasks)


def curate(folder: Path, out: Path) -> None:
    """Curate a corpus."""
    inputs = CurateInputs(tasks=(folder / "tasks.jsonl",), attempts=(folder / "attempts.jsonl",))
    summary = select_samples(inputs, out, CurateOptions())
    if summary.quarantined:
        raise SystemExit(f"{summary.quarantined} of {summary.read} records are of no use")
    click.echo(f"{summary.read:,} in, {summary.out:,} out, {summary.rules}")


def main() -> None:
    """Measure, and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=600)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--profile", action="store_true")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "warm", 8, options.seed + 2)
        curate(folder / "warm", folder / "warm-out")
        make(folder / "corpus", options.rows, options.seed)
        size = (folder / "corpus" / "attempts.jsonl").stat().st_size / 1e6
        profiler = cProfile.Profile() if options.profile else None
        ratios = []
        for number in range(options.rounds):
            parsing = cpu_seconds(lambda: parse(folder / "corpus" / "attempts.jsonl"))
            with profiler or nullcontext():
                curating = cpu_seconds(
                    lambda n=number: curate(folder / "corpus", folder / f"out-{n}")  # type: ignore[misc]
                )
            ratios.append(curating / parsing)
            click.echo(
                f"{size:,.0f} MB: orjson {parsing / size * 1e3:.2f} ms/MB, "
                f"curation {curating / size * 1e3:.2f} ms/MB, {ratios[-1]:.2f} times"
            )
        click.echo(f"median {sorted(ratios)[len(ratios) // 2]:.2f} times")
        if profiler is not None:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
