"""Does the memory of ``build`` grow with the corpus?

Builds a release from 100 MB and from 1 GB of attempts of realistic size (log-normal, mean about
350 kB), each in a process of its own, and prints both peaks. Run it with ``make bench``, or

    python tests/benchmarks/build_memory.py [--megabytes 100 1000] [--workers 1]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.samples import attempt, task, write_lines  # noqa: E402

_WORDS = [f"word{n * n % 7919}" for n in range(3000)]
_TASKS = 200


def _text(chance: random.Random, size: int) -> str:
    return " ".join(chance.choices(_WORDS, k=max(1, size // 9)))


def _attempt(chance: random.Random, number: int) -> dict[str, Any]:
    """Return an attempt of log-normal size: many of 200 kB, a few of several MB."""
    size = int(min(chance.lognormvariate(12.3, 0.9), 12e6))
    calls = max(1, size // 3000)
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Do it."}]
    for call in range(calls):
        function = {"name": "bash", "arguments": {"command": _text(chance, 200)}}
        messages += [
            {"role": "assistant", "content": _text(chance, 300),
             "tool_calls": [{"id": f"c{call}", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": f"c{call}", "content": _text(chance, 2400)},
        ]  # fmt: skip
    messages.append({"role": "assistant", "content": "Done."})
    return attempt(f"attempt-{number:09d}", f"task-{number % _TASKS:06d}", messages=messages)


def _attempts(megabytes: int) -> Iterator[dict[str, Any]]:
    chance, size, number = random.Random(7), 0, 0  # noqa: S311
    while size < megabytes * 1_000_000:
        made = _attempt(chance, number)
        size += len(json.dumps(made))
        number += 1
        yield made


def _measure(megabytes: int, workers: int, folder: Path) -> dict[str, float]:
    tasks = write_lines(folder / "tasks.jsonl", (task(f"task-{n:06d}") for n in range(_TASKS)))
    attempts = write_lines(folder / "attempts.jsonl", _attempts(megabytes))
    command = [
        sys.executable, "-m", "davinci_agency", "build", "--tasks", tasks, "--attempts", attempts,
        "--out", folder / "release", "--workers", str(workers), "--quiet",
    ]  # fmt: skip
    started = time.monotonic()
    process = subprocess.Popen([str(part) for part in command])
    # The peak of the largest process: with workers, of the largest worker.
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"build failed with status {status}")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if workers > 1 else 0
    return {
        "input_mb": attempts.stat().st_size / 1e6,
        "seconds": time.monotonic() - started,
        "peak_mb": max(usage.ru_maxrss, children) / 1024,
    }


def main() -> None:
    """Measure each size, and print the peaks and their ratio to the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    peaks: list[float] = []
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            figures = _measure(megabytes, options.workers, Path(folder))
        peaks.append(figures["peak_mb"])
        print(  # noqa: T201
            f"{figures['input_mb']:8.0f} MB of attempts: peak {figures['peak_mb']:6.0f} MB "
            f"({figures['peak_mb'] / peaks[0]:.2f} of the first), {figures['seconds']:.1f} s"
        )


if __name__ == "__main__":
    main()
