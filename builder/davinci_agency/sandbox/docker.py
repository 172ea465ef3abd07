"""A sandbox by a container: for repositories whose programs come in an image."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator

from davinci_agency.sandbox.job import Ended, Job, Limits, never
from davinci_agency.sandbox.running import run_process


class Docker:
    """Runs jobs in containers of an image, each removed when it ends."""

    def __init__(self, program: str, image: str) -> None:
        # What is done in another image is done anew.
        self.name = f"docker {image}"
        self._program = program
        self._image = image

    def run(self, job: Job, limits: Limits, should_stop: Callable[[], bool] = never) -> Ended:
        """Run a job. See `Sandbox.run`."""
        name = f"davinci-agency-{secrets.token_hex(8)}"
        command = [self._program, *container_arguments(job, limits, name, self._image)]
        # Variables are named in the arguments and read from the client's own environment.
        environment = {**_client_environment(), **job.environment}
        try:
            return run_process(
                command,
                environment,
                limits,
                should_stop,
                stdin=job.stdin,
                writable=[mount.source for mount in job.mounts if mount.writable],
            )
        finally:
            # Ending the client ends no container.
            subprocess.run(
                [self._program, "rm", "--force", name], capture_output=True, check=False, timeout=60
            )


def container_arguments(job: Job, limits: Limits, name: str, image: str) -> list[str]:
    """Return the arguments of a docker client that runs a job in a container."""
    return [*_options(job, limits, name), image, *job.command]


def _options(job: Job, limits: Limits, name: str) -> Iterator[str]:
    yield from ("run", "--rm", "--interactive", "--init", "--name", name, "--hostname", "sandbox")
    yield from ("--user", f"{os.getuid()}:{os.getgid()}", "--cap-drop", "ALL")
    yield from ("--security-opt", "no-new-privileges", "--pull", "never")
    yield from ("--memory", str(limits.memory), "--memory-swap", str(limits.memory))
    yield from ("--pids-limit", str(limits.processes))
    if not job.network:
        yield from ("--network", "none")
    for mount in job.mounts:
        kind = "" if mount.writable else ",readonly"
        yield from ("--mount", f"type=bind,source={mount.source},target={mount.target}{kind}")
    for variable in job.environment:
        yield from ("--env", variable)
    yield from ("--workdir", job.cwd)


def _client_environment() -> dict[str, str]:
    """Return what a docker client needs to find its engine."""
    wanted = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in wanted if name in os.environ}
