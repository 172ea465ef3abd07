"""Are the ties of chains true? Against pairs of pull requests that were labelled by reading.

The pairs were drawn with ``random.Random(5005).sample(sorted(pairs), 100)`` from all that was
found to tie pull requests of three repositories of different habits, without the pairs that the
words were chosen by, and labelled twice, by ``tests/chain/truth/RULES.md``, by readers who knew
neither each other's labels nor the program's; where they differ, a third reading decided. Needs the
mined pull requests of these repositories, from git alone:

    python tests/benchmarks/edge_truth.py pulls-redis.jsonl pulls-ruff.jsonl pulls-numpy.jsonl
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import orjson

from davinci_agency.chain import ChainOptions, find_chains

TRUTH = Path(__file__).parent.parent / "chain" / "truth"
UNUSED = "(unused)"


class Label(msgspec.Struct, frozen=True):
    """What the readers, and the decision between them, say of a pair: a type or ``none``."""

    later: int
    earlier: int
    readings: tuple[str, ...]
    sure: bool
    verdict: str


def kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Return Cohen's kappa of two readers."""
    agreed = sum(map(str.__eq__, first, second)) / len(first)
    one, other = Counter(first), Counter(second)
    by_chance = sum(one[word] * other[word] for word in one) / len(first) ** 2
    return 1.0 if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)


def used_edges(pulls: Path) -> dict[tuple[int, int], str]:
    """Return the type of every edge that the semantic chains of a file use, by its ends."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "chains.jsonl"
        find_chains([pulls], out, ChainOptions(("semantic-chain",), budget=1_000_000))
        with out.open("rb") as file:
            edges = [edge for line in file for edge in orjson.loads(line)["edges"]]
    return {(edge["source"], edge["target"]): edge["type"] for edge in edges}


def show(labels: Sequence[Label], types: Sequence[str]) -> None:
    """Print precision, recall and the accuracy of types."""
    in_use = [(label.verdict, kind) for label, kind in zip(labels, types, strict=True)]
    used = [verdict for verdict, kind in in_use if kind != UNUSED]
    true = sum(verdict != "none" for verdict in used)
    real = sum(verdict != "none" for verdict, _ in in_use)
    typed = sum(verdict == kind for verdict, kind in in_use)
    click.echo(
        f"{len(labels)} pairs, chains use {len(used)}: precision {true / len(used):.3f}, "
        f"recall {true / real:.3f}, type accuracy {typed / true:.3f}"
    )


def main() -> None:
    """Print the agreement of the readers, what is true of the chains' ties, and the confusion."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pulls", type=Path, nargs="+")
    labels: list[Label] = []
    types: list[str] = []
    for pulls in parser.parse_args().pulls:
        with pulls.open("rb") as file:
            repo = orjson.loads(file.readline())["repo"]
        path = TRUTH / f"{repo.replace('/', '__')}.json"
        of_repo = msgspec.json.decode(path.read_bytes(), type=list[Label])
        used = used_edges(pulls)
        of_types = [used.get((label.later, label.earlier), UNUSED) for label in of_repo]
        click.echo(f"{repo}: ", nl=False)
        show(of_repo, of_types)
        labels += of_repo
        types += of_types
    twice = [label.readings for label in labels if len(label.readings) == 2]
    first, second = zip(*twice, strict=True)
    ties = [["tie" if word != "none" else word for word in words] for words in (first, second)]
    click.echo(
        f"{len(twice)} pairs were read twice: kappa {kappa(*ties):.2f} on the dependency, "
        f"{kappa(first, second):.2f} on the type"
    )
    show(labels, types)
    sure = [place for place, label in enumerate(labels) if label.sure]
    click.echo("where the readers were sure: ", nl=False)
    show([labels[place] for place in sure], [types[place] for place in sure])
    verdicts = [label.verdict for label in labels]
    for (verdict, kind), count in sorted(Counter(zip(verdicts, types, strict=True)).items()):
        click.echo(f"  {verdict:14}{kind:18}{count:4}")


if __name__ == "__main__":
    main()
