"""Which sandbox there is."""

from __future__ import annotations

import shutil
import subprocess
from typing import Literal, get_args

from davinci_agency.errors import CommandError
from davinci_agency.sandbox.bubblewrap import find_bubblewrap
from davinci_agency.sandbox.docker import Docker
from davinci_agency.sandbox.job import Sandbox
from davinci_agency.sandbox.local import Local

SandboxName = Literal["bubblewrap", "docker", "local"]
SANDBOXES: tuple[SandboxName, ...] = get_args(SandboxName)


def open_sandbox(name: SandboxName = "bubblewrap", image: str | None = None) -> Sandbox:
    """Return a sandbox that works on this machine. Raises `CommandError` if it doesn't.

    There is no falling back: ``local`` shuts nothing in, so somebody has to ask for it.
    """
    if name == "local":
        return Local()
    if name == "docker":
        return _docker(image)
    sandbox = find_bubblewrap()
    if sandbox is None:
        raise CommandError(
            "bubblewrap is not installed, or may not make namespaces here; install it (apt-get "
            "install bubblewrap), or choose --sandbox docker --image NAME, or --sandbox local, "
            "which shuts nothing in."
        )
    return sandbox


def _docker(image: str | None) -> Docker:
    if image is None:
        raise CommandError("--sandbox docker needs --image; name one that is on this machine.")
    program = shutil.which("docker")
    if program is None:
        raise CommandError("docker is not installed; install it, or choose another --sandbox.")
    answer = subprocess.run(
        [program, "image", "inspect", "--", image], capture_output=True, check=False, timeout=60
    )
    if answer.returncode:
        said = answer.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise CommandError(f"docker can't use the image {image}: {' '.join(said)}")
    return Docker(program, image)
