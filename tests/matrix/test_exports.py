"""Exports, loaded by the programs that they are for, each in an environment of its own.

Takes minutes and the network of a package registry: ``make test-all``. slime is on none, so its
lines are read as it reads them, by `datasets`, and held against the release.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import davinci, environment
from tests.conftest import EXAMPLES
from tests.line.conftest import write_recipe
from tests.matrix.test_clients import install
from tests.samples import read_lines

pytestmark = pytest.mark.matrix

HERE = Path(__file__).parent
# A torchvision that is not its torch's own can't be imported.
LLAMA_FACTORY = ("torch==2.14.1", "torchvision==0.29.1", "llamafactory==0.9.5")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's release, whose chains agents worked through."""
    folder = tmp_path_factory.mktemp("example")
    script = EXAMPLES / "make_repository.py"
    subprocess.run([sys.executable, script, folder / "tallybook"], check=True, env=environment())
    more = 'host = "github.com"'
    trajectories = EXAMPLES / "trajectories"
    line = write_recipe(folder, folder / "tallybook", trajectories=trajectories, more=more)
    assert davinci("run", line.recipe).code == 0
    return line.release


def export(release: Path, folder: Path, form: str, *more: str) -> Path:
    out = folder / form
    done = davinci("export", release, "--format", form, "--out", out, *more)
    assert done.code == 0, done.stderr
    return out


def run(python: Path, script: Path | str, *arguments: str | Path, cwd: Path) -> list[Any]:
    done = subprocess.run(
        [python, *(["-c"] if isinstance(script, str) else []), script, *arguments],
        cwd=cwd,
        env={**environment(), "HF_HUB_OFFLINE": "1", "HF_HOME": str(cwd / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    # A program may print more than it is asked for, so what it is asked for is marked (RFC 7464).
    said = [line for line in done.stdout.split("\n") if line.startswith("\x1e")]
    return [json.loads(line[1:]) for line in said]


def test_llama_factory_trains_on_every_word_of_the_assistant(release: Path, tmp_path: Path) -> None:
    python = install(tmp_path / "env", *LLAMA_FACTORY)
    folder = export(release, tmp_path, "sharegpt")
    (row,) = read_lines(export(release, tmp_path, "slime") / "semantic-chain" / "train.jsonl")
    spoken = [turn for turn in row["messages"] if turn["role"] == "assistant"]
    asked = [turn for turn in row["messages"] if turn["role"] in ("user", "system")]
    for template in ("qwen3", "glm4_moe"):
        script = HERE / "export_llama_factory.py"
        name = "tallybook_semantic-chain_train"
        said = run(python, script, folder, name, template, cwd=tmp_path)
        (trained,) = said
        for turn in spoken:
            assert turn["content"] in trained["trained"]
        for turn in asked:
            assert turn["content"] in trained["text"]
            assert turn["content"] not in trained["trained"]
        assert trained["trained"].count("<tool_call>") == sum(
            len(turn.get("tool_calls", ())) for turn in spoken
        )


def test_swe_bench_loads_the_instances(release: Path, tmp_path: Path) -> None:
    python = install(tmp_path / "env", "swebench")
    path = export(release, tmp_path, "swe-bench") / "tasks" / "train.jsonl"
    script = (
        "import json, sys\n"
        "from swebench.harness.utils import load_swebench_dataset\n"
        "for row in load_swebench_dataset(sys.argv[1]):\n"
        "    failing = json.loads(row['FAIL_TO_PASS'])\n"
        "    print('\\x1e' + json.dumps([row['instance_id'], row['repo'], failing]))"
    )
    loaded = run(python, script, path, cwd=tmp_path)
    assert loaded == [[row["instance_id"], row["repo"], []] for row in read_lines(path)]
    assert len(loaded) > 10


def test_harbor_takes_the_tasks(release: Path, tmp_path: Path) -> None:
    pins = ("pydantic", "toml", "pathspec", "typing_extensions", "pyyaml")
    python = install(tmp_path / "env", *pins)
    pip = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--ignore-requires-python"]
    subprocess.run([*pip, "harbor==0.26.0"], check=True)
    options = ("--image", "python:3.12", "--test-command", "python -m unittest {tests}")
    folder = export(release, tmp_path, "harbor", *options)
    tasks = run(python, HERE / "export_harbor.py", folder, cwd=tmp_path)
    assert len(tasks) == len([place for place in folder.iterdir() if place.is_dir()])
    for name, instruction, has_steps, is_valid in tasks:
        assert instruction == (folder / name / "instruction.md").read_text()
        assert (has_steps, is_valid) == (False, True)


def test_slime_s_lines_are_the_release_s_rows(release: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    folder = export(release, tmp_path, "slime")
    for config in ("single-pr", "temporal-chain", "semantic-chain"):
        rows = load_dataset(str(release), config, split="train", cache_dir=str(tmp_path / "cache"))
        lines = read_lines(folder / config / "train.jsonl")
        assert [line["messages"] for line in lines] == list(rows["messages"])
        assert [line["tools"] for line in lines] == list(rows["tools"])
