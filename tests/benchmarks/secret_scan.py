"""How fast and how sure is the search for secrets, against plain expressions and detect-secrets?

One run, in CPU time, on the source files of Python and of the packages that are installed, joined
into texts of the size of a trajectory: the search, the same rules by `re` one by one, and
detect-secrets file by file. Then what each finds of planted secrets, and where it is taken in by
look-alikes, on a seed that no rule was tuned on; what the search still finds in the clean text, by
rule; and how its time grows on hostile text. The ratios hold, the seconds are this machine's.

    pip install detect-secrets
    python -m tests.benchmarks.secret_scan
"""

from __future__ import annotations

import argparse
import random
import re
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from tests.benchmarks.planted import HOSTILE, Sample, lookalikes, planted

from davinci_agency.secrets import RULES, Secret, find_secrets
from davinci_agency.secrets.rule import value_span
from davinci_agency.secrets.scanning import merge

TEXT_SIZE = 350_000
SUFFIXES = ".py .pyi .js .json .md .txt .html .c .h .css .yml .toml .cfg .rst"
HELD_OUT = 31_337
PLANTED, LOOKALIKE = 3_000, 2_800


def find_secrets_slowly(text: bytes) -> list[Secret]:
    """Return what the rules find when each goes over the whole text by itself."""
    return merge(
        (*value_span(match), number)
        for number, rule in enumerate(RULES)
        for match in rule.expression.finditer(text)
        if rule.is_real(match)
    )


LITERALS = [
    re.compile(b"|".join(map(re.escape, rule.literals)), re.IGNORECASE if rule.any_case else 0)
    for rule in RULES
]


def find_literals(text: bytes) -> int:
    """Count what the rules begin with, one by one: less than any such search has to do."""
    return sum(1 for literal in LITERALS for _ in literal.finditer(text))


def clean_texts(size: int, seed: int) -> list[bytes]:
    """Return about so many bytes of installed source files, joined by NUL."""
    roots = {sysconfig.get_path(name) for name in ("stdlib", "purelib")}
    found = {file for root in roots for file in Path(root).rglob("*.*") if file.is_file()}
    files = sorted(file for file in found if file.suffix and file.suffix in SUFFIXES)
    random.Random(seed).shuffle(files)  # noqa: S311
    texts, text = list[bytes](), bytearray()
    for file in files:
        text += file.read_bytes()[:200_000].replace(b"\0", b" ") + b"\0"
        if len(text) >= TEXT_SIZE:
            texts.append(bytes(text))
            text.clear()
        if len(texts) * TEXT_SIZE >= size:
            break
    return texts


def cpu_seconds(work: Callable[[bytes], object], texts: Sequence[bytes]) -> float:
    """Return what going over the texts takes."""
    begun = time.process_time()
    for text in texts:
        work(text)
    return time.process_time() - begun


def show_speed(texts: Sequence[bytes], peer: Callable[[bytes], int] | None) -> None:
    """Print what each takes for a megabyte, in the same run."""
    megabytes = sum(map(len, texts)) / 1e6
    find_secrets(texts[0])
    rounds = [cpu_seconds(find_secrets, texts) / megabytes for _ in range(3)]
    ours = sorted(rounds)[1]
    few = texts[:4]
    size = sum(map(len, few)) / 1e6
    ways: list[tuple[str, float]] = [
        ("find_secrets", ours),
        ("the rules, one by one", cpu_seconds(find_secrets_slowly, few) / size),
        ("only their literals, one by one", cpu_seconds(find_literals, few) / size),
    ]
    if peer is not None:
        ways.append(("detect-secrets", cpu_seconds(peer, few[:1]) / (len(few[0]) / 1e6)))
    click.echo(f"{megabytes:.1f} MB of clean text{'':16}ms/MB    MB/s   times")
    for name, cost in ways:
        click.echo(f"{name:34}{cost * 1e3:8.2f}{1 / cost:8.1f}{cost / ours:8.1f}")
    same = sum(find_secrets(text) == find_secrets_slowly(text) for text in few)
    click.echo(f"texts with identical findings, search and rules: {same} of {len(few)}")


