"""A sandbox by bubblewrap: namespaces of its own, and nothing of this machine but its programs.

Inside there are ``/usr`` and what belongs to it, a few files of ``/etc`` (accounts are made up), an
empty ``/tmp`` and ``/home/agent``, and the job's mounts. The user is an ordinary one, 1000, without
capabilities; processes, users, network, host name and shared memory are its own. With no network
there is still a loopback.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from davinci_agency.sandbox.job import Ended, Job, Limits, never
from davinci_agency.sandbox.running import run_process

HOME = "/home/agent"
_PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "mime.types", "pki", "ssl", "timezone",
)  # fmt: skip
_KERNEL = tuple(
    f"/proc/{name}"
    for name in ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "mtrr", "pressure")
)
"""If we are root, the user inside is too, to the kernel, which lets root set what these hold."""
_OWN_ETC = Path(__file__).parent / "etc"
_SCRATCH_SHARE = 4
"""``/tmp`` and the home lie in memory, so each may have a quarter of what the job may hold."""


class Bubblewrap:
    """Runs jobs with ``bwrap``."""

    name = "bubblewrap"

    def __init__(self, program: str) -> None:
        self._program = program

    def run(self, job: Job, limits: Limits, should_stop: Callable[[], bool] = never) -> Ended:
        """Run a job. See `Sandbox.run`."""
        # Arguments go through a file, so that no list of processes shows what is mounted.
        with tempfile.TemporaryFile() as arguments:
            arguments.write(b"".join(os.fsencode(word) + b"\0" for word in _arguments(job, limits)))
            arguments.seek(0)
            return run_process(
                [self._program, "--args", str(arguments.fileno()), "--", *job.command],
                {"HOME": HOME, "PATH": "/usr/local/bin:/usr/bin:/bin", **job.environment},
                limits,
                should_stop,
                stdin=job.stdin,
                writable=[mount.source for mount in job.mounts if mount.writable],
                descriptors=[arguments.fileno()],
            )


def find_bubblewrap() -> Bubblewrap | None:
    """Return the sandbox, if it is there and works on this machine."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    sandbox = Bubblewrap(program)
    tried = sandbox.run(Job(("/bin/true",), "/"), Limits(seconds=30))
    return sandbox if tried.status == 0 else None


def _arguments(job: Job, limits: Limits) -> Iterator[str]:
    yield from ("--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-pid")
    yield from ("--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox")
    yield from ("--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
    if not job.network:
        yield "--unshare-net"
    for place in _PROGRAMS:
        path = Path(place)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), place)
        elif path.exists():
            yield from ("--ro-bind", place, place)
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for file in sorted(_OWN_ETC.iterdir()):
        yield from ("--ro-bind", str(file), f"/etc/{file.name}")
    if job.network:
        yield from ("--ro-bind-try", str(Path("/etc/resolv.conf").resolve()), "/etc/resolv.conf")
    yield from ("--proc", "/proc", "--dev", "/dev")
    for place in _KERNEL:
        yield from ("--ro-bind-try", place, place)
    scratch = str(max(limits.memory // _SCRATCH_SHARE, 1 << 20))
    for place in ("/tmp", HOME, "/dev/shm"):  # noqa: S108 - these are inside
        yield from ("--size", scratch, "--tmpfs", place)
    for mount in job.mounts:
        yield from ("--bind" if mount.writable else "--ro-bind", str(mount.source), mount.target)
    # What holds it all lies in memory too, and has no size.
    yield from ("--remount-ro", "/", "--chdir", job.cwd)
