"""No sandbox at all: a process of this machine, with limits and an environment of its own.

For programs that are trusted, or on a machine that is a sandbox itself. What it may read or write
is what the user may.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from davinci_agency.errors import CommandError
from davinci_agency.sandbox.job import Ended, Job, Limits, never
from davinci_agency.sandbox.running import run_process


class Local:
    """Runs jobs as they are."""

    name = "local"

    def run(self, job: Job, limits: Limits, should_stop: Callable[[], bool] = never) -> Ended:
        """Run a job. See `Sandbox.run`. Raises `CommandError` if a mount is to be elsewhere."""
        moved = [mount for mount in job.mounts if str(mount.source) != mount.target]
        if moved:
            raise CommandError(
                f"--sandbox local can't show {moved[0].source} as {moved[0].target}; use "
                "bubblewrap or docker."
            )
        mark = f"DAVINCI_AGENCY_JOB={secrets.token_hex(16)}"
        name, _, value = mark.partition("=")
        return run_process(
            job.command,
            {"PATH": os.defpath, **job.environment, name: value},
            limits,
            should_stop,
            stdin=job.stdin,
            cwd=Path(job.cwd),
            writable=[mount.source for mount in job.mounts if mount.writable],
            mark=mark.encode(),
        )
