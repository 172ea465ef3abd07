"""SII-CLI's real SDK in a real sandbox; its bridge and its model are stand-ins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.collect import Go, Session, SessionLimits, Upstream, run_session
from davinci_agency.collect.scaffolds import SCAFFOLDS
from davinci_agency.sandbox import Limits, Mount, open_sandbox
from davinci_agency.trajectories import Conversation, recognise
from tests.servers.llm import KEY, Answer, LanguageModel, Refusal, calls

pytestmark = pytest.mark.skipif(
    not (shutil.which("bwrap") and shutil.which("node")), reason="bubblewrap or node is not there"
)

BRIDGE = Path(__file__).parents[1] / "servers" / "sii_bridge.mjs"


def shell(command: str, number: int) -> Answer:
    answer = calls(command, number)
    answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] = "run_shell_command"
    return answer


class Run:
    """A worktree, and goes of the scaffold in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worktree = folder / "worktree"
        self.worktree.mkdir()
        (self.worktree / "code.py").write_text("a = 1\n")

    def go(self, model: LanguageModel, name: str = "go", **more: Any) -> Go:
        session = Session(
            scaffold=SCAFFOLDS["sii-cli"],
            sandbox=open_sandbox(),
            upstream=Upstream(model.url, "GLM-4.6", KEY, patience=0.01),
            limits=Limits(seconds=100),
            session_limits=SessionLimits(steps=9),
            mounts=(Mount(BRIDGE, "/bridge.mjs"),),
            environment={"SII_BRIDGE_PATH": "/bridge.mjs", "SII_BRIDGE_SEEN": "/session/seen"},
        )
        return run_session(session, "Mend it.", self.worktree, self.folder / name, **more)

    def seen(self, name: str = "go") -> Any:
        return json.loads((self.folder / name / "inside" / "seen").read_text())["params"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def read(go: Go) -> Conversation:
    assert go.trajectory is not None, go.ended
    value = json.loads(go.trajectory.read_bytes())
    form = recognise(value, "document")
    assert form is not None
    assert form.name == "sii-sdk"
    return form.read(value)


def test_it_works_in_its_worktree_and_goes_on_after_feedback(run: Run) -> None:
    with LanguageModel([shell("echo 'b = 3' >> code.py", 1), "Done."]) as model:
        first = run.go(model)
        before = read(first)
    assert (first.ended.reason, first.ended.status, first.limit) == ("exited", 0, None)
    assert (run.worktree / "code.py").read_text() == "a = 1\nb = 3\n"
    assert [turn["role"] for turn in before.messages] == ["user", "assistant", "tool", "assistant"]
    assert before.messages[1]["tool_calls"][0]["function"] == {
        "name": "run_shell_command",
        "arguments": {"command": "echo 'b = 3' >> code.py"},
    }
    assert (before.exit_status, before.model, before.scaffold.version) == (
        "completed",
        "GLM-4.6",
        "0.1.11",
    )
    assert first.usage.steps == 2
    asked = run.seen()
    assert asked["options"]["enable_data_upload"] is False
    assert asked["options"]["max_turns"] == 9
    assert KEY not in json.dumps(asked)

    with LanguageModel([shell("sed -i 's/b = 3/b = 2/' code.py", 1), "Now."]) as model:
        second = run.go(model, "again", feedback="Not three.", earlier=first.trajectory)
        after = read(second)
    assert (run.worktree / "code.py").read_text() == "a = 1\nb = 2\n"
    assert after.messages[:4] == before.messages
    assert after.messages[4] == {"role": "user", "content": "Not three."}
    assert after.messages[-1]["content"] == "Now."
    # A call's id that was used before is told apart.
    assert after.messages[5]["tool_calls"][0]["id"] == "call_1.2"
    again = run.seen("again")
    assert (again["prompt"], again["session_id"]) == ("Not three.", "session-1")
    assert [turn["role"] for turn in again["history"]][:2] == ["user", "assistant"]


def test_a_model_that_fails_is_on_record(run: Run) -> None:
    with LanguageModel([Refusal(401)]) as model:
        go = run.go(model)
    assert go.ended.status != 0
    value = json.loads(go.trajectory.read_bytes()) if go.trajectory else {}
    assert value["info"]["exit_status"] == "SiiSDKError"
    assert value["stream"][-1]["error"]["code"] == "MODEL_FAILED"
