"""Every benchmark that needs nothing from elsewhere, beside its peers, in one report.

    python -m tests.benchmarks.report [--quick] [CLONE=OWNER/NAME ...]

Writes ``BENCHMARKS.md`` and its plot: the machine, the versions, what each benchmark printed, and
what the measured rates give for far more data. Given clones, the whole line runs over them, too. As
``make bench`` and ``make bench-quick``, with ``CLONES="numpy.git=numpy/numpy ..."``. Others that
need clones of real repositories are run by hand (`mine_speed`, `mine_truth`, `mine_agreement`,
`edge_truth`, `chain_proof`), as is `engines`, which takes packages of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import click
from tests.benchmarks import build_speed
from tests.command import environment

from davinci_agency.card.plots import Bars, svg

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "BENCHMARKS.md"
PLOT = Path("tests/benchmarks/build_speed.svg")
PACKAGES = (
    "datasets",
    "huggingface-hub",
    "jsonschema-rs",
    "msgspec",
    "orjson",
    "pyarrow",
    "tiktoken",
)
_HOUR = 3600
_CORE_HOUR = 0.04
"""US dollars: about what a core of a rented machine costs an hour. An assumption, not measured."""


@dataclass(frozen=True, slots=True)
class Run:
    """A benchmark: what it is about, its module, and its arguments in full and when it is quick."""

    title: str
    module: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


RUNS = (
    Run("Counting tokens", "token_count", ("100",), ("30",)),
    Run("Reading a row from the Hub", "reading", ("400",), ("100", "--rounds", "3")),
    Run("Sent again after a change", "publish_again", ("400",), ("60",)),
    Run("Near-duplicates", "near_duplicates", ("--rows", "600"), ("--rows", "100")),
    Run("Secrets", "secret_scan", ("--megabytes", "20"), ("--megabytes", "2")),
    Run("Decontamination", "decontamination", ("--rows", "200"), ("--rows", "60")),
    Run("All of curation", "curation", ("--rows", "600"), ("--rows", "100", "--rounds", "1")),
    Run("Memory of build", "build_memory", ("--megabytes", "400", "4000"), ("--megabytes", "100")),
    Run(
        "Memory of curation",
        "build_memory",
        ("--small", "--curate", "--megabytes", "40", "400"),
        ("--small", "--curate", "--megabytes", "10", "100"),
    ),
    Run("Chains to a million pull requests", "chain_growth", (), ("--sizes", "10000", "30000")),
)  # fmt: skip


def measured(run: Run, quick: bool) -> str:
    """Return a section: the command, and what it printed."""
    arguments = run.quick if quick else run.full
    command = ["-m", f"tests.benchmarks.{run.module}", *arguments]
    shown = f"python {' '.join(map(_elsewhere, command))}"
    click.echo(shown, err=True)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**environment(), "PYTHONPATH": str(ROOT / ".peers")},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    said = done.stdout.rstrip() if done.returncode == 0 else f"failed with {done.returncode}"
    return f"## {run.title}\n\n`{shown}`\n\n```text\n{said}\n```\n"


def _elsewhere(argument: str) -> str:
    """Return an argument without the place where a clone lies on this machine."""
    clone, is_clone, repo = argument.partition("=")
    return f"{Path(repo).name}.git={repo}" if clone and is_clone else argument


def machine() -> str:
    """Return what the figures were measured on."""
    cores = os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{_processor()}, {cores} cores, {memory:.0f} GB of memory; "
        f"Python {platform.python_version()}, {packages}; files under {tempfile.gettempdir()}."
    )


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", about.read_text()) if about.exists() else None
    return found.group(1) if found else platform.machine()


def build_section(megabytes: float, rounds: int, workers: int) -> tuple[str, float]:
    """Return the section about build, and its MB a second of a core; draw its plot."""
    size, middle = build_speed.compare(megabytes, rounds, workers)
    with redirect_stdout(StringIO()) as said:
        build_speed.report(middle, size, workers)
    shown = ("build", "from_generator", "load_json")
    speeds = [round(size / middle[route]["wall"]) for route in shown]
    bars = Bars("build_speed", "JSON Lines to Parquet: MB a second", shown, {"MB/s": speeds})
    (ROOT / PLOT).write_text(svg(bars))
    command = f"python -m tests.benchmarks.build_speed --megabytes {megabytes:.0f}"
    text = (
        f"## JSON Lines to Parquet\n\n`{command} --rounds {rounds} --workers {workers}`\n\n"
        f"![MB a second of build and of its peers]({PLOT})\n\n"
        f"```text\n{said.getvalue().rstrip()}\n```\n"
    )
    return text, size / middle["build"]["cpu"]


def arithmetic(speed: float) -> str:
    """Return what a core's speed in MB a second gives for more than one machine holds."""
    hours = {name: size / (speed * _HOUR) for name, size in _SIZES.items()}
    rows = "\n".join(
        f"| {name} | {size / 1e6:,.1f} TB | {hours[name]:,.0f} "
        f"| {hours[name] * 60 / 1000:,.0f} min | {hours[name] * _CORE_HOUR:,.2f} |"
        for name, size in _SIZES.items()
    )
    return (
        "## Far more of it\n\n"
        f"Build takes {speed:.0f} MB a second of a core here. At 350 kB an attempt, and if a core "
        f"costs {_CORE_HOUR} US dollars an hour (an assumption):\n\n"
        "| what | attempts as JSON | core hours | on 1,000 cores | US dollars |\n"
        "|---|---|---|---|---|\n"
        f"{rows}\n\n"
        "This is arithmetic from one machine, not a measurement. Shards are written by processes "
        "that share nothing. One process orders the places of all records, on disk where memory "
        "ends: with attempts of 4 kB it took 118 microseconds each, which is 20 minutes for "
        "10 million, and four days for the 2.9 thousand million of a petabyte: the first limit "
        "that is met.\n"
    )


_SIZES: Mapping[str, float] = {
    "10 million pull requests, an attempt each": 10e6 * 0.35,
    "1 PB of attempts": 1e9,
}


def main() -> None:
    """Run all of it, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="small inputs: five minutes")
    parser.add_argument("clones", nargs="*", metavar="CLONE=OWNER/NAME")
    chosen = parser.parse_args()
    quick: bool = chosen.quick
    clones = tuple(chosen.clones)
    lines = [Run("The whole line beside git alone", "whole_line", clones, clones)] if clones else []
    built, speed = build_section(800 if quick else 1600, 3, os.cpu_count() or 1)
    kind = "`make bench-quick`: small inputs" if quick else "`make bench`"
    sections = [
        f"# Benchmarks\n\nWritten by {kind}, on {machine()}\n",
        built,
        *(measured(run, quick) for run in (*RUNS, *lines)),
        arithmetic(speed),
    ]
    REPORT.write_text("\n".join(sections))
    click.echo(f"wrote {REPORT.name}", err=True)


if __name__ == "__main__":
    main()
