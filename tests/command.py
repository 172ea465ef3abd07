"""The command line as a process, the way people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "davinci_agency"]
CACHE = tempfile.TemporaryDirectory(prefix="davinci-agency-tests-")
"""What commands remember between runs; gone when the tests end."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished command left: exit code, and the two outputs as text."""

    code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The last line of ``--json``."""
        value: dict[str, Any] = json.loads(self.stdout.splitlines()[-1])
        return value


def environment() -> dict[str, str]:
    """Return an environment without tokens and without anybody's git configuration."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "HF_", "GITHUB_"))}
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "XDG_CACHE_HOME": CACHE.name,
    }


def davinci(
    *arguments: str | Path,
    cwd: Path | None = None,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run a command to its end; ``env`` is added to its environment."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**environment(), **(env or {})},
        check=False,
        timeout=300,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
