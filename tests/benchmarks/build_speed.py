"""How fast does ``build`` make Parquet of JSON Lines, beside those who make it too?

    python -m tests.benchmarks.build_speed [--megabytes 400] [--rounds 3] [--workers 2]

The rows are attempts as large as real ones (see `publish_again`), none accepted, so that they are
all that is written. Each route runs in a process of its own, all of them in turn in every round;
told are medians, and peaks of memory of the process with its children:

- ``build``: validated, exact copies dropped, zstd Parquet in content-defined chunks, digests;
- ``again``: the same command once more, with nothing changed;
- ``from_generator``: ``Dataset.from_generator`` of parsed lines, then ``to_parquet``;
- ``load_json``: ``load_dataset("json")``, then ``to_parquet``; both check nothing, and the second
  changes values;
- ``parse`` and ``encode``: the limit, ``orjson.loads`` of every line, and ``ParquetWriter`` with
  the release's settings on tables that are there already; by all workers at once, since cores that
  share memory and caches are slower together than one alone. The least that both could take is
  their CPU time divided by the number of workers.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import orjson
from tests.command import environment

from davinci_agency.files import read_lines
from davinci_agency.parallel import Pool
from davinci_agency.parsing import MAX_LINE_BYTES
from davinci_agency.records import Attempt, Task, from_json, to_json, to_row
from davinci_agency.release import Shard
from davinci_agency.surveying import LineRange, ranges_of

ROUTES = ("build", "again", "from_generator", "load_json", "parse", "encode")


def write_inputs(folder: Path, megabytes: float) -> None:
    """Write attempts of so many bytes, none accepted, and their task, as stages spell them."""
    # Not imported above: workers import this module anew, and what they take so is not build's.
    from tests.benchmarks.publish_again import rows, sources
    from tests.samples import task, write_lines

    dice = random.Random(7)  # noqa: S311
    with (folder / "attempts.jsonl").open("wb") as file:
        for row in rows(megabytes, sources(), dice):
            file.write(to_json(from_json({**row, "score": 0.0}, Attempt)) + b"\n")
    write_lines(folder / "tasks.jsonl", [to_row(from_json(task("task-1"), Task))])


def build(folder: Path, workers: int) -> None:
    """Build a release."""
    shutil.rmtree(folder / "release", ignore_errors=True)
    again(folder, workers)


def again(folder: Path, workers: int) -> None:
    """Build a release, unless it is there already."""
    from davinci_agency.build import BuildInputs, BuildOptions
    from davinci_agency.progress import SILENT
    from davinci_agency.release_step import build_step, stamp_of
    from davinci_agency.step import do_step

    inputs = BuildInputs(tasks=(folder / "tasks.jsonl",), attempts=(folder / "attempts.jsonl",))
    out = folder / "release"
    options = BuildOptions()
    with Pool(workers) as engine:
        step = build_step(inputs, out, options, stamp_of(out), engine, False, SILENT)
        do_step(step, strict=False)


def from_generator(folder: Path, workers: int) -> None:
    """Let `datasets` take parsed lines as they are."""
    from datasets import Dataset

    def lines():  # type: ignore[no-untyped-def]
        with (folder / "attempts.jsonl").open("rb") as file:
            for line in file:
                yield orjson.loads(line)

    made = Dataset.from_generator(lines, cache_dir=str(folder / "cache"))
    made.to_parquet(folder / "generated.parquet")


def load_json(folder: Path, workers: int) -> None:
    """Let `datasets` read the file by itself."""
    from datasets import load_dataset

    path, cache = str(folder / "attempts.jsonl"), str(folder / "cache")
    made = load_dataset("json", data_files=path, split="train", cache_dir=cache)
    made.to_parquet(folder / "loaded.parquet")


def parse(folder: Path, workers: int) -> float:
    """Parse every line; return the seconds of CPU that it takes while all workers do it."""
    with Pool(workers) as pool:
        return sum(pool.map(_parse_range, ranges_of(folder / "attempts.jsonl")))


def _parse_range(part: LineRange) -> float:
    with part.path.open("rb") as file:
        begun = time.process_time()
        for _, line in read_lines(file, MAX_LINE_BYTES, part.start, part.end):
            orjson.loads(line or b"")
        return time.process_time() - begun


def encode(folder: Path, workers: int) -> float:
    """Write tables that are there already; return the CPU time like `parse`."""
    from davinci_agency.release import read_manifest

    release = folder / "release"
    shards = read_manifest(release).shards_of("attempts")
    with Pool(workers) as pool:
        return sum(pool.map(partial(_encode_shard, release), shards))


def _encode_shard(release: Path, shard: Shard) -> float:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from davinci_agency.layout import parquet_options
    from davinci_agency.release import read_batches
    from davinci_agency.schema import load_schema
    from davinci_agency.schema.arrow import leaf_columns

    table = pa.Table.from_batches(list(read_batches(release, shard)))
    path = release.parent / f"encoded-{os.getpid()}.parquet"
    options = parquet_options(table.nbytes / table.num_rows, leaf_columns(load_schema("attempt")))
    begun = time.process_time()
    with pq.ParquetWriter(path, table.schema, **options) as writer:
        writer.write_table(table)
    return time.process_time() - begun


def measure(route: str, folder: Path, workers: int) -> dict[str, float]:
    """Run a route here, and return wall and CPU seconds and the peak of memory in MB."""
    function: Callable[[Path, int], float | None] = globals()[route]
    wall, cpu = time.monotonic(), sum(os.times()[:4])
    own = function(folder, workers)
    whos = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in whos)
    cpu = sum(os.times()[:4]) - cpu if own is None else own
    return {"wall": time.monotonic() - wall, "cpu": cpu, "peak": peak / 1024}


def main() -> None:
    """Measure every route in turn, and print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--megabytes", type=float, default=400)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--route", nargs=2, metavar=("ROUTE", "FOLDER"))
    chosen = options.parse_args()
    if chosen.route:
        route, folder = chosen.route
        click.echo(json.dumps(measure(route, Path(folder), chosen.workers)))
        return
    size, found = compare(chosen.megabytes, chosen.rounds, chosen.workers)
    report(found, size, chosen.workers)


