"""Trajectories as they come, and what of them is an attempt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from davinci_agency.errors import CommandError, DataError
from davinci_agency.ingest import ingest_trajectories
from davinci_agency.parallel import Pool
from davinci_agency.stage import Summary
from tests.samples import read_lines, task, write_lines
from tests.trajectories import sessions

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "trajectories"


def _call(call_id: str, arguments: Any = '{"command": "ls"}') -> dict[str, Any]:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": "bash", "arguments": arguments},
    }


def _mini(**changes: Any) -> dict[str, Any]:
    """Return a run as mini-swe-agent saves it: calls, an answer, a submission, the exit."""
    messages = [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": "Mend it."},
        {"role": "assistant", "content": None, "tool_calls": [_call("call_1")],
         "extra": {"cost": 0.1}, "function_call": None, "provider_specific_fields": {"a": 1}},
        {"role": "tool", "content": "code.py", "tool_call_id": "call_1", "extra": {}},
        {"role": "assistant", "content": "Done.", "tool_calls": [_call("call_2")]},
        {"role": "exit", "content": "submitted", "extra": {}},
    ]  # fmt: skip
    return {
        "trajectory_format": "mini-swe-agent-1.1",
        "info": {"exit_status": "Submitted", "submission": "", "mini_version": "2.4.6",
                 "config": {"model": {"model_name": "m"}}, "model_stats": {"api_calls": 2}},
        "messages": messages,
        **changes,
    }  # fmt: skip


def _ingest(folder: Path, tasks: list[Any]) -> tuple[Summary, list[Any], list[Any]]:
    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    out = folder / "attempts.jsonl"
    summary = ingest_trajectories([runs], [write_lines(folder / "tasks.jsonl", tasks)], out)
    return summary, read_lines(out), read_lines(folder / "attempts.quarantine.jsonl")


def _ingest_none(folder: Path, tasks: list[Any]) -> list[Any]:
    """Ingest trajectories of which none can be used, and return the notes on them."""
    with pytest.raises(DataError, match="None of the"):
        _ingest(folder, tasks)
    assert not (folder / "attempts.jsonl").exists()
    return read_lines(folder / "attempts.quarantine.jsonl")


def _save(folder: Path, name: str, value: Any) -> None:
    (folder / "runs").mkdir(exist_ok=True)
    (folder / "runs" / name).write_text(value if isinstance(value, str) else json.dumps(value))


def test_a_run_is_joined_to_the_task_that_its_name_or_its_content_names(tmp_path: Path) -> None:
    _save(tmp_path, "task-1.traj.json", _mini())
    _save(tmp_path, "whatever.traj.json", _mini(instance_id="task-2"))
    summary, attempts, _ = _ingest(tmp_path, [task("task-1"), task("task-2")])
    assert [attempt["task_id"] for attempt in attempts] == ["task-1", "task-2"]
    assert (summary.read, summary.out) == (2, 2)


def test_a_run_s_conversation_becomes_what_trainers_take(tmp_path: Path) -> None:
    _save(tmp_path, "task-1.traj.json", _mini())
    _, (attempt,), _ = _ingest(tmp_path, [task("task-1")])
    assert [message["role"] for message in attempt["messages"]] == [
        "system", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    first = attempt["messages"][2]
    assert set(first) == {"role", "content", "tool_calls"}
    assert first["content"] == ""
    assert first["tool_calls"][0]["function"]["arguments"] == {"command": "ls"}
    assert attempt["tools"][0]["function"]["name"] == "bash"
    assert attempt["num_tool_calls"] == 2
    assert attempt["score"] is None


def test_the_stages_of_a_task_become_one_conversation(tmp_path: Path) -> None:
    for stage in (2, 1):
        patch = f"diff --git a/{stage} b/{stage}\n"
        verdict = {"score": stage / 2, "judge": "tests", "rationale": "r", "resolved": True}
        changes = {"stage": stage, "model_patch": patch, "verdict": verdict}
        _save(tmp_path, f"task-1.stage-{stage}.traj.json", _mini(**changes))
    summary, (attempt,), _ = _ingest(tmp_path, [task("task-1", stages=2, kind="temporal-chain")])
    assert (summary.read, summary.out, summary.written) == (2, 2, {"attempts": 1})
    roles = [message["role"] for message in attempt["messages"]]
    assert roles.count("system") == 1
    # What ended the first run answers the call that it ended on.
    assert attempt["messages"][5] == {
        "role": "tool", "tool_call_id": "call_2", "content": "submitted",
    }  # fmt: skip
    ids = [call["id"] for message in attempt["messages"] for call in message.get("tool_calls", [])]
    assert ids == ["call_1", "call_2", "call_1.stage-2", "call_2.stage-2"]
    bounds = [(stage["message_start"], stage["message_end"]) for stage in attempt["stages"]]
    assert bounds == [(0, 6), (6, 10)]
    assert [stage["model_patch"][11:14] for stage in attempt["stages"]] == ["a/1", "a/2"]
    assert attempt["score"] == 0.5
    assert attempt["resolved"] is True


BROKEN: dict[str, tuple[Any, str]] = {
    "truncated": (json.dumps(_mini())[:200], "not JSON"),
    "empty": ("", "not JSON"),
    "surrogate": ('{"trajectory_format": "\\ud800"}', "not JSON"),
    "no-object": ([], "Expected `object`"),
    "other-format": (_mini(trajectory_format="mini-swe-agent-0"), "is no format of"),
    "no-messages": (_mini(messages=[]), "no messages"),
    "only-exit": (_mini(messages=[{"role": "exit", "content": ""}]), "no messages"),
    "nobody-speaks": (_mini(messages=[{"role": "user", "content": "?"}]), "never speaks"),
    "unanswered": (_mini(messages=[
        {"role": "assistant", "content": "", "tool_calls": [_call("1")]},
        {"role": "user", "content": "and?"}]), "not answered before"),
    "unasked": (_mini(messages=[{"role": "assistant", "content": ""},
        {"role": "tool", "content": "", "tool_call_id": "1"}]), "answers no open call"),
    "id-twice": (_mini(messages=[
        {"role": "assistant", "content": "", "tool_calls": [_call("1")]},
        {"role": "tool", "content": "", "tool_call_id": "1"},
        {"role": "assistant", "content": "", "tool_calls": [_call("1")]}]), "used twice"),
    "arguments": (_mini(messages=[
        {"role": "assistant", "content": "", "tool_calls": [_call("1", "{oops")]}]), "no JSON"),
    "arguments-list": (_mini(messages=[
        {"role": "assistant", "content": "", "tool_calls": [_call("1", "[]")]}]), "no JSON object"),
    "role": (_mini(messages=[{"role": "robot", "content": ""},
        {"role": "assistant", "content": ""}]), "the role"),
    "calls-no-list": (_mini(messages=[
        {"role": "assistant", "content": "", "tool_calls": 7}]), "no list"),
    "call-no-object": (_mini(messages=[
        {"role": "assistant", "content": "", "tool_calls": ["ls"]}]), "no function"),
    "content-number": (_mini(messages=[{"role": "assistant", "content": 7}]), "content"),
    "score": (_mini(verdict={"score": 7, "judge": "me"}), "at most 1"),
    "score-text": (_mini(verdict={"score": "good"}), "Expected `float"),
    "stage": (_mini(stage=2), "has no stage 2"),
    "stage-text": (_mini(stage="two"), "Expected `int"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BROKEN))
def test_a_broken_run_is_set_aside_with_the_reason_and_the_others_stay(
    name: str, tmp_path: Path
) -> None:
    value, reason = BROKEN[name]
    _save(tmp_path, "task-1.traj.json", value)
    _save(tmp_path, "task-2.traj.json", _mini())
    summary, attempts, notes = _ingest(tmp_path, [task("task-1"), task("task-2")])
    assert [attempt["task_id"] for attempt in attempts] == ["task-2"]
    assert (summary.read, summary.out, summary.quarantined) == (2, 1, 1)
    assert notes[0]["file"].endswith("task-1.traj.json")
    assert reason in notes[0]["reason"]


def test_a_missing_stage_sets_the_whole_attempt_aside(tmp_path: Path) -> None:
    _save(tmp_path, "task-1.stage-2.traj.json", _mini())
    notes = _ingest_none(tmp_path, [task("task-1", stages=2, kind="temporal-chain")])
    assert len(notes) == 1
    assert "stage 1 is missing" in notes[0]["reason"]


def test_a_stage_that_is_there_twice_differently_sets_the_attempt_aside(tmp_path: Path) -> None:
    _save(tmp_path, "task-1.traj.json", _mini())
    _save(tmp_path, "b.traj.json", _mini(instance_id="task-1", model_patch="diff --git a b"))
    notes = _ingest_none(tmp_path, [task("task-1", stages=2, kind="temporal-chain")])
    assert len(notes) == 2
    assert "2 times with different contents" in notes[0]["reason"]


def test_a_copy_of_a_file_is_counted_once(tmp_path: Path) -> None:
    _save(tmp_path, "a.traj.json", _mini(instance_id="task-1"))
    _save(tmp_path, "b.traj.json", _mini(instance_id="task-1"))
    summary, attempts, _ = _ingest(tmp_path, [task("task-1")])
    assert len(attempts) == 1
    assert (summary.read, summary.out, summary.rules) == (2, 1, {"exact-copy": 1})


def _talk(**changes: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    return {"task_id": "task-1", "messages": messages, **changes}


def test_openai_style_lines_keep_what_they_say(tmp_path: Path) -> None:
    said = _talk(
        model="glm", scaffold={"name": "s"}, score=0.9, judge={"name": "j", "rationale": "why"},
        refinements=2, tools=[{"type": "function"}], metadata={"a": 1}, colour="red",
    )  # fmt: skip
    _save(tmp_path, "runs.jsonl", json.dumps(said) + "\n\n" + json.dumps(_talk()) + "\n")
    _, attempts, _ = _ingest(tmp_path, [task("task-1")])
    attempt = next(attempt for attempt in attempts if attempt["model"])
    assert attempt["scaffold"] == {"name": "s", "version": None}
    assert attempt["judge"] == {"name": "j", "rationale": "why"}
    assert attempt["metadata"] == {"a": 1, "colour": "red"}
    assert (attempt["score"], attempt["refinements"]) == (0.9, 2)


def test_a_conversation_about_a_chain_is_cut_at_its_user_turns(tmp_path: Path) -> None:
    messages = [turn for n in range(3) for turn in _talk()["messages"]]
    _save(tmp_path, "runs.jsonl", json.dumps(_talk(messages=messages, model_patch="p")))
    tasks = [task("task-1", stages=3, kind="semantic-chain")]
    _, (attempt,), _ = _ingest(tmp_path, tasks)
    bounds = [(stage["message_start"], stage["message_end"]) for stage in attempt["stages"]]
    assert bounds == [(0, 2), (2, 4), (4, 6)]
    assert [stage["model_patch"] for stage in attempt["stages"]] == ["", "", "p"]


BROKEN_LINES: dict[str, tuple[dict[str, Any], str]] = {
    "no-task": (_talk(task_id=None), "it names no task"),
    "number-as-task": (_talk(task_id=7), "Expected `str"),
    "unknown-task": (_talk(task_id="task-7"), "there is no task"),
    "too-few-turns": (_talk(task_id="task-3"), "3 stages and the conversation 1 user turns"),
    "overlap": (_talk(task_id="task-3", stages=[{"message_start": 0, "message_end": 2},
        {"message_start": 1, "message_end": 2}]), "overlap"),
    "beyond": (_talk(stages=[{"message_start": 0, "message_end": 9}]), "overlap or leave"),
    "metadata": (_talk(metadata=[]), "Expected `object"),
    "judge": (_talk(judge=7), "Expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BROKEN_LINES))
def test_a_broken_line_is_set_aside_with_its_number(name: str, tmp_path: Path) -> None:
    value, reason = BROKEN_LINES[name]
    _save(tmp_path, "runs.jsonl", json.dumps(_talk()) + "\n" + json.dumps(value) + "\n")
    tasks = [task("task-1"), task("task-3", stages=3, kind="semantic-chain")]
    summary, attempts, notes = _ingest(tmp_path, tasks)
    assert (len(attempts), summary.quarantined) == (1, 1)
    assert notes[0]["line"] == 2
    assert reason in notes[0]["reason"]


def test_one_rollout_with_two_verdicts_is_not_decided_by_chance(tmp_path: Path) -> None:
    lines = [json.dumps(_talk(score=score, judge="j")) for score in (0.2, 0.9)]
    _save(tmp_path, "runs.jsonl", "\n".join(lines))
    notes = _ingest_none(tmp_path, [task("task-1")])
    assert len(notes) == 2
    assert "different verdicts" in notes[0]["reason"]


def test_a_path_that_is_not_there_is_the_command_s_fault(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        ingest_trajectories(
            [tmp_path / "no"], [write_lines(tmp_path / "t.jsonl", [])], tmp_path / "o.jsonl"
        )


def test_the_genuine_trajectories_hold_no_path_or_person_of_the_machine_they_ran_on() -> None:
    files = sorted(EXAMPLES.glob("*.traj.json"))
    assert files
    for file in files:
        text = file.read_text()
        assert "/home/" not in text
        assert "/root/" not in text
        assert "/tmp/" not in text  # noqa: S108


def test_rows_of_a_table_and_whole_documents_are_trajectories_too(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    row = {"task_id": "task-1", "messages": _talk()["messages"], "model": "m"}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "runs" / "rows.parquet")
    document = {key: value for key, value in _talk().items() if key != "task_id"}
    _save(tmp_path, "task-2.json", {**document, "model": "n"})
    summary, attempts, _ = _ingest(tmp_path, [task("task-1"), task("task-2")])
    assert [attempt["model"] for attempt in attempts] == ["m", "n"]
    assert (summary.read, summary.out) == (2, 2)


def test_a_task_is_found_by_its_instance_and_by_the_folder_s_name(tmp_path: Path) -> None:
    tasks = [
        {**task("task-1"), "instance_id": "a__b-1"},
        {**task("task-2"), "instance_id": "a__b-2"},
    ]
    _save(tmp_path, "a__b-1.attempt-2.traj.json", _mini())
    (tmp_path / "runs" / "a__b-2").mkdir()
    _save(tmp_path, "a__b-2/run.traj.json", _mini())
    _, attempts, _ = _ingest(tmp_path, tasks)
    assert [attempt["task_id"] for attempt in attempts] == ["task-1", "task-2"]


def test_an_instance_of_several_tasks_is_none(tmp_path: Path) -> None:
    tasks = [
        {**task("task-1"), "instance_id": "a__b-1"},
        {**task("task-2"), "instance_id": "a__b-1"},
    ]
    _save(tmp_path, "a__b-1.traj.json", _mini())
    assert "2 tasks" in _ingest_none(tmp_path, tasks)[0]["reason"]


def test_files_that_are_no_trajectories_are_passed_over_and_named(tmp_path: Path) -> None:
    _save(tmp_path, "task-1.traj.json", _mini())
    _save(tmp_path, "config.json", {"a": 1})
    summary, attempts, _ = _ingest(tmp_path, [task("task-1")])
    assert (len(attempts), summary.read) == (1, 1)
    assert "1 files hold no trajectory of a known format" in summary.notes[0]


def test_tokens_are_counted_by_whom_one_chooses(tmp_path: Path) -> None:
    _save(tmp_path, "task-1.traj.json", _mini())
    tasks = write_lines(tmp_path / "tasks.jsonl", [task("task-1")])
    out = tmp_path / "attempts.jsonl"
    counts = []
    for tokenizer in ("o200k_base", "none"):
        ingest_trajectories([tmp_path / "runs"], [tasks], out, tokenizer=tokenizer)
        (attempt,) = read_lines(out)
        counts.append((attempt["tokenizer"], attempt["horizon"], attempt["num_tokens"] is None))
    assert counts == [("o200k_base", "short", False), (None, None, True)]


def test_a_file_of_lines_that_is_one_session_is_one_trajectory(tmp_path: Path) -> None:
    lines = [
        {"type": "session_meta", "payload": {"cli_version": "1"}},
        *(
            {"type": "response_item", "payload": {"type": "message", "role": role, "content": text}}
            for role, text in (("user", "Mend it."), ("assistant", "Done."))
        ),
    ]
    _save(tmp_path, "task-1.attempt-2.jsonl", "\n".join(map(json.dumps, lines)))
    summary, (attempt,), _ = _ingest(tmp_path, [task("task-1")])
    assert (summary.read, summary.out, attempt["source_format"]) == (1, 1, "codex")
    assert {"what": "lines of the program's own: session_meta", "count": 1} in attempt[
        "not_carried"
    ]
    assert "not carried over" in summary.notes[0]


def test_openhands_folders_evaluations_and_tables_are_trajectories(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for name, files in (
        ("task-1", sessions.SDK_FILES),
        ("task-2", sessions.EVENT_FILES),
        ("task-3", sessions.COMPLETION_FILES),
    ):
        for file, value in files.items():
            path = runs / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value))
    # What the program keeps beside its events is no trajectory.
    (runs / "task-2" / "event_cache").mkdir()
    (runs / "task-2" / "event_cache" / "0-25.json").write_text("[]")
    write_lines(runs / "output.jsonl", [{**sessions.EVALUATION, "instance_id": "task-4"}])
    row = {**sessions.ROW, "instance_id": "task-5"}
    pq.write_table(pa.Table.from_pylist([row]), runs / "train.parquet")
    summary, attempts, notes = _ingest(tmp_path, [task(f"task-{n}") for n in range(1, 6)])
    assert not notes
    assert (summary.read, summary.out) == (5, 5)
    assert [attempt["task_id"] for attempt in attempts] == [f"task-{n}" for n in range(1, 6)]
    assert {attempt["source_format"] for attempt in attempts} == {"openhands"}
    assert all(attempt["messages"][-1]["role"] == "assistant" for attempt in attempts)


def test_a_table_s_rows_may_name_the_instance_and_be_filled_up_with_nulls(tmp_path: Path) -> None:
    pad = {"tool_calls": None, "tool_call_id": None, "name": None}
    calls = [{**_call("a"), "index": None}]
    messages = [
        {**pad, "role": "user", "content": "Mend it."},
        {**pad, "role": "assistant", "content": "I look.", "tool_calls": calls},
        {**pad, "role": "tool", "content": "code.py", "tool_call_id": "a", "name": "bash"},
        {**pad, "role": "assistant", "content": "Done."},
    ]
    function = {"name": "bash", "parameters": {"properties": {"a": {"type": "x"}, "b": None}}}
    row = {"instance_id": "a__b-1", "messages": messages, "resolved": True,
           "tools": [{"type": "function", "function": function}]}  # fmt: skip
    (tmp_path / "runs").mkdir()
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "runs" / "rows.parquet")
    _, (attempt,), _ = _ingest(tmp_path, [{**task("task-1"), "instance_id": "a__b-1"}])
    assert attempt["task_id"] == "task-1"
    assert [set(turn) for turn in attempt["messages"]] == [
        {"role", "content"},
        {"role", "content", "tool_calls"},
        {"role", "content", "tool_call_id", "name"},
        {"role", "content"},
    ]
    assert attempt["messages"][1]["tool_calls"] == [_call("a", {"command": "ls"})]
    assert "b" not in attempt["tools"][0]["function"]["parameters"]["properties"]
    assert attempt["metadata"] == {"instance_id": "a__b-1"}


def test_an_evaluation_s_completions_are_one_trajectory_an_instance(tmp_path: Path) -> None:
    for instance in ("a__b-1", "a__b-2"):
        folder = tmp_path / "runs" / "llm_completions" / instance
        folder.mkdir(parents=True)
        for number, value in enumerate(sessions.COMPLETION_FILES.values()):
            (folder / f"m-179571392{number}.62.json").write_text(json.dumps(value))
    tasks = [{**task(f"task-{n}"), "instance_id": f"a__b-{n}"} for n in (1, 2)]
    summary, attempts, _ = _ingest(tmp_path, tasks)
    assert (summary.read, summary.out) == (2, 2)
    assert [attempt["task_id"] for attempt in attempts] == ["task-1", "task-2"]


@pytest.mark.parametrize("batch", [1, 8 << 20])
def test_the_number_of_workers_changes_nothing(
    batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("davinci_agency.ingest.reading._BATCH_BYTES", batch)
    for number in range(1, 6):
        _save(tmp_path, f"task-1.attempt-{number}.traj.json", _mini())
    _save(tmp_path, "task-9.traj.json", _mini())
    _save(tmp_path, "task-1.traj.json", "no json")
    _save(tmp_path, "copy.task-1.json", {"task_id": "task-1", **_mini()})
    tasks = [write_lines(tmp_path / "tasks.jsonl", [task("task-1")])]
    made = []
    for workers in (1, 2):
        out = tmp_path / str(workers) / "attempts.jsonl"
        with Pool(workers) as engine:
            ingest_trajectories([tmp_path / "runs"], tasks, out, engine=engine)
        made.append({path.name: path.read_bytes() for path in out.parent.iterdir()})
    assert made[0] == made[1]
    assert len(read_lines(out)) == 5
    assert len(read_lines(out.with_name("attempts.quarantine.jsonl"))) == 3


def test_compressed_trajectories_are_read_by_any_worker(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    lines = [orjson.dumps(_talk(model=name)) for name in ("one", "two")]
    (runs / "runs.jsonl.zst").write_bytes(zstandard.compress(b"\n".join(lines)))
    tasks = [write_lines(tmp_path / "tasks.jsonl", [task("task-1")])]
    out = tmp_path / "attempts.jsonl"
    with Pool(2) as engine:
        ingest_trajectories([runs], tasks, out, engine=engine)
    assert sorted(row["model"] for row in read_lines(out)) == ["one", "two"]
