"""The example, run once for all tests of the whole line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import davinci
from tests.conftest import EXAMPLES


@dataclass(frozen=True, slots=True)
class Line:
    """A recipe with where its files are."""

    recipe: Path

    @property
    def work(self) -> Path:
        return self.recipe.parent / "work"

    @property
    def release(self) -> Path:
        return self.recipe.parent / "release"


def write_recipe(folder: Path, repository: Path, *, trajectories: Path, more: str = "") -> Line:
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "dataset.toml"
    recipe.write_text(
        f"""
[dataset]
name = "tallybook"
trajectories = ["{trajectories}"]

[[source]]
path = "{repository}"
repo = "example/tallybook"
license = "MIT"
{more}
"""
    )
    return Line(recipe)


@pytest.fixture(scope="session")
def line(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Line:
    """The example, run to its end with one worker."""
    folder = tmp_path_factory.mktemp("line")
    line = write_recipe(folder, repository, trajectories=EXAMPLES / "trajectories")
    result = davinci("run", line.recipe)
    assert result.code == 0, result.stderr
    return line
