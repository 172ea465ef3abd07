"""What is run in a sandbox, what it may use, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

EndReason = Literal[
    "exited",
    "signalled",
    "timed-out",
    "too-much-output",
    "out-of-memory",
    "disk-full",
    "too-many-processes",
    "stopped",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use; it is ended at the first that it passes.

    Attributes:
        seconds: time, by the clock.
        memory: bytes that its processes hold, together.
        output: bytes that it prints, to both streams.
        disk: bytes by which its writable folders may grow.
        processes: processes at one time.
    """

    seconds: float = 3600.0
    memory: int = 4 << 30
    output: int = 16 << 20
    disk: int = 4 << 30
    processes: int = 512


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of this machine, and where it is inside."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A program to run.

    Attributes:
        command: the program and its arguments; no shell reads them.
        cwd: the folder inside that it starts in.
        mounts: all that it sees of this machine besides its programs.
        environment: all variables that it gets; nothing is inherited.
        stdin: what it reads from standard input.
        network: whether it may use the network.
    """

    command: tuple[str, ...]
    cwd: str
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    network: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended.

    Attributes:
        reason: why; ``exited`` and ``signalled`` are its own doing.
        status: its exit status, or the negative of the signal that ended it.
        stdout, stderr: what it printed; of too much the beginning and the end.
        output_bytes: how much it printed.
        seconds: how long it ran.
        peak_memory: the most bytes that its processes were seen to hold, together.
    """

    reason: EndReason
    status: int
    stdout: bytes
    stderr: bytes
    output_bytes: int
    seconds: float
    peak_memory: int


def never() -> bool:
    """Tell that a job need not stop."""
    return False


class Sandbox(Protocol):
    """A way to run a job."""

    @property
    def name(self) -> str:
        """What it is called."""

    def run(self, job: Job, limits: Limits, should_stop: Callable[[], bool] = never) -> Ended:
        """Run a job to its end, or until it passes a limit or ``should_stop`` says so."""
