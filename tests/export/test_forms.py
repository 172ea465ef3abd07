"""A release for other trainers and harnesses: no word is lost, and what has no place is told."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.conversation import conversation_flaw
from davinci_agency.errors import CommandError
from davinci_agency.export import ExportFormat, HarborOptions, checked, export_release
from davinci_agency.export.forms import UnfitError
from davinci_agency.export.harbor import folders_of
from davinci_agency.export.sharegpt import conversation_of
from davinci_agency.sandbox import Job, Limits, Mount, open_sandbox
from tests.chain.support import changed_file
from tests.command import davinci, tree
from tests.repositories import Repository
from tests.samples import attempt, read_lines, task, write_lines

CALL = {
    "id": "1",
    "type": "function",
    "function": {"name": "bash", "arguments": {"command": "ls"}},
}
SAID: list[dict[str, Any]] = [
    {"role": "system", "content": "You program."},
    {"role": "user", "content": "Do it."},
    {"role": "assistant", "content": "I look.", "tool_calls": [CALL], "reasoning_content": "Hm."},
    {"role": "tool", "content": "code.py", "tool_call_id": "1"},
    {"role": "user", "content": "Go on."},
    {"role": "assistant", "content": "Done."},
]


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return a conversation that keeps the rules of a record."""
    words = st.text("abc <>{}", max_size=8)
    said: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 2))):
        said.append({"role": "system", "content": draw(words)})
    number = 0
    for _ in range(draw(st.integers(1, 4))):
        for _ in range(draw(st.integers(0, 2))):
            said.append({"role": "user", "content": draw(words)})
        count = draw(st.integers(0, 2))
        turn: dict[str, Any] = {"role": "assistant", "content": draw(words)}
        if draw(st.booleans()):
            turn["reasoning_content"] = draw(words)
        calls = [{**CALL, "id": str(number + n)} for n in range(count)]
        said.append({**turn, "tool_calls": calls} if calls else turn)
        for call in calls:
            said.append({"role": "tool", "content": draw(words), "tool_call_id": call["id"]})
        number += count
    return [*said, {"role": "assistant", "content": draw(words)}]


@given(conversations())
def test_no_word_is_lost_and_the_reader_s_rule_is_kept(said: list[dict[str, Any]]) -> None:
    assert conversation_flaw(said) is None
    row = {"messages": said, "tools": [], "sample_id": "s"}
    if said[sum(turn["role"] == "system" for turn in said)]["role"] == "assistant":
        with pytest.raises(UnfitError, match="speaks first"):
            conversation_of(row)
        return
    made = conversation_of(row)
    turns = made["conversations"]
    sides = [turn["from"] in ("human", "observation") for turn in turns]
    assert sides == [number % 2 == 0 for number in range(len(turns))]
    assert len(turns) % 2 == 0
    whole = "\n".join([made["system"], *(turn["value"] for turn in turns)])
    for turn in said:
        for word in (turn["content"], turn.get("reasoning_content") or ""):
            assert word in whole
    calls = sum(len(turn.get("tool_calls", ())) for turn in said)
    assert whole.count('"arguments":{"command":"ls"}') == calls


