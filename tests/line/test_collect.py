"""From tasks to a sample: real agents in real sandboxes, sent back, carried on, killed and resumed.

Only the models are scripted.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command import COMMAND, davinci, environment
from tests.conftest import EXAMPLES
from tests.line.conftest import write_recipe
from tests.mined import make_tasks
from tests.samples import read_lines, write_lines
from tests.servers.llm import KEY, Answer, LanguageModel, calls

pytestmark = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")

SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
COMMENT = "Nothing prints the months yet."


@dataclass(frozen=True, slots=True)
class Work:
    """The example's repository, and its chain of three pull requests as a task."""

    repository: Path
    folder: Path
    task: Any

    @property
    def tasks(self) -> Path:
        return self.folder / "task.jsonl"


@pytest.fixture(scope="module")
def work(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Work:
    folder = tmp_path_factory.mktemp("collect")
    tasks = make_tasks(repository, folder, "semantic-chain")
    task = next(task for task in read_lines(tasks) if len(task["stages"]) == 3)
    write_lines(folder / "task.jsonl", [task])
    return Work(repository, folder, task)


def does(stage: Any) -> str:
    """Return the command that does what a pull request did."""
    patch = base64.b64encode((stage["patch"] + stage["test_patch"]).encode()).decode()
    return f"echo {patch} | base64 -d | git apply"


def script(*commands: str) -> list[Answer]:
    return [calls(command, number) for number, command in enumerate(commands)]


def verdict(score: float) -> str:
    names = ("completeness", "correctness", "scope", "tests", "regressions")
    parts: dict[str, Any] = {name: {"score": score, "why": "So."} for name in names}
    return json.dumps({**parts, "blocking": [], "comment": COMMENT})


def agent_of(work: Work) -> list[Answer]:
    first, second, third = work.task["stages"]
    return script(
        "echo wrong > wrong.txt", SUBMIT, f"rm wrong.txt; {does(first)}", SUBMIT,
        does(second), SUBMIT, does(third), SUBMIT,
    )  # fmt: skip


def command_of(work: Work, out: Path, agent: LanguageModel, judge: LanguageModel) -> list[Any]:
    return [
        "collect", work.tasks, "--out", out, "--clone", f"example/tallybook={work.repository}",
        "--llm", agent.url, "--model", "scripted", "--judge-llm", judge.url,
        "--judge-model", "strict", "--price", "1", "2", "--max-seconds", "120",
        "--test-command", "python3 -m unittest {tests}",
    ]  # fmt: skip


def collect(arguments: Sequence[Any], cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=variables(cache),
        capture_output=True,
        text=True,
        check=False,
    )


def variables(cache: Path) -> dict[str, str]:
    # The scaffold's environment is kept; the judge's answers are not shared by tests.
    kept = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    scaffolds = f"{kept}/davinci-agency/scaffolds"
    return {
        **environment(),
        "OPENAI_API_KEY": KEY,
        "JUDGE_API_KEY": KEY,
        "XDG_CACHE_HOME": str(cache),
        "DAVINCI_AGENCY_SCAFFOLDS": scaffolds,
    }


def test_a_chain_is_worked_on_to_the_end_and_becomes_a_sample(work: Work, tmp_path: Path) -> None:
    out = tmp_path / "attempts.jsonl"
    with (
        LanguageModel(agent_of(work)) as agent,
        LanguageModel([verdict(0.3), verdict(0.9)]) as judge,
    ):
        arguments = command_of(work, out, agent, judge)
        done = collect(arguments, tmp_path / "cache")
        assert done.returncode == 0, done.stderr
        asked = len(agent.questions), len(judge.questions)
        before = out.read_bytes()
        # Again nothing is done, nothing paid, and the same comes out.
        assert collect(arguments, tmp_path / "cache").returncode == 0
        assert (len(agent.questions), len(judge.questions)) == asked == (8, 4)
        assert out.read_bytes() == before
    (attempt,) = read_lines(out)
    assert [len(stage["rounds"]) for stage in attempt["stages"]] == [2, 1, 1]
    rejected, accepted = attempt["stages"][0]["rounds"]
    told = f"The tests that check what was asked for do not pass on this work.\n{COMMENT}"
    assert (rejected["score"], rejected["feedback"], rejected["mode"]) == (0.3, told, "first")
    assert (rejected["execution"], accepted["execution"]) == ("failed", "passed")
    assert (accepted["score"], accepted["feedback"], accepted["mode"]) == (0.9, None, "continue")
    assert "wrong.txt" in rejected["model_patch"]
    assert "wrong.txt" not in accepted["model_patch"]
    assert attempt["resolved"] is True
    assert {"role": "user", "content": told} in attempt["messages"]
    assert (attempt["score"], attempt["refinements"], attempt["model"]) == (0.9, 1, "scripted")
    assert attempt["tokenizer"] == "o200k_base"
    # Each stage began where the agent had left the one before it.
    starts = [stage["start_tree"] for stage in attempt["stages"]]
    assert len(set(starts)) == 3
    assert KEY not in out.read_text() + done.stdout + done.stderr
    release = tmp_path / "release"
    pulls = work.folder / "pulls.jsonl"
    built = davinci(
        "build", "--pulls", pulls, "--tasks", work.tasks, "--attempts", out, "--out", release
    )  # fmt: skip
    assert built.code == 0, built.stderr
    assert davinci("validate", release).code == 0
    from datasets import load_dataset

    (row,) = load_dataset(str(release), "semantic-chain", split="train")
    assert [stage["number"] for stage in row["stages"]] == [8, 15, 22]
    assert row["messages"][-1]["role"] == "assistant"


def test_ten_kills_lose_nothing_and_pay_for_nothing_twice(work: Work, tmp_path: Path) -> None:
    out = tmp_path / "attempts.jsonl"
    kills = 0
    with (
        LanguageModel(lambda question: _next(work, question)) as agent,
        LanguageModel([verdict(0.9)]) as judge,
    ):
        arguments = command_of(work, out, agent, judge)
        for number, wait in enumerate((1.0, 0.0, 2.0, 0.3, 1.5, 0.1, 0.5, 0.02, 2.5, 0.2)):
            before = len(agent.questions)
            process = subprocess.Popen(
                [*COMMAND, *map(str, arguments)],
                env=variables(tmp_path / "cache"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # Every second time it comes a little further, wherever it is then.
            while number % 2 and process.poll() is None and len(agent.questions) == before:
                time.sleep(0.01)
            time.sleep(wait)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
        done = collect(arguments, tmp_path / "cache")
        assert done.returncode == 0, done.stderr
    assert kills >= 8
    (attempt,) = read_lines(out)
    assert [stage["score"] for stage in attempt["stages"]] == [0.9, 0.9, 0.9]
    # Six answers are needed; at each kill one may have been on its way.
    assert 6 <= len(agent.questions) <= 6 + kills
    assert sum(stage["rounds"][0]["steps"] for stage in attempt["stages"]) == 6


def test_somebody_who_stops_it_need_not_wait(work: Work, tmp_path: Path) -> None:
    tasks = write_lines(tmp_path / "tasks.jsonl", [{**work.task, "task_id": n} for n in ("a", "b")])
    sleeps = [calls("sleep 25", 1)]
    with LanguageModel(sleeps) as agent, LanguageModel([verdict(0.9)]) as judge:
        arguments = command_of(work, tmp_path / "attempts.jsonl", agent, judge)
        arguments[1] = tasks
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments), "--workers", "2"],
            env=variables(tmp_path / "cache"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        while len(agent.questions) < 2:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 130
        process.communicate()


def _next(work: Work, question: dict[str, Any]) -> Answer:
    """Answer as an agent would: do what the stage asks for, then hand in."""
    asked = question["messages"][1]["content"]
    stage = next(stage for stage in work.task["stages"][::-1] if stage["query"] in asked)
    has_done = any(turn["role"] == "tool" for turn in question["messages"])
    # Its own work is nowhere but in what it hands in.
    work_on = f"{does(stage)}; echo mine >> mine.txt"
    return calls(SUBMIT if has_done else work_on, len(question["messages"]))


def test_a_recipe_collects_too_and_its_second_run_asks_nothing(
    repository: Path, tmp_path: Path
) -> None:
    def acts(question: dict[str, Any]) -> Answer:
        has_done = any(turn["role"] == "tool" for turn in question["messages"])
        work_on = "date +%N > made.txt"
        return calls(SUBMIT if has_done else work_on, len(question["messages"]))

    with LanguageModel(acts) as agent, LanguageModel([verdict(0.9)]) as judge:
        more = f"""
[chain]
kinds = ["semantic-chain"]
budget = 1
[collect]
llm = "{agent.url}"
model = "scripted"
refinements = 0
max_seconds = 120
[judge]
llm = "{judge.url}"
model = "strict"
[sandbox]
environment = {{ LANG = "C.UTF-8" }}
"""
        line = write_recipe(tmp_path, repository, trajectories=EXAMPLES / "history", more=more)
        done = collect(["run", line.recipe], tmp_path / "cache")
        assert done.returncode == 0, done.stderr
        asked = len(agent.questions), len(judge.questions)
        assert asked[0] == 2 * asked[1] >= 4
        again = collect(["run", line.recipe], tmp_path / "cache")
        assert again.returncode == 0, again.stderr
        assert (len(agent.questions), len(judge.questions)) == asked
    assert "up to date" in next(
        line for line in again.stderr.splitlines() if line.startswith("build")
    )
    (attempt,) = read_lines(line.work / "collected.jsonl")
    assert attempt["score"] == 0.9
    assert "semantic-chain 1" in done.stderr
