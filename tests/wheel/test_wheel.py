"""The wheel carries everything: the whole line runs from it, with no checkout in sight."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.command import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), wheel], check=True)
    names = zipfile.ZipFile(wheel).namelist()
    for shipped in ("schemas/1.0.0/task.schema.json", "dataset_card/card.md.j2",
                    "loading_script/davinci_agency_dataset.py"):  # fmt: skip
        assert f"davinci_agency/shipped/{shipped}" in names
    return target


@pytest.mark.wheel
def test_the_example_runs_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    run = {"env": environment() | {"PYTHONPATH": str(installed)}, "cwd": tmp_path, "check": True}
    where = "import davinci_agency; print(davinci_agency.__file__)"
    found = subprocess.run([sys.executable, "-c", where], capture_output=True, text=True, **run)  # type: ignore[call-overload]
    assert found.stdout.startswith(str(installed))
    script = ROOT / "examples" / "make_repository.py"
    subprocess.run([sys.executable, script, "tallybook"], **run)  # type: ignore[call-overload]
    (tmp_path / "dataset.toml").write_text(
        f"""
[dataset]
name = "tallybook"
trajectories = ["{ROOT / "examples" / "trajectories"}"]

[[source]]
path = "tallybook"
repo = "example/tallybook"
"""
    )
    command = [sys.executable, "-m", "davinci_agency"]
    subprocess.run([*command, "run", "dataset.toml"], **run)  # type: ignore[call-overload]
    subprocess.run([*command, "validate", "release"], **run)  # type: ignore[call-overload]
