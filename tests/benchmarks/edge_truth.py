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
CLAIMS = frozenset({"fixes", "supersedes", "depends-on", "follows-up", "reverts", "backports"})
"""Types that words must state. The others are facts that nobody has to read: that one names the
other, changes its lines or closes the same issue.
"""


class Label(msgspec.Struct, frozen=True):
    """What the readers, and the decision between them, say of a pair.

    Attributes:
        readings: what the later one is, or ``none``, by each reader; ``verdict``: what was decided.
        words: what the words state, or ``mentions`` or ``nothing``; ``stated``: what was decided.
        sure: whether both readers were sure of the verdict.
    """

    later: int
    earlier: int
    readings: tuple[str, str]
    sure: bool
    verdict: str
    words: tuple[str, str]
    stated: str


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
    """Print precision, recall, and whether the types are those that the words state."""
    pairs = list(zip(labels, types, strict=True))
    used = [(label, kind) for label, kind in pairs if kind != UNUSED]
    true = [(label, kind) for label, kind in used if label.verdict != "none"]
    real = sum(label.verdict != "none" for label in labels)
    claimed = [(label, kind) for label, kind in true if kind in CLAIMS]
    right = sum(label.stated == kind for label, kind in claimed)
    agreed = right + sum(kind not in CLAIMS and label.stated not in CLAIMS for label, kind in true)
    meant = sum(label.verdict == kind for label, kind in claimed)
    click.echo(
        f"{len(labels)} pairs, chains use {len(used)}: precision {len(true) / len(used):.3f}, "
        f"recall {len(true) / real:.3f}\n"
        f"  types claimed of {len(claimed)} in {len(true)} true ties, {right / len(claimed):.3f} "
        f"as the words state ({meant / len(claimed):.3f} as the readers judge the changes)\n"
        f"  types that are not wrong {1 - (len(claimed) - right) / len(true):.3f}; the same as the "
        f"readers', `mentions` included, {agreed / len(true):.3f}"
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
    first, second = zip(*(label.readings for label in labels), strict=True)
    ties = [["tie" if word != "none" else word for word in words] for words in (first, second)]
    words = list(zip(*(label.words for label in labels), strict=True))
    click.echo(
        f"two readers: kappa {kappa(*ties):.2f} on the dependency, {kappa(first, second):.2f} on "
        f"what it is, {kappa(*words):.2f} on what the words state"
    )
    click.echo("all: ", nl=False)
    show(labels, types)
    sure = [place for place, label in enumerate(labels) if label.sure]
    click.echo("where both readers were sure of the dependency: ", nl=False)
    show([labels[place] for place in sure], [types[place] for place in sure])
    click.echo("what words state, what is given, of true ties:")
    stated = [label.stated for label in labels if label.verdict != "none"]
    given = [kind for label, kind in zip(labels, types, strict=True) if label.verdict != "none"]
    for (word, kind), count in sorted(Counter(zip(stated, given, strict=True)).items()):
        click.echo(f"  {word:14}{kind:18}{count:4}")


if __name__ == "__main__":
    main()
