"""The example's repository, for all tests that want a real history."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import environment

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's repository."""
    folder = tmp_path_factory.mktemp("example") / "tallybook"
    script = EXAMPLES / "make_repository.py"
    subprocess.run([sys.executable, script, folder], check=True, env=environment())
    return folder
