"""Real engines: two nodes of a Ray cluster, and datatrove's jobs on a stand-in for Slurm.

Slurm itself takes a cluster; its commands here (`slurm_stand_in`) run what is submitted as local
processes. Takes minutes and the network of a package registry: ``make test-all``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command import environment
from tests.matrix.slurm_stand_in import COMMANDS
from tests.matrix.test_clients import install
from tests.servers.ray_nodes import RayNodes

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parents[2]
COUNT, MANY = 40, 150
"""As in `engine_work`."""
SQUARES = [number * number for number in range(COUNT)]
ENGINES = ("ray", "slurm")


@dataclass(frozen=True)
class Place:
    """Where engines work: an environment with their packages, and what tells them of a cluster."""

    python: Path
    nodes: RayNodes
    variables: dict[str, str]

    def start(self, engine: str, kind: str, folder: Path) -> subprocess.Popen[str]:
        """Start some work of `engine_work`."""
        return subprocess.Popen(
            [self.python, "-m", "tests.matrix.engine_work", engine, kind, folder],
            env={**environment(), **self.variables},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def work(self, engine: str, kind: str, folder: Path) -> Any:
        """Do some work, and return what came of it; nothing else may be printed."""
        return finished(self.start(engine, kind, folder), folder)


def finished(work: subprocess.Popen[str], folder: Path) -> Any:
    out, complaints = work.communicate(timeout=300)
    assert work.returncode == 0, complaints
    left = list((folder / "scratch").iterdir()) if (folder / "scratch").exists() else []
    assert all(path.name.endswith("-logs") for path in left)
    return json.loads(out)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("engines")
    python = install(folder / "env", f"{ROOT}[ray,slurm]")
    slurm = folder / "slurm"
    slurm.mkdir()
    stand_in = Path(__file__).with_name("slurm_stand_in.py")
    for name in COMMANDS:
        script = slurm / name
        script.write_text(f"#!{python}\n{stand_in.read_text()}")
        script.chmod(0o700)
    with RayNodes(python) as nodes:
        nodes.add()
        variables = {
            "RAY_ADDRESS": nodes.address,
            "PATH": os.pathsep.join((str(slurm), os.environ["PATH"])),
            "PYTHONPATH": str(ROOT),
        }
        yield Place(python, nodes, variables)


@pytest.mark.parametrize("engine", ENGINES)
def test_results_come_in_order(engine: str, place: Place, tmp_path: Path) -> None:
    assert place.work(engine, "squares", tmp_path) == SQUARES


@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_that_is_killed_loses_nothing(engine: str, place: Place, tmp_path: Path) -> None:
    assert place.work(engine, "deadly", tmp_path) == {"found": SQUARES, "deaths": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_arrives_as_what_it_is(engine: str, place: Place, tmp_path: Path) -> None:
    assert place.work(engine, "raised", tmp_path) == ["ValueError", "five"]


@pytest.mark.parametrize("engine", ENGINES)
def test_who_wants_no_more_waits_for_little(engine: str, place: Place, tmp_path: Path) -> None:
    assert place.work(engine, "closed", tmp_path) == [0, 1, 4]
    begun = len(list(tmp_path.glob("item-*")))
    time.sleep(0.5)
    # What was ended before does not go on behind our back.
    assert len(list(tmp_path.glob("item-*"))) == begun < 100


def test_what_kills_every_worker_is_given_up_with_advice(place: Place, tmp_path: Path) -> None:
    assert "'ray status'" in place.work("ray", "hopeless", tmp_path)
    said = place.work("slurm", "hopeless", tmp_path)
    (logs,) = (tmp_path / "scratch").iterdir()
    assert f"{logs} has what they said" in said
    assert [path.name for path in sorted(logs.iterdir())] == ["1", "2", "3", "4"]
    assert any("Killed" in path.read_text() for path in logs.glob("4/slurm_logs/*.out"))


def test_a_node_that_is_killed_loses_nothing(place: Place, tmp_path: Path) -> None:
    third = place.nodes.add()
    work = place.start("ray", "marked", tmp_path)
    while len({path.name.split("-")[-1] for path in tmp_path.glob("item-*")}) < 3:
        assert work.poll() is None, work.communicate()[1]
        time.sleep(0.01)
    place.nodes.kill(third)
    assert work.poll() is None
    assert finished(work, tmp_path) == [number * number for number in range(MANY)]


def test_every_engine_builds_the_same_release(place: Place, tmp_path: Path) -> None:
    """Byte by byte, also where each piece of the work has lost a worker."""
    found = {
        (engine, kind): place.work(engine, kind, tmp_path)
        for engine, kind in [("local", "release"), *((name, "deadly-release") for name in ENGINES)]
    }
    first = found["local", "release"]["found"]
    assert {path.split("/")[0] for path in first} >= {"attempts", "single-pr", "tasks"}
    for (engine, kind), came in found.items():
        assert came["found"] == first, engine
        if kind == "deadly-release":
            assert came["deaths"] >= 3
        shutil.rmtree(tmp_path / f"{engine}-{kind}")
