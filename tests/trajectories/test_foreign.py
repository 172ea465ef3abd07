"""Trajectories made elsewhere: every word that was said is there, or counted as left behind."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.conversation import conversation_flaw
from davinci_agency.trajectories import FORMATS, TrajectoryError, recognise
from davinci_agency.trajectories.assembling import Turns
from davinci_agency.trajectories.rollout import normal_messages
from tests.trajectories.sessions import SESSIONS


def _swe_call(call_id: str, command: str) -> dict[str, Any]:
    function = {"name": "bash", "arguments": json.dumps({"command": command})}
    return {"id": call_id, "index": 1, "type": "function", "function": function}


SWE_AGENT: dict[str, Any] = {
    "trajectory": [{"action": "ls", "execution_time": 0.2, "state": {}}],
    "history": [
        {"role": "system", "content": "You program.", "agent": "main", "message_type": "system"},
        {"role": "user", "content": [{"type": "text", "text": "Mend it."}], "agent": "main"},
        {"role": "assistant", "content": "I look.", "thought": "I look.", "action": "ls",
         "agent": "main", "tool_calls": [_swe_call("a", "ls")]},
        {"role": "tool", "content": [{"type": "text", "text": "code.py"}], "agent": "main",
         "tool_call_ids": ["a"], "cache_control": {"type": "ephemeral"}},
        {"role": "assistant", "content": "Aside.", "agent": "reviewer"},
        {"role": "assistant", "content": "Done.", "agent": "main",
         "tool_calls": [_swe_call("b", "submit")]},
        {"role": "tool", "content": "the diff", "agent": "main", "tool_call_ids": ["b"]},
    ],
    "info": {"exit_status": "submitted", "submission": "diff --git a/x b/x\n",
             "swe_agent_version": "1.0.1"},
    "replay_config": json.dumps({"agent": {"model": {"name": "some-model"}}}),
    "environment": "a__b-1",
}  # fmt: skip

SHAREGPT: dict[str, Any] = {
    "task_id": "task-1",
    "system": "You program.",
    "tools": json.dumps([{"name": "bash"}]),
    "model": "some-model",
    "conversations": [
        {"from": "human", "value": "Mend it."},
        {"from": "function_call", "value": '[{"name": "a", "arguments": {"x": 1}},'
         ' {"name": "b", "arguments": "{}"}]'},
        {"from": "observation", "value": "first"},
        {"from": "observation", "value": "second", "weight": 1},
        {"from": "gpt", "value": "Done."},
    ],
}  # fmt: skip


ATIF: dict[str, Any] = {
    "schema_version": "ATIF-v1.7",
    "agent": {"name": "some-agent", "version": "3", "tool_definitions": [{"name": "bash"}]},
    "steps": [
        {"source": "system", "message": "You program."},
        {"source": "user", "message": "Old words.", "is_copied_context": True},
        {"source": "user", "message": [{"type": "text", "text": "Mend it."}, {"type": "image"}]},
        {"source": "agent", "model_name": "some-model", "message": "", "reasoning_content": "Hm.",
         "tool_calls": [
             {"tool_call_id": "a", "function_name": "bash", "arguments": {"command": "ls"}},
             {"tool_call_id": "b", "function_name": "bash", "arguments": {"command": "pwd"}}],
         "observation": {"results": [{"source_call_id": "b", "content": "second"},
             {"content": "first"}, {"content": "Not enough."}]}, "metrics": {"cost": 1}},
        {"source": "agent", "message": "Done."},
    ],
}  # fmt: skip


def _item(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "response_item", "payload": {"type": kind, **more}}


CODEX: list[Any] = [
    {"type": "session_meta", "payload": {"cli_version": "0.169.0",
     "base_instructions": {"text": "You program."}}},
    {"type": "turn_context", "payload": {"model": "some-model"}},
    _item("message", role="user", content=[{"type": "input_text", "text": "Mend it."}]),
    _item("reasoning", summary=[], encrypted_content="x"),
    _item("reasoning", summary=[{"type": "summary_text", "text": "Hm."}]),
    _item("message", role="assistant", content=[{"type": "output_text", "text": "I look."}]),
    _item("function_call", name="shell", arguments='{"cmd": "ls"}', call_id="a"),
    _item("custom_tool_call", name="apply_patch", input="*** Begin", call_id="b"),
    _item("function_call_output", call_id="a", output="code.py"),
    _item("custom_tool_call_output", call_id="b", output={"content": "ok"}),
    {"type": "event_msg", "payload": {"type": "token_count"}},
    _item("message", role="assistant", content=[{"type": "output_text", "text": "Done."}]),
]  # fmt: skip


def _line(kind: str, uuid: str, parent: str | None, content: Any, **more: Any) -> dict[str, Any]:
    message = {"role": kind, "content": content, "model": "some-model"}
    return {"type": kind, "uuid": uuid, "parentUuid": parent, "sessionId": "s", "version": "2.1",
            "message": message, **more}  # fmt: skip


CLAUDE: list[Any] = [
    {"type": "summary", "summary": "Earlier."},
    _line("user", "1", None, "Mend it."),
    _line("assistant", "2", "1", [{"type": "thinking", "thinking": "Hm."}]),
    _line("assistant", "3", "2", [{"type": "text", "text": "I look."}]),
    _line("assistant", "4", "3", [{"type": "tool_use", "id": "a", "name": "Bash",
          "input": {"command": "ls"}}]),
    _line("user", "x", "4", "Never mind."),
    _line("assistant", "s", "4", [{"type": "text", "text": "Aside."}], isSidechain=True),
    _line("user", "5", "4", [{"type": "tool_result", "tool_use_id": "a",
          "content": [{"type": "text", "text": "code.py"}]}]),
    _line("assistant", "6", "5", [{"type": "text", "text": "Done."}]),
]  # fmt: skip


_RESPONSE = {"functionResponse": {"id": "a", "name": "ls", "response": {"output": "code.py"}}}

GEMINI: list[Any] = [
    {"sessionId": "s", "projectHash": "h", "kind": "main"},
    {"$set": {"messages": [{"id": "0", "type": "user", "content": [{"text": "Context."}]}]}},
    {"id": "1", "type": "user", "content": [{"text": "Mend it."}]},
    {"$set": {"lastUpdated": "now"}},
    {"id": "2", "type": "gemini", "content": "I look.", "thoughts": [{"subject": "Hm."}]},
    {"id": "2", "type": "gemini", "content": "I look.", "thoughts": [{"subject": "Hm."}],
     "model": "some-model", "tokens": {"input": 1},
     "toolCalls": [{"id": "a", "name": "ls", "args": {"x": 1}, "result": [_RESPONSE]}]},
    {"id": "3", "type": "user", "content": [_RESPONSE]},
    {"id": "4", "type": "info", "content": "Saved."},
    {"id": "5", "type": "gemini", "content": "Done."},
]  # fmt: skip

SII: dict[str, Any] = {
    "id": "c", "model": "some-model",
    "events": [{"type": "started"}, {"type": "api_request_full", "data": {"full_request": {
        "system_instruction": "You program.",
        "tools": [{"functionDeclarations": [{"name": "ls", "parameters": {"type": "OBJECT",
            "properties": {"type": {"type": "STRING"}}}}]}],
        "messages": [
            {"role": "user", "parts": [{"text": "Mend it."}]},
            {"role": "model", "parts": [{"text": "Hm.", "thought": True}, {"text": "I look."},
                {"functionCall": {"id": "a", "name": "ls", "args": {}}}]},
            {"role": "user", "parts": [_RESPONSE]},
            {"role": "model", "parts": [{"text": "Done."}]},
            {"role": "user", "parts": [{"text": "And now?"}]},
        ]}}}],
}  # fmt: skip


def test_gemini_s_log_is_one_of_changes_and_its_results_are_taken_once() -> None:
    form = recognise(GEMINI, "session")
    assert form is not None
    said = form.read(GEMINI)
    roles = [turn["role"] for turn in said.messages]
    assert roles == ["user", "user", "assistant", "tool", "assistant"]
    assert said.not_carried == {
        "counts of tokens": 1,
        "messages of the program's own: info": 1,
        "schemas of tools, which the format does not hold": 1,
    }


def test_sii_s_last_request_is_the_conversation_and_its_schemas_are_json_s() -> None:
    said = read(SII)
    assert [turn["role"] for turn in said.messages] == [
        "system", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert said.messages[2]["reasoning_content"] == "Hm."
    parameters = said.tools[0]["function"]["parameters"]
    assert parameters == {"type": "object", "properties": {"type": {"type": "string"}}}
    assert said.not_carried["last words that nobody answered"] == 1
    assert conversation_flaw(said.messages) is None


def test_atif_s_observations_answer_the_calls_that_they_name_or_else_in_order() -> None:
    said = read(ATIF)
    assert said.messages[1] == {"role": "user", "content": "Mend it."}
    assert said.messages[2]["reasoning_content"] == "Hm."
    answers = [turn for turn in said.messages if turn["role"] == "tool"]
    assert {turn["tool_call_id"]: turn["content"] for turn in answers} == {
        "a": "first", "b": "second",
    }  # fmt: skip
    assert said.messages[-2] == {"role": "user", "content": "Not enough."}
    assert (said.scaffold.name, said.model) == ("some-agent", "some-model")
    assert said.tools == ({"name": "bash"},)
    assert said.not_carried == {
        "steps that copy a context": 1, "measures of steps": 1, "parts of a content: image": 1,
    }  # fmt: skip


@pytest.mark.parametrize("session", [CODEX, CLAUDE, GEMINI])
def test_a_session_s_pieces_become_turns(session: list[Any]) -> None:
    form = recognise(session, "session")
    assert form is not None
    said = form.read(session)
    assert conversation_flaw(said.messages) is None
    spoken = [turn for turn in said.messages if turn["role"] == "assistant"]
    assert [turn["content"] for turn in spoken] == ["I look.", "Done."]
    assert spoken[0]["reasoning_content"] == "Hm."
    assert said.model == "some-model"
    answers = [turn["content"] for turn in said.messages if turn["role"] == "tool"]
    assert answers[0] == "code.py"


def test_codex_s_free_input_is_an_argument_and_its_own_lines_are_counted() -> None:
    form = recognise(CODEX, "session")
    assert form is not None
    said = form.read(CODEX)
    calls = said.messages[2]["tool_calls"]
    assert calls[1]["function"] == {"name": "apply_patch", "arguments": {"input": "*** Begin"}}
    assert said.not_carried["encrypted thoughts"] == 1
    assert said.not_carried["lines of the program's own: event_msg"] == 1


def test_claude_code_s_other_branches_and_subagents_are_counted() -> None:
    form = recognise(CLAUDE, "session")
    assert form is not None
    said = form.read(CLAUDE)
    assert "Never mind." not in [turn["content"] for turn in said.messages]
    assert said.not_carried["turns of branches that were given up"] == 1
    assert said.not_carried["turns of subagents"] == 1
    assert said.not_carried["lines of the program's own: summary"] == 1


def test_ids_that_are_used_again_are_made_unlike_and_open_calls_are_answered() -> None:
    turns = Turns()
    turns.say("user", "Do it.")
    for answer in ("one", None, "three"):
        turns.call("a", "bash", {})
        if answer:
            turns.answer("a", answer)
        turns.say("user", "Go on.")
    turns.answer("b", "to nobody")
    turns.say("assistant", "Done.")
    said, rest = turns.done()
    assert [turn["tool_call_id"] for turn in said if turn["role"] == "tool"] == ["a", "a.2", "a.3"]
    assert conversation_flaw(normal_messages(list(said))) is None
    assert turns.lost["calls that were never answered"] == 1
    assert turns.lost["answers to no call, or second ones"] == 1
    assert rest == ()


def read(value: Any) -> Any:
    form = recognise(value, "document")
    assert form is not None
    return form.read(value)


def test_swe_agent_s_history_is_the_conversation() -> None:
    said = read(SWE_AGENT)
    roles = [turn["role"] for turn in said.messages]
    assert roles == ["system", "user", "assistant", "tool", "assistant"]
    assert said.messages[1]["content"] == "Mend it."
    assert said.messages[3] == {"role": "tool", "content": "code.py", "tool_call_id": "a"}
    assert said.messages[2]["tool_calls"][0]["function"]["arguments"] == {"command": "ls"}
    assert [turn["content"] for turn in said.closing] == ["the diff"]
    assert (said.model, said.exit_status, said.patch) == (
        "some-model", "submitted", "diff --git a/x b/x\n",
    )  # fmt: skip
    assert said.not_carried["turns of other agents"] == 1
    assert said.not_carried["states and times of steps"] == 1
    assert conversation_flaw(said.messages) is None


def test_sharegpt_s_calls_get_ids_and_their_answers() -> None:
    said = read(SHAREGPT)
    assert said.task_id == "task-1"
    calls = said.messages[2]["tool_calls"]
    assert [call["id"] for call in calls] == ["call_1", "call_2"]
    assert calls[0]["function"] == {"name": "a", "arguments": {"x": 1}}
    answers = [(turn["tool_call_id"], turn["content"]) for turn in said.messages[3:5]]
    assert answers == [("call_1", "first"), ("call_2", "second")]
    assert said.tools == ({"name": "bash"},)
    assert said.not_carried == {"weight of turns": 1}
    assert conversation_flaw(said.messages) is None


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "who": ({**SHAREGPT, "conversations": [{"from": "cat", "value": "x"}]}, "nobody knows"),
    "call": ({**SHAREGPT, "conversations": [{"from": "function_call", "value": "x"}]}, "no JSON"),
    "tools": ({**SHAREGPT, "tools": "{"}, "tools are no JSON"),
    "value": ({**SHAREGPT, "conversations": [{"from": "gpt", "value": 7}]}, "no text"),
    "silent": ({**SWE_AGENT, "history": SWE_AGENT["history"][:2]}, "never speaks"),
    "info": ({**SWE_AGENT, "info": {"exit_status": 7}}, "Expected"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_wrong_is_told(name: str) -> None:
    value, reason = BAD[name]
    with pytest.raises(TrajectoryError, match=reason):
        read(value)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _places(item, (*path, place))


OWN: dict[str, tuple[str, Any]] = {
    "swe-agent": ("document", SWE_AGENT),
    "atif": ("document", ATIF),
    "sii-cli": ("document", SII),
    "codex": ("session", CODEX),
    "claude-code": ("session", CLAUDE),
    "gemini-cli": ("session", GEMINI),
    "sharegpt": ("line", SHAREGPT),
}


@pytest.mark.parametrize("name", list(OWN))
def test_a_format_is_known_as_itself_alone(name: str) -> None:
    unit, value = OWN[name]
    assert {form.name for form in FORMATS if form.unit == unit and form.fits(value)} == {name}


VALUES: list[Any] = [SWE_AGENT, SHAREGPT, ATIF, CODEX, CLAUDE, GEMINI, SII, *SESSIONS]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 7, "", "x", [], {}, [{}], {"a": 1}, True, 1.5, "{", [None]]
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutilated_values_are_refused_in_words_or_read(data: st.DataObject) -> None:
    value: Any = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    path = data.draw(st.sampled_from([path for path in _places(value) if path]))
    inner: Any = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = data.draw(ODD)
    for form in FORMATS:
        assert form.fits(value) in (True, False)
        try:
            said = form.read(value)
        except TrajectoryError:
            continue
        assert said.messages
