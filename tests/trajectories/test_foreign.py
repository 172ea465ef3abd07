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


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 7, "", "x", [], {}, [{}], {"a": 1}, True, 1.5, "{", [None]]
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutilated_values_are_refused_in_words_or_read(data: st.DataObject) -> None:
    value = copy.deepcopy(data.draw(st.sampled_from([SWE_AGENT, SHAREGPT])))
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
