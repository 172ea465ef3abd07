"""What this machine has of what the project needs, and what to do where something lacks."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from davinci_agency.errors import SchemaError
from davinci_agency.sandbox.bubblewrap import find_bubblewrap
from davinci_agency.schema import RECORDS, load_schema, versions
from davinci_agency.schema.arrow import arrow_schema
from davinci_agency.shipped import shipped
from davinci_agency.version import __version__

_PACKAGES = ("datasets", "huggingface-hub", "pyarrow", "GitPython", "PyGithub", "jsonschema-rs")
_OLDEST_GIT = (2, 31)
_LITTLE_SPACE = 5 << 30
_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")

State = Literal["ok", "missing", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``advice`` says what to do where it is not ok.

    ``missing`` is something that only some commands need; ``bad`` keeps all from working.
    """

    what: str
    state: State
    found: str
    advice: str = ""


def examine(place: Path) -> Iterator[Finding]:
    """Yield what was found, for work in the folder ``place``. No token is ever shown."""
    yield Finding("davinci-agency", "ok", __version__)
    yield Finding("python", "ok", platform.python_version())
    for package in _PACKAGES:
        yield _package(package)
    yield _git()
    yield _schemas()
    yield _disk(place)
    yield _sandbox()
    yield _hub_token()
    yield _github_token()


def _sandbox() -> Finding:
    if find_bubblewrap() is not None:
        return Finding("bubblewrap", "ok", "works")
    there = shutil.which("bwrap") is not None
    found = "may make no namespaces here" if there else "not installed"
    advice = "collect shuts agents in with it: apt-get install bubblewrap (0.8 or newer)"
    return Finding("bubblewrap", "missing", found, advice)


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "bad", "not installed", "pip install davinci-agency")


def _git() -> Finding:
    path = shutil.which("git")
    if path is None:
        return Finding("git", "bad", "not found", "install git")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    number = said.removeprefix("git version ").split()[0] if said.strip() else "unknown"
    parts = tuple(int(part) for part in number.split(".")[:2] if part.isdigit())
    if parts < _OLDEST_GIT:
        oldest = ".".join(map(str, _OLDEST_GIT))
        return Finding("git", "bad", number, f"install git {oldest} or newer")
    return Finding("git", "ok", number)


def _schemas() -> Finding:
    try:
        for release in versions():
            for record in RECORDS:
                arrow_schema(load_schema(record, release))
    except (OSError, SchemaError) as error:
        return Finding("schemas", "bad", str(error), "install davinci-agency again")
    return Finding("schemas", "ok", f"{', '.join(versions())} in {shipped('schemas')}")


def _disk(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    said = f"{free / 1e9:.1f} GB free in {place.resolve()}"
    if free < _LITTLE_SPACE:
        return Finding("disk", "missing", said, "a large repository takes some 5 GB; free some")
    return Finding("disk", "ok", said)


def _hub_token() -> Finding:
    from huggingface_hub import get_token

    if get_token():
        return Finding("Hub token", "ok", "there (not shown)")
    return Finding("Hub token", "missing", "none", "to publish: hf auth login, or set HF_TOKEN")


def _github_token() -> Finding:
    for name in _TOKENS:
        if os.environ.get(name):
            return Finding("GitHub token", "ok", f"{name} is set (not shown)")
    return Finding(
        "GitHub token", "missing", "none", "not needed to mine from git; set GITHUB_TOKEN for more"
    )
