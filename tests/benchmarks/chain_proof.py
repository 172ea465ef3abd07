"""How long does it take to prove the states of 1,000 stages, and how near is that to git itself?

Needs the mined pull requests of a repository and a clone of it:

    python tests/benchmarks/chain_proof.py pulls.jsonl numpy.git [--stages 1000] [--workers 2]

The stages are those of temporal and semantic chains. Beside it the same git commands are run by a
shell for single stages, one after the other: what git alone takes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
import orjson

from davinci_agency.chain import ChainOptions, find_chains
from davinci_agency.chain.proving import Prover
from davinci_agency.records import Chain, ChainStage, StatePolicy, from_json
from davinci_agency.repository.overlay import Overlay, open_overlay
from davinci_agency.repository.source import read_source

_SCRIPT = """
while read base; do
    read patch
    git read-tree "$base" && git apply --cached --whitespace=nowarn "$patch" && git write-tree
done
"""
_POLICIES: tuple[StatePolicy, ...] = ("historical-base", "cumulative")


def read_stages(pulls: Path, count: int) -> list[tuple[ChainStage, ...]]:
    """Return the stages of chains, the semantic ones last, until there are enough."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "chains.jsonl"
        find_chains([pulls], out, ChainOptions(("temporal-chain", "semantic-chain")))
        lines = out.read_bytes().splitlines()
    chains: list[tuple[ChainStage, ...]] = []
    while lines and sum(map(len, chains)) < count:
        chains.append(from_json(orjson.loads(lines.pop()), Chain).stages)
    return chains


def seconds_of_git(overlay: Overlay, stages: list[ChainStage]) -> float:
    """Return the seconds that git alone takes for some stages at their own bases."""
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for place, stage in enumerate(stages):
            patch = Path(folder) / str(place)
            patch.write_bytes((stage.patch + stage.test_patch).encode("utf-8", "surrogateescape"))
            lines += [stage.base_commit, str(patch)]
        environment = os.environ | {
            "GIT_DIR": str(overlay.folder),
            "GIT_INDEX_FILE": f"{folder}/index",
        }
        begin = time.perf_counter()
        subprocess.run(
            ["sh", "-c", _SCRIPT],
            input="\n".join(lines).encode() + b"\n",
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - begin


def main() -> None:
    """Print the seconds for each policy, what was found, and the ratio to git alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pulls", type=Path)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--stages", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    chains = read_stages(options.pulls, options.stages)
    count = sum(map(len, chains))
    source = read_source(options.clone)
    for policy in _POLICIES:
        with open_overlay(source) as overlay:
            begin = time.perf_counter()
            proofs = list(Prover(overlay, policy, options.workers).prove(chains))
            taken = time.perf_counter() - begin
        found = Counter(proof.status for chain in proofs for proof in chain)
        per_thousand = taken / count * 1000
        click.echo(f"{policy}: {count} stages in {taken:.1f} s, {per_thousand:.1f} s a thousand")
        click.echo(f"  {dict(found)}")
        if policy == "historical-base":
            with open_overlay(source) as overlay:
                alone = seconds_of_git(overlay, [stage for chain in chains for stage in chain])
            click.echo(
                f"  git alone, one after the other: {alone:.1f} s; ratio {taken / alone:.2f}"
            )


if __name__ == "__main__":
    main()
