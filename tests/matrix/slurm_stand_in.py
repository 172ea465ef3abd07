"""The commands of a Slurm that has one machine: an array's jobs really run, as local processes.

Linked as ``sbatch``, ``squeue``, ``scancel``, ``srun`` and ``scontrol`` into a folder, in which it
remembers its jobs.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "scancel", "srun", "scontrol")
JOBS = Path(sys.argv[0]).parent / "jobs"
"""A script for every job that ever was, and the process group of every one that is there."""


def sbatch(*arguments: str) -> None:
    """Start a job."""
    *options, script = arguments
    text = Path(script).read_text()
    JOBS.mkdir(exist_ok=True)
    job = 100 + len(list(JOBS.glob("*.sh")))
    (JOBS / f"{job}.sh").write_text(text)
    exported = [pair for option in options for pair in option.split(",") if "=" in pair]
    added = dict(pair.split("=") for pair in exported if not pair.startswith("--"))
    starter = subprocess.Popen(
        [sys.executable, sys.argv[0], "run", str(job)],
        env={**os.environ, **added},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (JOBS / f"{job}.group").write_text(str(starter.pid))
    assert starter.stdin is not None
    starter.stdin.close()
    print(f"Submitted batch job {job}")  # noqa: T201


def run(job: str) -> None:
    """Run a job's elements to their end, all at once."""
    sys.stdin.read()  # until the job is known
    script = JOBS / f"{job}.sh"
    found = re.search(r"--array=0-(\d+)", script.read_text())
    output = re.search(r"--output=(.*)", script.read_text())
    assert found is not None
    assert output is not None
    elements = []
    for index in range(int(found[1]) + 1):
        log = output[1].replace("%A", job).replace("%a", str(index))
        with Path(log).open("wb") as file:
            elements.append(
                subprocess.Popen(
                    ["bash", str(script)],
                    env={
                        **os.environ,
                        "SLURM_ARRAY_TASK_ID": str(index),
                        "SLURM_JOB_ID": job,
                        "SLURM_NODELIST": "localhost",
                    },
                    stdout=file,
                    stderr=file,
                )
            )
    for element in elements:
        element.wait()
    (JOBS / f"{job}.group").unlink()


def squeue(*_: str) -> None:
    """Name the jobs that are there, whatever format is asked for."""
    for path in JOBS.glob("*.group"):
        print(path.stem)  # noqa: T201


def scancel(job: str) -> None:
    """Kill a job, if it is there."""
    group = JOBS / f"{job}.group"
    if group.exists():
        os.killpg(int(group.read_text()), signal.SIGTERM)
        group.unlink()


def srun(*arguments: str) -> None:
    """Become the command behind the options ``-l -n 1``."""
    command = arguments[3:]
    os.execvp(command[0], command)  # noqa: S606


def scontrol(*arguments: str) -> None:
    """Name the machines of a list: there is only one."""
    print(arguments[-1])  # noqa: T201


if __name__ == "__main__":
    name, rest = Path(sys.argv[0]).name, sys.argv[1:]
    if name == "sbatch" and rest[:1] == ["run"]:
        run(*rest[1:])
    else:
        globals()[name](*rest)
