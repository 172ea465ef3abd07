"""The real mini-swe-agent in a real sandbox, with a scripted model behind the gateway."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.collect import Budget, Go, Session, SessionLimits, Upstream, run_session
from davinci_agency.collect.scaffolds import SCAFFOLDS
from davinci_agency.sandbox import Limits, open_sandbox
from davinci_agency.trajectories import recognise
from tests.servers.llm import KEY, Answer, LanguageModel, calls

SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"

pytestmark = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")


class Run:
    """A worktree, and goes of the scaffold in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worktree = folder / "worktree"
        self.worktree.mkdir()
        (self.worktree / "code.py").write_text("a = 1\n")

    def go(
        self, model: LanguageModel, name: str = "go", limits: Any = None, **more: Any
    ) -> tuple[Go, Budget]:
        budget = Budget()
        session = Session(
            scaffold=SCAFFOLDS["mini-swe-agent"],
            sandbox=open_sandbox(),
            upstream=Upstream(model.url, "the-model", KEY, patience=0.01),
            budget=budget,
            limits=Limits(seconds=100),
            session_limits=limits or SessionLimits(),
        )
        return run_session(session, "Mend it.", self.worktree, self.folder / name, **more), budget


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def read(go: Go) -> Any:
    assert go.trajectory is not None, go.ended
    value = json.loads(go.trajectory.read_bytes())
    form = recognise(value, "document")
    assert form is not None
    return form.read(value)


def script(*commands: str) -> Sequence[Answer]:
    return [calls(command, number) for number, command in enumerate([*commands, SUBMIT])]


def test_an_agent_works_in_its_worktree_and_hands_in(run: Run) -> None:
    looks = (
        "env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; pwd; find /session"
    )
    with LanguageModel(script(looks, "echo 'b = 2' >> code.py")) as model:
        go, budget = run.go(model)
    said = read(go)
    assert (go.ended.reason, go.ended.status, go.limit) == ("exited", 0, None)
    assert (run.worktree / "code.py").read_text() == "a = 1\nb = 2\n"
    assert said.exit_status == "Submitted"
    assert (go.usage.steps, budget.spent.prompt_tokens) == (3, 300)
    seen = next(turn["content"] for turn in said.messages if turn["role"] == "tool")
    assert "/workspace" in seen
    # Neither the key nor this machine's folders are there to be seen.
    assert KEY not in go.trajectory.read_text() if go.trajectory else False
    assert str(run.folder) not in seen


def test_after_feedback_it_goes_on_where_it_was(run: Run) -> None:
    with LanguageModel(script("echo 'b = 3' >> code.py")) as model:
        first, _ = run.go(model)
    with LanguageModel(script("sed -i 's/b = 3/b = 2/' code.py")) as model:
        second, _ = run.go(model, "again", feedback="Not three.", earlier=first.trajectory)
    assert (run.worktree / "code.py").read_text() == "a = 1\nb = 2\n"
    said = read(second)
    before = read(first)
    assert said.messages[: len(before.messages)] == before.messages
    answer, feedback = said.messages[len(before.messages) : len(before.messages) + 2]
    assert (answer["role"], answer["tool_call_id"]) == ("tool", "call_1")
    assert (feedback["role"], feedback["content"]) == ("user", "Not three.")
    assert said.exit_status == "Submitted"
    # What it is told is what the model is asked with.
    assert [turn["role"] for turn in model.questions[0]["messages"]][-2:] == ["tool", "user"]


def test_a_limit_of_steps_ends_it(run: Run) -> None:
    with LanguageModel([calls("ls", 1)]) as model:
        go, _ = run.go(model, limits=SessionLimits(steps=3))
    assert read(go).exit_status == "LimitsExceeded"
    assert len(model.questions) == 3


def test_what_was_paid_before_a_kill_is_not_paid_again(run: Run) -> None:
    answers = script("date +%N", "echo 'b = 2' >> code.py", "cat code.py")
    with LanguageModel(answers) as model:
        go, _ = run.go(model, should_stop=lambda: len(model.questions) >= 3)
        assert go.ended.reason == "stopped"
        (run.worktree / "code.py").write_text("a = 1\n")
        paid = len(model.questions)
        go, budget = run.go(model)
    assert read(go).exit_status == "Submitted"
    assert (run.worktree / "code.py").read_text() == "a = 1\nb = 2\n"
    # At the kill one answer may have been on its way.
    assert len(model.questions) <= max(paid, 4) + 1
    assert budget.spent.steps <= len(model.questions)
