"""Attempts that were made elsewhere: judged by their tasks, or set aside with the reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command import Result, davinci
from tests.mined import make_tasks
from tests.samples import attempt, read_lines, task, write_lines
from tests.servers.llm import KEY, Answer, LanguageModel, Refusal

PATCH = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"
NEW_FILE = (
    "diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n"
    "@@ -0,0 +1 @@\n+b\n"
)
UNSAID: dict[str, Any] = {"exit_status": None, "score": None, "start_tree": None, "rounds": []}

Judged = Callable[..., tuple[Result, list[Any], list[str]]]


def part(start: int, end: int, patch: str) -> dict[str, Any]:
    return {**UNSAID, "message_start": start, "message_end": end, "model_patch": patch}


def verdict(score: float) -> str:
    return json.dumps({"score": score, "comment": f"So good: {score}."})


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    def judged(
        attempts: list[Any], answers: list[Answer], *more: str | Path, stages: int = 1
    ) -> tuple[Result, list[Any], list[str]]:
        kind = "single-pr" if stages == 1 else "semantic-chain"
        tasks = write_lines(tmp_path / "tasks.jsonl", [task("task-1", stages, kind)])
        made, out = write_lines(tmp_path / "attempts.jsonl", attempts), tmp_path / "judged.jsonl"
        with LanguageModel(answers) as model:
            done = davinci(
                "judge", made, "--tasks", tasks, "--out", out, "--llm", model.url, "--model", "m",
                "--rubric", "gair-v1", "--json", *more,
                env={"JUDGE_API_KEY": KEY, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            )  # fmt: skip
        lines = read_lines(out) if out.exists() else []
        notes = [note["reason"] for note in read_lines(tmp_path / "judged.quarantine.jsonl")]
        return done, lines, notes

    return judged


def test_an_attempt_gets_a_new_verdict_and_keeps_its_name(judged: Judged) -> None:
    given = attempt("attempt-1", "task-1", stages=[part(0, 2, PATCH)], model_patch=PATCH)
    done, (said,), _ = judged([given], [verdict(0.4)])
    assert done.code == 0
    assert said["attempt_id"] == "attempt-1"
    assert (said["score"], said["stages"][0]["score"]) == (0.4, 0.4)
    assert said["judge"] == {"name": "m, gair-v1", "rationale": "So good: 0.4."}
    assert said["messages"] == given["messages"]


def test_a_chain_is_as_good_as_its_worst_stage(judged: Judged) -> None:
    said = [{"role": role, "content": "So."} for role in ("user", "assistant") * 2]
    parts = [part(0, 2, PATCH), part(2, 4, PATCH.replace("+b", "+c"))]
    given = attempt("attempt-1", "task-1", stages=parts, model_patch=PATCH, messages=said)
    _, (made,), _ = judged([given], [verdict(0.9), verdict(0.5)], stages=2)
    assert made["score"] == 0.5
    assert [stage["score"] for stage in made["stages"]] == [0.9, 0.5]
    assert made["judge"]["rationale"] == "Stage 1: So good: 0.9.\nStage 2: So good: 0.5."


@pytest.mark.parametrize(
    ("parts", "stages", "answer", "reason"),
    [
        ([part(0, 2, PATCH)], 1, Refusal(401), "nobody could judge it"),
        ([part(0, 1, ""), part(1, 2, PATCH)], 2, verdict(1), "what was changed at which stage"),
        ([part(0, 1, PATCH), part(1, 2, PATCH)], 1, verdict(1), "more stages than its task"),
    ],
)
def test_what_nobody_can_judge_is_set_aside_and_gets_no_score(
    parts: list[Any], stages: int, answer: Answer, reason: str, judged: Judged
) -> None:
    given = attempt("attempt-1", "task-1", stages=parts, model_patch=PATCH)
    done, made, (note,) = judged([given], [answer], stages=stages)
    assert done.code == 1
    assert not made
    assert reason in note


def test_an_attempt_at_nothing_known_is_set_aside(judged: Judged) -> None:
    strange = attempt("attempt-2", "task-9", stages=[part(0, 2, PATCH)])
    good = attempt("attempt-1", "task-1", stages=[part(0, 2, PATCH)], model_patch=PATCH)
    done, made, notes = judged([strange, good], [verdict(1.0)])
    assert done.code == 0
    assert len(made) == 1
    assert notes == ["its task task-9 is not there"]


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")
def test_where_there_is_a_clone_the_tests_are_run(repository: Path, tmp_path: Path) -> None:
    tasks = make_tasks(repository, tmp_path, "semantic-chain")
    chain = next(each for each in read_lines(tasks) if len(each["stages"]) == 3)
    said = [{"role": role, "content": "So."} for role in ("user", "assistant") * 3]
    true = [stage["patch"] + stage["test_patch"] for stage in chain["stages"]]
    # The second stage does nothing that its tests ask for.
    patches = {
        "right": true,
        "wrong": [true[0], NEW_FILE, true[2]],
        "strange": [true[0], PATCH, true[2]],
    }
    given = [
        attempt(
            name, chain["task_id"], messages=said, model_patch=made[-1], resolved=None,
            stages=[part(2 * n, 2 * n + 2, patch) for n, patch in enumerate(made)],
        )
        for name, made in patches.items()
    ]  # fmt: skip
    attempts, out = write_lines(tmp_path / "attempts.jsonl", given), tmp_path / "judged.jsonl"
    with LanguageModel([verdict(0.9)]) as model:
        done = davinci(
            "judge", attempts, "--tasks", tasks, "--out", out, "--llm", model.url, "--model", "m",
            "--rubric", "gair-v1", "--clone", f"example/tallybook={repository}", "--test-command",
            "python3 -m unittest {tests}", env={"JUDGE_API_KEY": KEY},
        )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "1 attempts are accepted" in done.stderr
    judged = {each["attempt_id"]: each for each in read_lines(out)}
    assert (judged["right"]["resolved"], judged["wrong"]["resolved"]) == (True, False)
    strange = [stage["score"] for stage in judged["strange"]["stages"]]
    assert strange == [0.9, 0.0, 0.9]
    assert "gate does-not-apply" in judged["strange"]["judge"]["name"]