def show_findings(texts: Sequence[bytes]) -> None:
    """Print what is found in the clean text, a megabyte, by rule."""
    counts = Counter(secret.rule for text in texts for secret in find_secrets(text))
    megabytes = sum(map(len, texts)) / 1e6
    click.echo("found in clean text, for each MB: " + ", ".join(
        f"{rule} {count / megabytes:.2f}" for rule, count in counts.most_common()
    ))  # fmt: skip


def finds(sample: Sample) -> bool:
    """Tell whether the search finds something here; where there is a value, all of it."""
    found = find_secrets(sample.text.encode())
    if not sample.value:
        return bool(found)
    start, end = sample.span
    return any(secret.start <= start and end <= secret.end for secret in found)


def show_sureness(peer: Callable[[bytes], int] | None) -> None:
    """Print recall and precision of each; the peer needs to find only something, anywhere."""
    secrets = [s for s in planted(HELD_OUT, PLANTED) if not s.is_person]
    people = [s for s in planted(HELD_OUT, PLANTED) if s.is_person]
    nothing = list(lookalikes(HELD_OUT, LOOKALIKE))
    ways: list[tuple[str, Callable[[Sample], bool]]] = [("find_secrets", finds)]
    if peer is not None:
        ways.append(("detect-secrets", lambda sample: peer(sample.text.encode()) > 0))
    click.echo(f"{len(secrets)} secrets, {len(nothing)} look-alikes   recall  precision")
    for name, way in ways:
        right = sum(map(way, secrets))
        wrong = sum(map(way, nothing))
        click.echo(f"{name:34}{right / len(secrets):8.4f}{right / (right + wrong or 1):9.4f}")
        missed = Counter(s.kind for s in secrets if not way(s)).most_common(12)
        click.echo(f"  missed {dict(missed)}; taken in {_taken_in(way, nothing)}")
    click.echo(f"people found: {sum(map(finds, people))} of {len(people)}")


def _taken_in(way: Callable[[Sample], bool], nothing: Sequence[Sample]) -> dict[str, int]:
    return dict(Counter(sample.kind for sample in nothing if way(sample)).most_common(12))


def show_growth() -> None:
    """Print how much more CPU time four times the hostile text takes; the worst three."""
    growths = []
    for unit in HOSTILE:
        small, large = (unit * (size // len(unit)) for size in (250_000, 1_000_000))
        costs = [cpu_seconds(find_secrets, [text]) for text in (small, large)]
        growths.append((costs[1] / max(costs[0], 2e-3), costs[1], unit))
    growths.sort(reverse=True)
    for growth, cost, unit in growths[:3]:
        click.echo(f"four times {unit[:32]!r}: {growth:.1f} times the CPU, {cost:.2f} s for 1 MB")


@contextmanager
def detect_secrets() -> Iterator[Callable[[bytes], int] | None]:
    """Give detect-secrets as its users run it, on a file; ``None`` if it is not installed."""
    if find_spec("detect_secrets") is None:
        yield None
        return
    from detect_secrets.core.scan import scan_file  # type: ignore[import-not-found]
    from detect_secrets.settings import default_settings  # type: ignore[import-not-found]

    with TemporaryDirectory() as folder, default_settings():
        file = Path(folder, "text.txt")

        def count(text: bytes) -> int:
            file.write_bytes(text.replace(b"\0", b"\n"))
            return sum(1 for _ in scan_file(str(file)))

        yield count


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=20)
    arguments = parser.parse_args()
    texts = clean_texts(int(arguments.megabytes * 1e6), seed=1)
    with detect_secrets() as peer:
        show_speed(texts, peer)
        show_findings(texts)
        show_sureness(peer)
    show_growth()


if __name__ == "__main__":
    main()
