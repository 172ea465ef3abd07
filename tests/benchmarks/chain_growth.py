"""How does ``chain`` grow with the number of pull requests?

Makes pull requests of one repository as they are found in real ones: one in twelve names an earlier
one, mostly a recent one, one in fifty closes an issue, authors are few and busy or many and rare,
files are popular or not. Each size is chained in a process of its own; printed are CPU seconds a
thousand pull requests and the peak of memory.

    python tests/benchmarks/chain_growth.py [--sizes 10000 100000 1000000]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.chain.support import pull  # noqa: E402
from tests.samples import write_lines  # noqa: E402

_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_VERBS = ["Follow-up to", "Fixes", "See", "Depends on", "Introduced in", "As discussed in"]
_PROSE = "It was slow where many values are near each other. Now each one is looked at once. " * 4


def pulls(count: int) -> Iterator[dict[str, Any]]:
    """Yield pull requests in the order of their numbers, one an hour."""
    chance = random.Random(4)  # noqa: S311
    for number in range(1, count + 1):
        body = _PROSE
        if number > 1 and chance.random() < 1 / 12:
            back = min(number - 1, int(chance.paretovariate(0.7)))
            body += f"{chance.choice(_VERBS)} #{number - back}."
        if chance.random() < 1 / 50:
            body += f" Closes #{count + chance.randrange(1, count // 20 + 2)}."
        when = _BEGIN + timedelta(hours=number / 4)
        popular = (int(chance.paretovariate(0.6)) % 3_000 for _ in range(chance.randrange(1, 6)))
        yield pull(
            number,
            f"Make part {number} exact",
            body,
            author=f"author-{int(chance.paretovariate(0.8)) % 2_000}",
            paths=[f"core/part_{place}.py" for place in {*popular}],
            merged_at=f"{when:%Y-%m-%dT%H:%M:%SZ}",
        )


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    click.echo(f"{'pull requests':>13}{'CPU s':>9}{'s per 1,000':>13}{'MB':>7}")
    for size in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory() as folder:
            made = write_lines(Path(folder) / "pulls.jsonl", pulls(size))
            command = [sys.executable, "-m", "davinci_agency", "chain", str(made), "--quiet"]
            chains = ["--out", str(Path(folder) / "chains.jsonl")]
            process = subprocess.Popen([*command, *chains])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"chain failed with {process.returncode}")
        cpu = usage.ru_utime + usage.ru_stime
        click.echo(f"{size:13,}{cpu:9.2f}{1000 * cpu / size:13.3f}{usage.ru_maxrss / 1024:7.0f}")


if __name__ == "__main__":
    main()
