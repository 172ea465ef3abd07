"""What can be asked of a sandbox, on the command line and in a recipe's ``[sandbox]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from davinci_agency.sandbox.job import Limits, Mount, Sandbox
from davinci_agency.sandbox.opening import SandboxName, open_sandbox

_MIB = 1 << 20


class SandboxOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What shuts programs in, and what they see.

    Attributes:
        kind: bubblewrap, docker, or local, which shuts nothing in.
        image: the image of a docker sandbox.
        mounts: folders that are seen inside, read-only, where they are.
        environment: variables that are set inside.
        memory: MiB that its processes may hold, together.
    """

    kind: SandboxName = "bubblewrap"
    image: str | None = None
    mounts: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    memory: Annotated[int, msgspec.Meta(ge=64)] = 4096

    def open(self) -> Sandbox:
        """Return the sandbox. Raises `CommandError` if it does not work on this machine."""
        return open_sandbox(self.kind, self.image)

    def limits(self, seconds: float) -> Limits:
        """Return the limits of something that may take so long."""
        return Limits(seconds=seconds, memory=self.memory * _MIB)

    def mounted(self) -> tuple[Mount, ...]:
        """Return the folders."""
        paths = [Path(path).resolve() for path in self.mounts]
        return tuple(Mount(path, str(path)) for path in paths)