def compare(
    megabytes: float, rounds: int, workers: int
) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the input's size in MB, and the medians of every route: all in turn in every round."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_inputs(folder, megabytes)
        size = (folder / "attempts.jsonl").stat().st_size / 1e6
        found: dict[str, list[dict[str, float]]] = {route: [] for route in ROUTES}
        for _ in range(rounds):
            for route in ROUTES:
                found[route].append(_run(route, folder, workers))
    middle = {
        route: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for route, runs in found.items()
    }
    return size, middle


def _run(route: str, folder: Path, workers: int) -> dict[str, float]:
    for left in ("cache", "generated.parquet", "loaded.parquet", *folder.glob("encoded-*")):
        subprocess.run(["rm", "-rf", folder / str(left)], check=True)
    module = ["-m", "tests.benchmarks.build_speed"]
    command = [sys.executable, *module, "--workers", str(workers), "--route", route, str(folder)]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True)
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return taken


def report(middle: dict[str, dict[str, float]], size: float, workers: int) -> None:
    """Print medians, and the ratios that matter."""
    click.echo(f"{size:.0f} MB of JSON Lines, {workers} workers")
    for route, taken in middle.items():
        speed = size / taken["wall"]
        click.echo(
            f"{route:16}{taken['wall']:7.2f} s{speed:7.0f} MB/s{taken['cpu']:8.2f} CPU s"
            f"{taken['peak']:8.0f} MB"
        )
    built = middle["build"]["wall"]
    limit = (middle["parse"]["cpu"] + middle["encode"]["cpu"]) / workers
    click.echo(f"from_generator / build: {middle['from_generator']['wall'] / built:.2f}")
    click.echo(f"load_json / build:      {middle['load_json']['wall'] / built:.2f}")
    click.echo(f"limit / build:          {limit / built:.2f} ({limit:.2f} s)")


if __name__ == "__main__":
    main()
