"""A published release, trained on with TRL in an environment of its own.

Takes minutes and the network of a package registry: ``make test-all``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import davinci, environment
from tests.conftest import EXAMPLES
from tests.line.conftest import write_recipe
from tests.matrix.test_clients import install
from tests.publish.support import NAME, hub_environment, publish
from tests.servers.hub import Hub

pytestmark = pytest.mark.matrix

# By this number pip takes a build for CPUs alone (2.13.0+cpu) where its configuration names one;
# elsewhere on Linux CUDA's libraries come along, several GB.
PACKAGES = ("torch==2.13.0", "trl>=1.16,<2", "datasets>=4.7,<6")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with TRL."""
    return install(tmp_path_factory.mktemp("trl") / "env", *PACKAGES)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A Hub with the example's release, whose semantic chain an agent worked through."""
    folder = tmp_path_factory.mktemp("example")
    script = EXAMPLES / "make_repository.py"
    subprocess.run([sys.executable, script, folder / "tallybook"], check=True, env=environment())
    line = write_recipe(folder, folder / "tallybook", trajectories=EXAMPLES / "trajectories")
    assert davinci("run", line.recipe).code == 0
    with Hub(folder / "hub") as hub:
        done = publish(hub, line.release)
        assert done.code == 0, done.stderr
        yield hub


@pytest.mark.parametrize("template", ["glm", "qwen3"])
def test_trl_trains_on_what_the_assistant_said(
    template: str, python: Path, hub: Hub, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("train.py")
    done = subprocess.run(
        [str(python), str(script), NAME, template],
        cwd=tmp_path,
        env={**environment(), **hub_environment(hub, tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["losses"]) == 2
    assert 0 < found["trained"] < found["tokens"]
    assert "<tool_call>" in found["text"]