def test_calls_stand_where_the_reader_looks_for_them() -> None:
    made = conversation_of({"messages": SAID, "tools": [{"name": "bash"}], "sample_id": "s"})
    assert [turn["from"] for turn in made["conversations"]] == [
        "human", "function_call", "human", "gpt",
    ]  # fmt: skip
    call = made["conversations"][1]["value"]
    assert call.startswith("<think>\nHm.\n</think>\n\nI look.\n<tool_call>[")
    inner = re.search("<tool_call>(.*)</tool_call>", call)
    assert inner
    assert json.loads(inner[1]) == [CALL["function"]]
    # The answer to what ended a stage opens what the person says next.
    assert made["conversations"][2]["value"] == "code.py\n\nGo on."
    assert json.loads(made["tools"]) == [{"name": "bash"}]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([{"role": "assistant", "content": "I begin."}], "the assistant speaks first"),
        ([SAID[1], {**SAID[2], "content": "Say <tool_call>."}], "would take for one"),
        ([{"role": "user", "content": [{"type": "image"}]}, SAID[5]], "more than text"),
    ],
)
def test_what_has_no_place_says_why(said: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(UnfitError, match=re.escape(reason)):
        conversation_of({"messages": said, "tools": [], "sample_id": "s"})


def _release(folder: Path) -> Path:
    tasks = [task("task-1"), task("task-2", stages=2, kind="semantic-chain")]
    tasks[1] |= dict.fromkeys(
        ("instance_id", "base_commit", "patch", "test_patch", "problem_statement")
    )
    first = {"message_start": 0, "message_end": 6, "model_patch": "", "exit_status": None}
    bad = [{"role": "assistant", "content": "I begin."}]
    attempts = [
        attempt("attempt-1", "task-1", messages=SAID, stages=[first]),
        attempt("attempt-2", "task-1", messages=bad, stages=[{**first, "message_end": 1}]),
    ]
    write_release(
        BuildInputs(
            tasks=(write_lines(folder / "tasks.jsonl", tasks),),
            attempts=(write_lines(folder / "attempts.jsonl", attempts),),
        ),
        folder / "release",
    )
    return folder / "release"


def test_rows_in_are_rows_out_and_rows_told_and_the_same_release_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    release = _release(tmp_path)
    forms: dict[ExportFormat, tuple[int, int]] = {
        "sharegpt": (1, 1),
        "slime": (2, 0),
        "swe-bench": (1, 1),
    }
    for form, (rows, unfit) in forms.items():
        out = tmp_path / form
        summary = export_release(release, out, form)
        assert (summary.out, summary.quarantined) == (rows, unfit)
        about = json.loads((out / "export.json").read_bytes())
        assert sum(about["rows"].values()) == rows
        assert sum(about["left_out"].values()) == unfit
        assert len(summary.notes) == len(about["left_out"])
        before = tree(out)
        export_release(release, out, form)
        assert tree(out) == before
    info = json.loads((tmp_path / "sharegpt" / "dataset_info.json").read_bytes())
    (described,) = info.values()
    assert (tmp_path / "sharegpt" / described["file_name"]).is_file()
    (first, _) = read_lines(tmp_path / "slime" / "single-pr" / "train.jsonl")
    assert first["messages"] == SAID
    (instance,) = read_lines(tmp_path / "swe-bench" / "tasks" / "train.jsonl")
    assert instance["problem_statement"]
    assert json.loads(instance["FAIL_TO_PASS"]) == []


def test_a_harbor_task_needs_a_container_and_tests(tmp_path: Path) -> None:
    release = _release(tmp_path)
    done = davinci("export", release, "--format", "harbor", "--out", tmp_path / "out")
    assert done.code == 2
    assert "--image" in done.stderr
    for image, words in (("a\nRUN x", "pytest"), ("python:3.12", "pytest '")):
        with pytest.raises(CommandError):
            checked(image, words)


NASTY = "tests/test_$(touch hacked);`touch hacked` 'x'.py"
OPTIONS = HarborOptions("python:3.12", "python3 -B {tests}")


@pytest.fixture
def nasty(tmp_path: Path) -> tuple[Repository, dict[str, Any]]:
    """A repository, and a task whose words and names are a shell's."""
    repository = Repository.init(tmp_path / "repository")
    base = repository.commit("Begin", {"code.py": "a = 0\n", NASTY: "assert False\n"})
    merge = repository.commit(
        "Mend", {"code.py": "a = 1\n", NASTY: "import code_ as c\nassert c.a == 1\n",
                 "tests/code_.py": "exec(open('code.py').read())\n"},
    )  # fmt: skip
    patches = [
        repository.git("diff", "--binary", "--full-index", base, merge, "--", path) + "\n"
        for path in ("code.py", "tests")
    ]
    row = task("task-1")
    row["stages"][0] |= {
        "base_commit": base,
        "url": "https://github.com/owner/name/pull/1",
        "query": "$(touch hacked) `touch hacked`\nEOF",
        "patch": patches[0],
        "test_patch": patches[1],
        "files": [
            {**changed_file(path), "status": status, "is_test": is_test}
            for path, status, is_test in (
                ("code.py", "modified", False),
                (NASTY, "modified", True),
                ("tests/code_.py", "added", True),
            )
        ],
    }
    repository.git("checkout", "-q", base)
    return repository, row


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")
def test_a_harbor_task_rewards_the_true_change_and_nothing_less(
    nasty: tuple[Repository, dict[str, Any]], tmp_path: Path
) -> None:
    repository, row = nasty
    ((name, files),) = folders_of(row, OPTIONS)
    assert name == "task-1"
    for path, content in files.items():
        file = tmp_path / "task" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (tmp_path / "logs").mkdir()

    def runs(script: str) -> str:
        job = Job(
            ("bash", script),
            "/",
            (
                Mount(repository.folder, "/workspace", writable=True),
                Mount(tmp_path / "task" / "tests", "/tests"),
                Mount(tmp_path / "task" / "solution", "/solution"),
                Mount(tmp_path / "logs", "/logs", writable=True),
            ),
        )
        ended = open_sandbox().run(job, Limits(seconds=30))
        reward = tmp_path / "logs" / "verifier" / "reward.txt"
        return reward.read_text().strip() if reward.exists() else ended.stderr.decode()

    assert runs("/tests/test.sh") == "0"
    # Tests that an agent made pass in its own way are put right before they are run.
    (repository.folder / NASTY).write_text("")
    (repository.folder / "tests" / "code_.py").write_text("a = 1\n")
    assert runs("/tests/test.sh") == "0"
    repository.git("checkout", "-q", "-f", row["stages"][0]["base_commit"])
    repository.git("clean", "-qfd")
    runs("/solution/solve.sh")
    assert runs("/tests/test.sh") == "1"
    assert not list(tmp_path.rglob("hacked"))


def test_what_a_container_is_made_of_is_read_by_no_shell(
    nasty: tuple[Repository, dict[str, Any]],
) -> None:
    row = nasty[1]
    ((_, files),) = folders_of(row, OPTIONS)
    docker = files["environment/Dockerfile"].decode()
    assert all(line.startswith(("FROM ", "RUN [", "WORKDIR ")) for line in docker.splitlines())
    about = tomllib.loads(files["task.toml"].decode())
    assert about["metadata"]["pulls"] == ["https://github.com/owner/name/pull/1"]
    row["stages"][0]["url"] = "https://github.com/owner/name;touch/pull/1"
    with pytest.raises(UnfitError, match="where its repository is"):
        list(folders_of(row, OPTIONS))


def test_stages_that_go_on_from_each_other_are_steps_of_one_task() -> None:
    row = task("task-1", stages=2, kind="semantic-chain")
    for stage in row["stages"]:
        stage |= {"url": "https://github.com/o/n/pull/1", "base_commit": "a" * 40}
    names = [name for name, _ in folders_of(row, OPTIONS)]
    assert names == ["task-1.stage-1", "task-1.stage-2"]
    for stage in row["stages"]:
        stage["state_policy"] = "cumulative"
    ((name, files),) = folders_of(row, OPTIONS)
    assert name == "task-1"
    steps = tomllib.loads(files["task.toml"].decode())["steps"]
    assert [step["name"] for step in steps] == ["step-1", "step-2"]
    assert "steps/step-2/tests/002.patch" in files
    assert "steps/step-1/tests/002.patch" not in files
    assert orjson.loads(orjson.dumps(sorted(files)))
