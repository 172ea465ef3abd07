"""Runs a process to its end, or to the first limit that it passes.

Every tenth of a second it is looked at from outside: time, output, processes, memory, and the
growth of the folders that it may write to. Nothing it does can make this wait: its pipes are read
without blocking, and what still holds them after its end is ended too.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from davinci_agency.sandbox.job import Ended, EndReason, Limits
from davinci_agency.sandbox.processes import family, kill, memory

_TICK = 0.1
_SECONDS_BETWEEN_WALKS = 10.0
_GRACE = 0.5
"""Seconds in which what was printed last may still arrive."""
_BLOCK = 1 << 16


@dataclass(slots=True)
class Captured:
    """What a stream printed: all of it, or its beginning and its end."""

    limit: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    total: int = 0

    def add(self, data: bytes) -> None:
        """Take what was printed next."""
        self.total += len(data)
        room = max(self.limit // 2 - len(self.head), 0)
        self.head += data[:room]
        self.tail += data[room:]
        if len(self.tail) > self.limit:
            del self.tail[: len(self.tail) - self.limit // 2]

    def text(self) -> bytes:
        """Return what is held, with a line where something is missing."""
        missing = self.total - len(self.head) - len(self.tail)
        gap = b"\n[%d bytes are left out]\n" % missing if missing else b""
        return bytes(self.head) + gap + bytes(self.tail)


def run_process(
    command: Sequence[str],
    environment: Mapping[str, str],
    limits: Limits,
    should_stop: Callable[[], bool],
    *,
    stdin: bytes = b"",
    cwd: Path | None = None,
    writable: Sequence[Path] = (),
    descriptors: Sequence[int] = (),
    mark: bytes | None = None,
) -> Ended:
    """Run a command; ``writable`` are the folders whose growth counts.

    ``mark`` is a piece of the environment by which processes are known that left the family.
    """
    begun = time.monotonic()
    streams = [Captured(limits.output), Captured(limits.output)]
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(
            [*_guards(limits), *command],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=cwd,
            pass_fds=tuple(descriptors),
            start_new_session=True,
        )
    watch = _Watch(process.pid, limits, writable, mark)
    reason: EndReason | None = None
    try:
        with selectors.DefaultSelector() as selector:
            for pipe, stream in zip((process.stdout, process.stderr), streams, strict=True):
                if pipe is not None:
                    os.set_blocking(pipe.fileno(), False)
                    selector.register(pipe, selectors.EVENT_READ, stream)
            ended_at: float | None = None
            while reason is None:
                _read(selector, _TICK if selector.get_map() else 0)
                now = time.monotonic()
                if process.poll() is not None:
                    ended_at = ended_at or now
                    if not selector.get_map() or now - ended_at > _GRACE:
                        break
                elif not selector.get_map():
                    time.sleep(_TICK)
                reason = _passed(now - begun if ended_at is None else 0, streams, limits)
                if reason is None and ended_at is None:
                    reason = watch.passed()
                if reason is None and should_stop():
                    reason = "stopped"
    finally:
        watch.end(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    status = process.returncode
    # A shell, and bubblewrap too, say with 128 + n that a signal ended the program.
    by_signal = status < 0 or status - 128 in set(signal.Signals)
    return Ended(
        reason=reason or _own_end(status, by_signal),
        status=status,
        stdout=streams[0].text(),
        stderr=streams[1].text(),
        output_bytes=sum(stream.total for stream in streams),
        seconds=round(time.monotonic() - begun, 3),
        peak_memory=watch.peak,
    )


def _own_end(status: int, by_signal: bool) -> EndReason:
    if status in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ):
        return "disk-full"
    return "signalled" if by_signal else "exited"


def _guards(limits: Limits) -> list[str]:
    """Return what is put before a command: it dies with us, and the kernel holds some limits."""
    guards: list[str] = []
    if setpriv := shutil.which("setpriv"):
        guards += [setpriv, "--pdeathsig", "KILL"]
    if prlimit := shutil.which("prlimit"):
        # Soft and hard: what is inside could lift a soft one.
        guards += [prlimit, "--core=0:0", f"--fsize={limits.disk}:{limits.disk}"]
    return guards


def _read(selector: selectors.BaseSelector, wait: float) -> None:
    for key, _ in selector.select(wait):
        data = os.read(key.fd, _BLOCK)
        if data:
            key.data.add(data)
        else:
            selector.unregister(key.fileobj)


def _passed(seconds: float, streams: Sequence[Captured], limits: Limits) -> EndReason | None:
    if sum(stream.total for stream in streams) > limits.output:
        return "too-much-output"
    return "timed-out" if seconds > limits.seconds else None


class _Watch:
    """Looks at a family of processes and at the folders that it may write to."""

    def __init__(
        self, pid: int, limits: Limits, writable: Sequence[Path], mark: bytes | None
    ) -> None:
        self._pid = pid
        self._limits = limits
        self._writable = writable
        self._mark = mark
        self._before = sum(map(_size, writable))
        self._free = self._free_bytes()
        self._looked = self._walked = time.monotonic()
        self.peak = 0

    def passed(self) -> EndReason | None:
        """Return the limit that is passed, if one is; looks no more often than is useful."""
        now = time.monotonic()
        if now - self._looked < _TICK:
            return None
        self._looked = now
        pids = family(self._pid, self._mark)
        if len(pids) > self._limits.processes:
            return "too-many-processes"
        held = memory(pids)
        self.peak = max(self.peak, held)
        if held > self._limits.memory:
            return "out-of-memory"
        return "disk-full" if self._disk_is_full(now) else None

    def _disk_is_full(self, now: float) -> bool:
        # Free space is cheap to ask for; who took it, only a walk tells.
        taken = self._free - self._free_bytes()
        if taken <= self._limits.disk // 2 and now - self._walked < _SECONDS_BETWEEN_WALKS:
            return False
        self._walked = time.monotonic()
        return sum(map(_size, self._writable)) - self._before > self._limits.disk

    def _free_bytes(self) -> int:
        devices: dict[int, int] = {}
        for folder in self._writable:
            status = os.statvfs(folder)
            devices[folder.stat().st_dev] = status.f_bavail * status.f_frsize
        return sum(devices.values())

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End what is left of the family, and wait for it."""
        deadline = time.monotonic() + 10
        while pids := family(self._pid, self._mark):
            kill(pids)
            process.poll()
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        process.wait(timeout=30)


def _size(folder: Path) -> int:
    """Return the bytes on the disk that a folder takes; nothing is followed out of it."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            # It was taken away or closed while we looked; what can't be seen is counted next time.
            continue
    return total
