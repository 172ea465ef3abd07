"""A published release, loaded by old and new clients, each in an environment of its own.

Takes minutes and the network of a package registry: ``make test-all``.
"""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from davinci_agency.export import export_release
from tests.command import environment
from tests.publish.support import NAME, hub_environment, make_release, publish
from tests.servers.hub import Hub

pytestmark = pytest.mark.matrix

CONFIGS = ("single-pr", "tasks", "attempts", "pull-requests")
WITHOUT_JSON = ("datasets==3.6.0", "datasets==4.0.0", "datasets>=5,<6")
DATASETS = ("datasets==2.21.0", "datasets==3.6.0", "datasets==4.7.0", "datasets>=4.7,<5",
            "datasets>=5,<6")  # fmt: skip
FRAMES = {
    "pandas": "import pandas; print(sum(len(pandas.read_parquet(p)) for p in paths))",
    "polars": "import polars; print(sum(len(polars.read_parquet(p)) for p in paths))",
    "duckdb": "import duckdb; print(sum(duckdb.read_parquet(p).shape[0] for p in paths))",
}


def install(folder: Path, *packages: str) -> Path:
    """Make an environment with some packages, and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    command = [str(python), "-m", "pip", "install", "--quiet", *packages]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return python


def test_every_client_gets_the_same_rows(tmp_path: Path) -> None:
    release = make_release(tmp_path / "one", 5)
    with Hub(tmp_path / "hub") as hub:
        assert publish(hub, release).code == 0
        check_same_rows(NAME, DATASETS, hub, tmp_path)


def test_clients_that_know_no_json_get_the_same_rows_from_an_export(tmp_path: Path) -> None:
    release = make_release(tmp_path / "one", 5)
    export_release(release, tmp_path / "portable")
    with Hub(tmp_path / "hub") as hub:
        check_same_rows(str(tmp_path / "portable"), WITHOUT_JSON, hub, tmp_path)


def check_same_rows(name: str, clients: Sequence[str], hub: Hub, folder: Path) -> None:
    """Load every config with every client, and fail if one gets other rows than the rest."""
    digests = {}
    for number, package in enumerate(clients):
        python = install(folder / f"env-{number}", package)
        script = Path(__file__).with_name("load.py")
        done = subprocess.run(
            [str(python), str(script), name, *CONFIGS],
            env={**environment(), **hub_environment(hub, folder / f"home-{number}")},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{package}: {done.stderr}"
        digests[package] = json.loads(done.stdout.splitlines()[-1])
    assert len({json.dumps(each) for each in digests.values()}) == 1, digests


@pytest.mark.parametrize("package", list(FRAMES))
def test_the_files_are_read_as_they_are(package: str, tmp_path: Path) -> None:
    release = make_release(tmp_path / "one", 5)
    python = install(tmp_path / "env", package, "pyarrow")
    paths = [str(path) for path in sorted(release.glob("*/*.parquet"))]
    done = subprocess.run(
        [str(python), "-c", f"paths = {paths!r}; {FRAMES[package]}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert int(done.stdout) == 5 + 5 + 5 + 1
