"""How soon is a row there that is read from the Hub, first by streaming, then anywhere?

    python -m tests.benchmarks.reading [MEGABYTES] [--rounds 5]

The same rows (see `publish_again`) lie on a Hub on the loopback twice: as a release's shards, and
as `Dataset.push_to_hub` writes them by default. The clients are `datasets` and `HfFileSystem` with
pyarrow, as they are; each time is taken in a process of its own, behind the imports. Told are
medians of the seconds.

- ``first``: until `load_dataset(..., streaming=True)` has given its first row;
- ``random``: until a row somewhere has been read: the footers, then the row group that holds it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from tests.benchmarks.publish_again import LAYOUTS, build, rows, sources
from tests.command import environment
from tests.publish.support import NAME, hub_environment
from tests.servers.hub import Hub

SHOWN = ("davinci-agency", "push_to_hub")

_FIRST = """
import json, os, sys, time
import datasets

begun = time.monotonic()
row = next(iter(datasets.load_dataset(sys.argv[1], split="train", streaming=True)))
print(json.dumps([time.monotonic() - begun, row["attempt_id"]]), flush=True)
# What has been read ahead is not waited for.
os._exit(0)
"""
_RANDOM = """
import json, os, random, sys, time
import pyarrow.parquet as pq
from huggingface_hub import HfFileSystem

begun = time.monotonic()
files = HfFileSystem()
paths = sorted(files.glob(f"datasets/{sys.argv[1]}/**/*.parquet"))
shards = [pq.ParquetFile(files.open(path)) for path in paths]
wanted = random.Random(int(sys.argv[2])).randrange(sum(s.metadata.num_rows for s in shards))
groups = ((s, n, s.metadata.row_group(n).num_rows) for s in shards for n in range(s.num_row_groups))
for shard, number, count in groups:
    if wanted < count:
        row = shard.read_row_group(number).slice(wanted, 1).to_pylist()[0]
        break
    wanted -= count
print(json.dumps([time.monotonic() - begun, row["attempt_id"]]), flush=True)
# What has been read ahead is not waited for.
os._exit(0)
"""
ROUTES = {"first": _FIRST, "random": _RANDOM}


def take(hub: Hub, home: Path, script: str, seed: int) -> float:
    """Return the seconds that a script takes to read a row from a Hub."""
    done = subprocess.run(
        [sys.executable, "-c", script, NAME, str(seed)],
        env={**environment(), **hub_environment(hub, home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds: float = json.loads(done.stdout.splitlines()[-1])[0]
    return seconds


def main() -> None:
    """Print a table: layout, seconds to the first row, seconds to a row somewhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("megabytes", type=float, nargs="?", default=400.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    dice = random.Random(6)  # noqa: S311
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        release = build(folder / "made", list(rows(options.megabytes, sources(), dice)), None)
        found: dict[tuple[str, str], list[float]] = {}
        with (
            Hub(folder / SHOWN[0]) as ours,
            Hub(folder / SHOWN[1]) as theirs,
        ):
            hubs = dict(zip(SHOWN, (ours, theirs), strict=True))
            for layout, hub in hubs.items():
                (folder / f"{layout}-sent").mkdir()
                LAYOUTS[layout](hub, folder / f"{layout}-sent", release)
            for turn in range(options.rounds):
                for route, script in ROUTES.items():
                    for layout, hub in hubs.items():
                        home = folder / f"{layout}-{route}-{turn}"
                        home.mkdir()
                        taken = take(hub, home, script, turn)
                        found.setdefault((layout, route), []).append(taken)
    click.echo(f"{options.megabytes:.0f} MB as JSON, medians of {options.rounds}")
    middle = {key: statistics.median(times) for key, times in found.items()}
    click.echo(f"{'layout':16}" + "".join(f"{route:>12}" for route in ROUTES))
    for layout in SHOWN:
        times = "".join(f"{middle[layout, route]:10.3f} s" for route in ROUTES)
        click.echo(f"{layout:16}{times}")
    ratios = "".join(
        f"{middle[SHOWN[1], route] / middle[SHOWN[0], route]:10.2f} x" for route in ROUTES
    )
    click.echo(f"{'ratio':16}{ratios}")


if __name__ == "__main__":
    main()
