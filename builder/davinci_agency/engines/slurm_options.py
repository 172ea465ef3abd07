"""What Slurm is told of every job (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from davinci_agency.errors import CommandError


@dataclass(frozen=True, slots=True)
class SlurmOptions:
    """How jobs are submitted.

    Attributes:
        partition: where they run.
        time: how long each may take, as ``sbatch --time`` has it.
        cpus_per_task: processors of a worker.
        mem_per_cpu_gb: memory of each of these.
        qos: the quality of service; empty is the cluster's own choice.
        others: further options of ``sbatch`` by their long names.
    """

    partition: str
    time: str
    cpus_per_task: int
    mem_per_cpu_gb: int
    qos: str
    others: Mapping[str, str]


def read_options(given: Mapping[str, str]) -> SlurmOptions:
    """Return options that were given by name; raise `CommandError` if one is missing or no good."""
    others = dict(given)
    missing = [name for name in ("partition", "time") if not others.get(name)]
    if missing:
        raise CommandError(f"Slurm must be told {' and '.join(missing)}: --slurm {missing[0]}=….")
    return SlurmOptions(
        partition=others.pop("partition"),
        time=others.pop("time"),
        cpus_per_task=_number("cpus_per_task", others.pop("cpus_per_task", "1")),
        mem_per_cpu_gb=_number("mem_per_cpu_gb", others.pop("mem_per_cpu_gb", "2")),
        qos=others.pop("qos", ""),
        others=others,
    )


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise CommandError(f"Slurm's {name} is {value!r}; give a whole number from 1.")
    return int(value)
