"""How much of a release is sent again after one row in a hundred changed?

    python -m tests.benchmarks.publish_again [MEGABYTES]

The rows are attempts whose messages are pieces of Python's own source files, as large as real ones
(log-normal, 350 kB on average). They are sent to a Hub on the loopback, by the client and `hf_xet`
as they are, in three layouts: a release built by davinci-agency, the second one ``--after`` the
first; `Dataset.push_to_hub` with its defaults; and pyarrow's defaults. Counted is what `hf_xet`
writes to its local CAS when the second one is sent.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import orjson
from tests.command import environment
from tests.publish.support import NAME, hub_environment
from tests.samples import attempt, task, write_lines
from tests.servers.hub import Hub

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.card import write_card

Row = dict[str, Any]
MEAN = 350_000
"""Bytes of a row as JSON, on average; half of them are below 216 kB."""
SHARE = 100
"""One row in so many is changed."""


def sources() -> list[str]:
    """Return the lines of Python's standard library."""
    lines: list[str] = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        lines += path.read_text(errors="replace").splitlines(keepends=True)
    return lines


def rows(megabytes: float, lines: list[str], dice: random.Random) -> Iterator[Row]:
    """Yield attempts of so many bytes together."""
    left = megabytes * 1e6
    while left > 0:
        size = min(dice.lognormvariate(12.28, 0.98), 12e6)
        left -= size
        yield make_row(size, lines, dice)


def make_row(size: float, lines: list[str], dice: random.Random) -> Row:
    """Return an attempt of about so many bytes, in turns of some kilobytes."""
    messages: list[Any] = [{"role": "user", "content": "Do it."}]
    while size > 0:
        said = piece(lines, dice, dice.randint(3, 15))
        shown = piece(lines, dice, dice.randint(20, 160))
        size -= len(said) + len(shown) + 300
        name = f"call_{dice.getrandbits(64):016x}"
        call = {"name": "bash", "arguments": {"command": piece(lines, dice, 1)}}
        messages += [
            {"role": "assistant", "content": said, "tool_calls": [
                {"id": name, "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": name, "content": shown},
        ]  # fmt: skip
    messages.append({"role": "assistant", "content": "Done."})
    # Nobody judged it, so that only the config `attempts` holds it.
    return attempt(
        f"attempt-{dice.getrandbits(96):024x}", "task-1", messages=messages, score=None, judge=None
    )


def piece(lines: list[str], dice: random.Random, count: int) -> str:
    """Return some lines that stand together."""
    start = dice.randrange(len(lines) - count)
    return "".join(lines[start : start + count])


def changes(first: list[Row], lines: list[str], dice: random.Random) -> dict[str, list[Row]]:
    """Return the rows after each kind of change."""
    count = max(1, len(first) // SHARE)
    chosen = set(dice.sample(range(len(first)), count))
    edited = [edit(row, lines, dice) if n in chosen else row for n, row in enumerate(first)]
    # What is added is as large as what is there.
    added = [make_row(MEAN, lines, dice) for _ in range(count)]
    return {
        "append": first + added,
        "edit": edited,
        "delete": [row for n, row in enumerate(first) if n not in chosen],
    }


def edit(row: Row, lines: list[str], dice: random.Random) -> Row:
    """Return a row in which one message says something else."""
    messages = list(row["messages"])
    place = dice.randrange(1, len(messages) - 1)
    messages[place] = {**messages[place], "content": piece(lines, dice, 30)}
    return {**row, "messages": messages}


def build(folder: Path, some: list[Row], after: Path | None) -> Path:
    """Build a release of attempts."""
    folder.mkdir()
    inputs = BuildInputs(
        tasks=(write_lines(folder / "tasks.jsonl", [task("task-1")]),),
        attempts=(write_lines(folder / "attempts.jsonl", some),),
        after=after,
    )
    write_release(inputs, folder / "release", finish=write_card)
    return folder / "release"


def in_a_process(script: str, hub: Hub, home: Path, *arguments: str | Path) -> None:
    """Run a script that talks to a Hub."""
    done = subprocess.run(
        [sys.executable, "-c", script, NAME, *map(str, arguments)],
        env={
            **environment(),
            **hub_environment(hub, home),
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)


_FILES = """
import sys
from pathlib import Path
from huggingface_hub import CommitOperationAdd, HfApi

name, folder = sys.argv[1], Path(sys.argv[2])
HfApi().create_repo(name, repo_type="dataset", exist_ok=True)
files = sorted(folder.rglob("*.parquet"))
additions = [CommitOperationAdd(path.relative_to(folder).as_posix(), str(path)) for path in files]
HfApi().create_commit(name, additions, commit_message="send", repo_type="dataset")
"""
_DATASET = """
import sys
import datasets

name, folder = sys.argv[1:]
found = datasets.Dataset.from_parquet(folder + "/attempts/*.parquet", cache_dir=folder + "-cache")
found.push_to_hub(name)
"""
_PYARROW = """
import sys
import pyarrow.parquet as pq
from pathlib import Path

table = pq.read_table(sys.argv[2] + "/attempts")
Path(sys.argv[3]).mkdir()
pq.write_table(table, sys.argv[3] + "/attempts.parquet")
"""


def send_files(hub: Hub, home: Path, release: Path) -> None:
    """Send a release's shards as they are."""
    in_a_process(_FILES, hub, home, release / "attempts")


def send_dataset(hub: Hub, home: Path, release: Path) -> None:
    """Send a release's rows by `push_to_hub`."""
    in_a_process(_DATASET, hub, home, release)


def send_plain(hub: Hub, home: Path, release: Path) -> None:
    """Send a release's rows as pyarrow writes them."""
    plain = release.with_name("plain")
    if not plain.exists():
        in_a_process(_PYARROW, hub, home, release, plain)
    in_a_process(_FILES, hub, home, plain)


LAYOUTS: dict[str, Callable[[Hub, Path, Path], None]] = {
    "davinci-agency": send_files,
    "push_to_hub": send_dataset,
    "pyarrow": send_plain,
}


def measure(
    name: str, send: Callable[[Hub, Path, Path], None], folder: Path, first: Path, second: Path
) -> tuple[int, int]:
    """Return the bytes that the first release takes in a CAS, and what the second one adds."""
    with Hub(folder / name, xet=True) as hub:
        home = folder / f"{name}-home"
        home.mkdir()
        send(hub, home, first)
        whole = hub.blobs.stored
        send(hub, home, second)
        return whole, hub.blobs.stored - whole


def main() -> None:
    """Print a table: layout, size, and what is sent again after each change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("megabytes", type=float, nargs="?", default=400.0)
    dice, lines = random.Random(6), sources()  # noqa: S311
    first = list(rows(parser.parse_args().megabytes, lines, dice))
    size = sum(len(orjson.dumps(row)) for row in first)
    click.echo(f"{len(first)} rows, {size / 1e6:.0f} MB as JSON")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = build(folder / "first", first, None)
        after = {
            change: build(folder / change, some, before)
            for change, some in changes(first, lines, dice).items()
        }
        click.echo(f"{'layout':16}{'MB':>8}" + "".join(f"{change:>20}" for change in after))
        for layout, send in LAYOUTS.items():
            found = {
                change: measure(f"{layout}-{change}", send, folder, before, second)
                for change, second in after.items()
            }
            whole = next(iter(found.values()))[0]
            shown = [f"{sent / 1e6:.2f} MB {sent / size0:.1%}" for size0, sent in found.values()]
            click.echo(f"{layout:16}{whole / 1e6:8.1f}" + "".join(f"{each:>20}" for each in shown))


if __name__ == "__main__":
    main()
