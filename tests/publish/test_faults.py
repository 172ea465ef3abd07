"""Kills, faults and rivals in the middle of publishing: ``main`` is always one whole release."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from tests.command import COMMAND, environment
from tests.publish.support import NAME, hub_environment, make_release, publish, shown, tags
from tests.servers.hub import Fault, Hub, Request

MOMENTS = 20


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "hub") as hub:
        yield hub


def start(hub: Hub, release: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, "publish", str(release), NAME, "--yes", "--quiet"],
        env={**environment(), **hub_environment(hub, release.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def version_shown(hub: Hub) -> str:
    """Return the version that ``main`` shows, having checked that it is whole."""
    files = shown(hub)
    manifest = orjson.loads(files["manifest.json"])
    shards = {shard["path"]: shard for shard in manifest["shards"]}
    assert {path for path in files if path.endswith(".parquet")} == set(shards)
    for path, shard in shards.items():
        assert f"oid sha256:{shard['sha256']}\nsize {shard['bytes']}\n".encode() in files[path]
        assert path in files["README.md"].decode()
    version: str = manifest["version"]
    assert f"## v{version}".encode() in files["CHANGELOG.md"]
    assert f"version {version};".encode() in files["README.md"]
    return version


def test_twenty_kills(hub: Hub, tmp_path: Path) -> None:
    assert publish(hub, make_release(tmp_path / "first", 1)).code == 0
    hub.forget()
    assert publish(hub, make_release(tmp_path / "second", 2)).code == 0
    usual = len(hub.requests)
    chance = random.Random(5)  # noqa: S311
    for moment in range(MOMENTS):
        release = make_release(tmp_path / f"release-{moment}", moment + 3)
        before = version_shown(hub)
        process = _killed_at(hub, release, chance.randrange(usual))
        assert process.returncode == -signal.SIGKILL
        hub.hook = None
        assert version_shown(hub) in (before, f"1.{moment + 2}.0")
        done = publish(hub, release)
        assert done.code == 0, done.stderr
        assert version_shown(hub) == done.summary["version"] == f"1.{moment + 2}.0"
        assert f"v1.{moment + 2}.0" in tags(hub)


def _killed_at(hub: Hub, release: Path, place: int) -> subprocess.Popen[bytes]:
    """Publish, and kill it when it asks for the ``place``-th time."""
    hub.forget()
    begun = threading.Event()
    process: list[subprocess.Popen[bytes]] = []

    def kill(request: Request) -> None:
        begun.wait()
        if len(hub.requests) >= place and process[0].poll() is None:
            os.killpg(process[0].pid, signal.SIGKILL)

    hub.hook = kill
    process.append(start(hub, release))
    begun.set()
    process[0].communicate(timeout=120)
    return process[0]


def _path(part: str) -> Callable[[Request], bool]:
    return lambda request: part in request.path


FAULTS = [
    Fault(_path("/revision/main"), status=503),
    Fault(_path("/revision/main"), status=429, retry_after=1),
    Fault(_path("/revision/main")),
    Fault(_path("/tree/"), status=500),
    Fault(_path("/tree/")),
    Fault(_path("/refs"), status=502),
    Fault(_path("/resolve/"), status=503),
    Fault(_path("/preupload/"), status=503, times=2),
    Fault(_path("/preupload/")),
    Fault(_path("/preupload/"), status=429, retry_after=1),
    Fault(_path("/objects/batch"), status=500),
    Fault(_path("/blobs/"), status=503),
    Fault(_path("/blobs/")),
    Fault(_path("/objects/verify"), status=500),
    Fault(_path("/commit/"), status=503),
    Fault(_path("/commit/"), status=429, retry_after=1),
    Fault(_path("/commit/")),
    Fault(_path("/commit/"), lost=True),
    Fault(_path("/tag/"), status=503),
    Fault(_path("/tag/"), lost=True),
    Fault(_path("/validate-yaml"), status=500),
]


def test_faults_pass_or_are_told_and_a_rerun_completes(hub: Hub, tmp_path: Path) -> None:
    assert publish(hub, make_release(tmp_path / "first", 1)).code == 0
    passed = 0
    for number, fault in enumerate(FAULTS):
        release = make_release(tmp_path / f"release-{number}", number + 2)
        before, after = version_shown(hub), f"1.{number + 1}.0"
        hub.plan(fault)
        done = publish(hub, release)
        assert version_shown(hub) in (before, after)
        assert done.code in (0, 3), done.stderr
        passed += done.code == 0
        if done.code:
            assert done.stderr.startswith("Error: ")
            assert publish(hub, release).code == 0
        assert version_shown(hub) == after
        assert tags(hub)[f"v{after}"] == hub.datasets[NAME].git.resolve("main")
        assert not hub.faults_left, f"{fault} was never met"
    assert passed == len(FAULTS), "each of these passes by itself"


def test_a_hub_that_stays_broken_is_told(hub: Hub, tmp_path: Path) -> None:
    assert publish(hub, make_release(tmp_path / "first", 1)).code == 0
    hub.plan(Fault(_path("/commit/"), status=503, times=100))
    done = publish(hub, make_release(tmp_path / "second", 2))
    assert done.code == 3
    assert "did not take the commit" in done.stderr
    assert version_shown(hub) == "1.0.0"


@pytest.mark.parametrize("fresh", [True, False], ids=["new repository", "second release"])
def test_of_two_publishers_at_once_one_wins_and_the_other_is_told(
    hub: Hub, tmp_path: Path, fresh: bool
) -> None:
    if not fresh:
        assert publish(hub, make_release(tmp_path / "first", 1)).code == 0
    meet = threading.Barrier(2, timeout=60)
    met: list[str] = []

    def wait(request: Request) -> None:
        # Both have looked, and sent their files, before either commits.
        if "/commit/main" in request.path and len(met) < 2:
            met.append(request.path)
            meet.wait()

    hub.hook = wait
    releases = [make_release(tmp_path / name, 3, word=name) for name in ("ada", "bob")]
    runs = [start(hub, release) for release in releases]
    ends = [run.communicate(timeout=120) for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 3]
    loser = next(place for place, run in enumerate(runs) if run.returncode)
    assert b"changed by somebody else" in ends[loser][1]
    version = version_shown(hub)
    assert tags(hub)[f"v{version}"] == hub.datasets[NAME].git.resolve("main")
