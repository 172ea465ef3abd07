"""Is every merged pull request found, and nothing else? Against 100 verdicts reached by reading.

The numbers were drawn from numpy's ``refs/pull/*/head`` with ``random.Random(2602).sample``, and
whether and how each was merged was established from its history by eye; a second reader, who knew
neither the first one's verdicts nor the program's, came to the same commit and branch for all 100.
The verdicts are in ``tests/mine/truth``. Needs a clone of numpy/numpy with the pull heads:

    python tests/benchmarks/mine_truth.py numpy.git
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import click
import msgspec

from davinci_agency.mine import MineOptions, mine_pulls
from davinci_agency.parallel import Pool

TRUTH = Path(__file__).parent.parent / "mine" / "truth" / "numpy__numpy.json"


class Verdict(msgspec.Struct, frozen=True):
    """Whether and how a pull request was merged."""

    number: int
    merged_into: str | None
    how: str | None
    merge_commit: str | None


class Line(msgspec.Struct, frozen=True):
    """What is held against a verdict."""

    number: int
    merged_into: str
    merge_commit: str


def main() -> None:
    """Print recall and precision, and every number that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clone", type=Path)
    verdicts = msgspec.json.decode(TRUTH.read_bytes(), type=list[Verdict])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "pulls.jsonl"
        options = MineOptions(repo="numpy/numpy")
        with Pool(2) as engine:
            mine_pulls([(parser.parse_args().clone, options)], out, engine=engine)
        with out.open("rb") as file:
            lines = (msgspec.json.decode(line, type=Line) for line in file)
            found = {line.number: (line.merged_into, line.merge_commit) for line in lines}
    right = claimed = merged = 0
    for verdict in verdicts:
        truth = (verdict.merged_into, verdict.merge_commit)
        claim = found.get(verdict.number)
        merged += verdict.merged_into is not None
        claimed += claim is not None
        right += claim is not None and claim == truth
        if (claim or (None, None)) != truth:
            click.echo(f"  #{verdict.number}: {truth} is the truth, {claim} was mined")
    click.echo(
        f"{len(verdicts)} numbers, {merged} merged: "
        f"recall {right / merged:.3f}, precision {right / claimed:.3f}"
    )


if __name__ == "__main__":
    main()
