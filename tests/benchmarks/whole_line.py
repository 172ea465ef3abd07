"""How long is the whole line, from mirrors to a release, beside git alone streaming the patches?

    python -m tests.benchmarks.whole_line numpy.git=numpy/numpy redis.git=redis/redis [--workers 2]

One recipe over all clones, from nothing: mine, chain (each stage's patch applied by git), query,
curate, build. Then ``git diff-tree --stdin -p`` of the very commits that were mined: one clone
after the other, and as many at once as there are workers. Told are the seconds of wall and of CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from tests.benchmarks.mine_speed import Cost, measure


def write_recipe(folder: Path, clones: dict[str, Path]) -> Path:
    """Write a recipe for all clones, and return its path."""
    lines = ['[dataset]\nname = "line"\nwork = "work"\nrelease = "release"\n']
    for repo, clone in clones.items():
        lines.append(f'[[source]]\npath = "{clone}"\nrepo = "{repo}"\nhost = "github.com"\n')
    recipe = folder / "dataset.toml"
    recipe.write_text("\n".join(lines))
    return recipe


def write_pairs(folder: Path, clones: dict[str, Path]) -> list[tuple[Path, Path]]:
    """Write the pairs of commits that were mined, and return each clone with its file of them."""
    pairs: dict[str, list[str]] = defaultdict(list)
    for path in (folder / "work").glob("pulls.*__*.jsonl"):
        if path.name.endswith((".removed.jsonl", ".quarantine.jsonl", ".notices.jsonl")):
            continue
        with path.open("rb") as file:
            for line in file:
                pull = json.loads(line)
                pairs[pull["repo"]].append(f"{pull['merge_commit']} {pull['base_commit']}\n")
    made = []
    for repo, lines in pairs.items():
        names = folder / f"{repo.replace('/', '__')}.pairs"
        names.write_text("".join(lines))
        made.append((clones[repo], names))
    return made


def stream(pair: tuple[Path, Path]) -> Cost | None:
    """Let git stream the patches of some pairs of commits; ``None`` where it lacks an object."""
    clone, names = pair
    try:
        return measure(["git", f"--git-dir={clone}", "diff-tree", "--stdin", "-p"], names)
    except RuntimeError:
        return None


def main() -> None:
    """Print the seconds of every step, and of git alone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("clones", nargs="+", metavar="CLONE=OWNER/NAME")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    clones = {name: Path(path).resolve() for path, name in (c.split("=") for c in chosen.clones)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        recipe = write_recipe(folder, clones)
        command = [sys.executable, "-m", "davinci_agency", "run", str(recipe), "--json"]
        begun, cpu = time.monotonic(), sum(os.times()[:4])
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        done = subprocess.run(
            [*command, "--workers", str(chosen.workers)],
            env=environment, stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        wall, cpu = time.monotonic() - begun, sum(os.times()[:4]) - cpu
        mined = 0
        for line in done.stdout.splitlines():
            step = json.loads(line)
            mined += step["written"].get("pulls", 0) if step["stage"].startswith("mine") else 0
            click.echo(f"{step['stage']:32}{step['seconds']:9.1f} s  {step['written']}")
        pairs = write_pairs(folder, clones)
        costs = [(pair, stream(pair)) for pair in pairs]
        for clone in (clone for (clone, _), cost in costs if cost is None):
            click.echo(f"git alone stops in {clone}, which lacks an object; not counted as git's")
        pairs = [pair for pair, cost in costs if cost is not None]
        alone = [cost for _, cost in costs if cost is not None]
        begun = time.monotonic()
        with ThreadPoolExecutor(chosen.workers) as pool:
            list(pool.map(stream, pairs))
        together = time.monotonic() - begun
        count = sum(len(names.read_text().splitlines()) for _, names in pairs)
    one, git = sum(cost.wall for cost in alone), sum(cost.cpu for cost in alone)
    click.echo(f"the line, {count:,} pull requests: {wall:.1f} s, {cpu:.1f} s of CPU")
    click.echo(f"git, one clone after the other: {one:.1f} s, {git:.1f} s of CPU")
    click.echo(f"git, {chosen.workers} at once: {together:.1f} s")
    click.echo(
        f"ratios: {wall / one:.2f} and {wall / together:.2f} of wall, {cpu / git:.2f} of CPU"
    )


if __name__ == "__main__":
    main()
