"""Does the memory of ``build`` or ``curate`` grow with the corpus, or its time faster than that?

Builds a release from 100 MB and from 1 GB of attempts of realistic size (log-normal, mean about
350 kB; with ``--small`` of 4 kB, so that there are a hundred times as many), each in a process of
its own, and prints both peaks, and seconds for each GB. Every attempt is accepted, so that it is
written twice. ``--curate`` looks for duplicates among them instead. Run it with ``make bench``, or

    python tests/benchmarks/build_memory.py [--megabytes 100 1000] [--workers 1] [--small]
        [--curate]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.samples import attempt, task, write_lines  # noqa: E402

from davinci_agency.records import Attempt, from_json, to_json  # noqa: E402

_WORDS = [f"word{n * n % 7919}" for n in range(3000)]
_TASKS = 200
_DUPLICATES = ("exact-duplicate", "differs-in-noise", "near-duplicate", "contained")
_DISTINCT = 400
"""MB of attempts that differ in more than their names."""


def _text(chance: random.Random, size: int) -> str:
    return " ".join(chance.choices(_WORDS, k=max(1, size // 9)))


def _attempt(chance: random.Random, number: int, small: bool) -> dict[str, Any]:
    """Return an attempt: the first of 12 MB, many of 200 kB, a few of several MB (log-normal)."""
    size = 3000 if small else int(min(chance.lognormvariate(12.3, 0.9), 12e6))
    size = size if number else 12_000_000
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
    return attempt(_name(number), f"task-{number % _TASKS:06d}", messages=messages)


def _lines(megabytes: int, small: bool) -> Iterator[bytes]:
    """Yield lines of so many bytes together; behind the first 400 MB the same under other names."""
    chance, size = random.Random(7), 0  # noqa: S311
    made: list[bytes] = []
    for number in count():
        if size < min(megabytes, _DISTINCT) * 1_000_000:
            # Spelt as stages do, so that no line is kept a second time.
            made.append(to_json(from_json(_attempt(chance, number, small), Attempt)) + b"\n")
        elif size >= megabytes * 1_000_000:
            return
        first = number % len(made)
        line = made[first].replace(_name(first).encode(), _name(number).encode())
        size += len(line)
        yield line


def _name(number: int) -> str:
    return f"attempt-{number:09d}"


_STAGES = {
    "build": ["build"],
    "curate": ["curate", *(f"--only={rule}" for rule in _DUPLICATES)],
}


def _measure(
    stage: str, megabytes: int, small: bool, workers: int, folder: Path
) -> dict[str, float]:
    tasks, attempts = folder / "tasks.jsonl", folder / "attempts.jsonl"
    # Elsewhere: a process begins with the peak of the one that starts it.
    sized = [str(megabytes), "--small"] if small else [str(megabytes)]
    subprocess.run([sys.executable, __file__, "--write", folder, *sized], check=True)
    command = [
        sys.executable, "-m", "davinci_agency", *_STAGES[stage], "--tasks", tasks,
        "--attempts", attempts, "--out", folder / "out", "--workers", str(workers), "--quiet",
    ]  # fmt: skip
    started = time.monotonic()
    process = subprocess.Popen([str(part) for part in command])
    # The peak of the largest process, workers included.
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{stage} failed with status {status}")
    return {
        "input_mb": attempts.stat().st_size / 1e6,
        "seconds": time.monotonic() - started,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def _write(folder: Path, megabytes: int, small: bool) -> None:
    write_lines(folder / "tasks.jsonl", (task(f"task-{n:06d}") for n in range(_TASKS)))
    with (folder / "attempts.jsonl").open("wb") as file:
        file.writelines(_lines(megabytes, small))


def main() -> None:
    """Measure each size, and print the peaks and their ratio to the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="attempts of 4 kB")
    parser.add_argument("--curate", action="store_true", help="instead of building")
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "MEGABYTES"))
    options = parser.parse_args()
    if options.write:
        _write(Path(options.write[0]), int(options.write[1]), options.small)
        return
    stage = "curate" if options.curate else "build"
    peaks: list[float] = []
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            figures = _measure(stage, megabytes, options.small, options.workers, Path(folder))
        peaks.append(figures["peak_mb"])
        print(  # noqa: T201
            f"{figures['input_mb']:8.0f} MB of attempts: peak {figures['peak_mb']:6.0f} MB "
            f"({figures['peak_mb'] / peaks[0]:.2f} of the first), {figures['seconds']:.1f} s, "
            f"{figures['seconds'] / figures['input_mb'] * 1000:.1f} s a GB"
        )


if __name__ == "__main__":
    main()
