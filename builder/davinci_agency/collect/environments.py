"""Environments of their own for scaffolds, made on first use.

Scaffolds pin what this program must not have pinned, so each gets a virtual environment in the
user's cache, named by what is in it. It appears by one rename when it is complete: two that make it
at once don't disturb each other, and one that was killed leaves nothing that looks whole.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from davinci_agency.errors import RemoteError
from davinci_agency.ids import content_digest
from davinci_agency.progress import SILENT, Progress


def environments_folder() -> Path:
    """Return where environments are kept: ``DAVINCI_AGENCY_SCAFFOLDS``, or the user's cache."""
    chosen = os.environ.get("DAVINCI_AGENCY_SCAFFOLDS")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(cache) / "davinci-agency" / "scaffolds"


def ready_environment(
    name: str, pins: Sequence[str], folder: Path | None = None, progress: Progress = SILENT
) -> Path:
    """Return the folder of an environment that holds some packages; make it if it is not there.

    Raises `RemoteError` if pip can't install them.
    """
    folder = folder or environments_folder()
    made = folder / f"{name}-{content_digest([sys.version, *pins])[:12]}"
    if made.is_dir():
        return made
    progress.start(f"install {name}", None)
    folder.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
    try:
        # Nothing in it is run before the rename, so that no file names where it was made.
        _run([sys.executable, "-m", "venv", "--without-pip", str(making)], name)
        site = next((making / "lib").iterdir()) / "site-packages"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if pins:
            _run([*pip, "--no-input", "--target", str(site), *pins], name)
        try:
            making.rename(made)
        except OSError:
            # Somebody else was first, with the same.
            if not made.is_dir():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return made


def python_of(environment: Path) -> Path:
    """Return an environment's Python."""
    return environment / "bin" / "python"


def interpreter_folder() -> Path:
    """Return where the Python is that environments are made with: it must be seen inside, too."""
    return Path(sys.base_prefix)


def _run(command: Sequence[str], name: str) -> None:
    ran = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().splitlines()
        raise RemoteError(
            f"The environment of {name} can't be made: {' '.join(said[-2:])[:600]} Is the package "
            "index reached?"
        )
