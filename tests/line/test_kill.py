"""``kill -9`` in the middle of each stage, a rerun, and the same bytes as if nothing had been."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.command import COMMAND, davinci, environment, tree
from tests.line.conftest import Line, write_recipe

_PULLS = 1_200
_PARTIALS = {
    "mine": ("work", ".pulls.example__tallybook.jsonl.partial"),
    "chain": ("work", ".chains.jsonl.partial"),
    "query": ("work", ".tasks.jsonl.partial"),
    "ingest": ("work", ".attempts.jsonl.partial"),
    "build": ("", ".release.partial"),
}
_OUTPUTS = {
    "mine": "work/pulls.example__tallybook.jsonl",
    "chain": "work/chains.jsonl",
    "query": "work/tasks.jsonl",
    "ingest": "work/attempts.jsonl",
    "build": "release",
}


def _large_repository(folder: Path) -> None:
    """Make a repository of many squashed pull requests, large enough that stages take a while."""
    stream = []
    for number in range(1, _PULLS + 1):
        module = number % 40
        text = "".join(f"value_{line} = {number * line % 97}\n" for line in range(60))
        message = f"Round the values of report {number} the other way (#{number})\n"
        if number > 50:
            message += f"\nFollow-up to #{number - 40}: what it did was not enough.\n"
        person, when = f"Author{number % 7}", 1_600_000_000 + number * 60
        author = f"{person} <{person}@example.org> {when} +0000"
        stream.append(
            f"commit refs/heads/main\nauthor {author}\ncommitter {author}\n"
            f"data {len(message)}\n{message}"
            f"M 100644 inline src/module_{module}.py\ndata {len(text)}\n{text}\n"
        )
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder], check=True)
    subprocess.run(
        ["git", "--git-dir", folder, "fast-import", "--quiet"],
        input="".join(stream).encode(),
        check=True,
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """A larger line, with a trajectory for every task of several pull requests; run to its end."""
    folder = tmp_path_factory.mktemp("large")
    _large_repository(folder / "repository")
    line = write_recipe(
        folder / "line",
        folder / "repository",
        trajectories=folder / "trajectories",
    )
    (folder / "trajectories").mkdir()
    assert davinci("run", line.recipe).code == 0
    with (folder / "trajectories" / "runs.jsonl").open("w") as file:
        for text in (line.work / "tasks.jsonl").read_text().splitlines():
            task = json.loads(text)
            messages = [
                turn
                for stage in task["stages"]
                for turn in (
                    {"role": "user", "content": stage["query"]},
                    {"role": "assistant", "content": "I did it. " * 400},
                )
            ]
            run = {"task_id": task["task_id"], "messages": messages, "score": 1, "judge": "me"}
            file.write(json.dumps(run) + "\n")
    result = davinci("run", line.recipe)
    assert result.code == 0, result.stderr
    return line


@pytest.mark.parametrize("stage", list(_PARTIALS))
def test_a_run_killed_in_a_stage_resumes_to_the_same_bytes(
    stage: str, large: Line, tmp_path: Path
) -> None:
    copy = Line(tmp_path / "line" / "dataset.toml")
    shutil.copytree(large.recipe.parent, copy.recipe.parent)
    output = copy.recipe.parent / _OUTPUTS[stage]
    for stale in (output, copy.work / f".{output.name}.stamp"):
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    folder, partial = _PARTIALS[stage]
    killed = _kill_when_there(copy, copy.recipe.parent / folder / partial)
    assert killed, "the run was over before it could be killed"
    assert not output.exists(), "something half-made stood in the output's place"
    result = davinci("run", copy.recipe)
    assert result.code == 0, result.stderr
    assert tree(copy.release) == tree(large.release)
    leftovers = [path for path in copy.recipe.parent.rglob(".*") if "stamp" not in path.name]
    assert leftovers == []


def _kill_when_there(line: Line, partial: Path) -> bool:
    """Start a run, kill it as soon as a file of it is there, and tell whether it was killed."""
    process = subprocess.Popen(
        [*COMMAND, "run", str(line.recipe)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and not _has_begun(partial) and time.monotonic() < deadline:
        time.sleep(0.001)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def _has_begun(partial: Path) -> bool:
    if partial.is_dir():
        return any(partial.rglob("*.parquet"))
    return partial.exists()
