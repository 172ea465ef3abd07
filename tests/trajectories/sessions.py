"""Trajectories as other programs leave them, in which the same is done: look, and be done."""

from __future__ import annotations

import json
from typing import Any

ANSWER = "code.py"
ARGUMENTS = {"command": "ls"}
_PARSED = json.dumps(ARGUMENTS)


def _call(name: str = "bash") -> dict[str, Any]:
    return {"id": "a", "type": "function", "function": {"name": name, "arguments": _PARSED}}


SII_STREAM: list[Any] = [
    {"role": "user", "content": "Mend it."},
    {"type": "status", "status": "ready", "available_tools": ["bash"]},
    {"type": "assistant_message", "content": [{"type": "text", "text": "I look."}]},
    {"type": "tool_call", "tool_call_id": "a", "tool_name": "bash", "args": ARGUMENTS},
    {"type": "tool_result", "tool_use_id": "a", "content": ANSWER, "is_error": False},
    {"role": "assistant", "content": [{"type": "text", "text": "Done."}]},
    {"type": "completed", "metadata": {"turns_used": 1}},
]
SII_DOCUMENT: dict[str, Any] = {
    "trajectory_format": "sii-sdk-1",
    "info": {"sdk_version": "0.1.11", "model": "some-model", "exit_status": "completed"},
    "stream": SII_STREAM,
    "state": {"history": []},
}


def _entry(identity: str, parent: str | None, role: str, content: Any, **more: Any) -> Any:
    message = {"role": role, "content": content, **more}
    return {"type": "message", "id": identity, "parentId": parent, "message": message}


PI: list[Any] = [
    {"type": "session", "version": 3, "id": "s", "cwd": "/project"},
    _entry("1", None, "user", "Mend it."),
    _entry("x", "1", "assistant", [{"type": "text", "text": "No."}], model="some-model"),
    {"type": "model_change", "id": "2", "parentId": "1", "modelId": "some-model"},
    _entry("3", "2", "assistant", [
        {"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "I look."},
        {"type": "toolCall", "id": "a", "name": "bash", "arguments": ARGUMENTS},
    ], model="some-model", stopReason="toolUse"),
    _entry("4", "3", "toolResult", [{"type": "text", "text": ANSWER}], toolCallId="a"),
    _entry("5", "4", "assistant", [{"type": "text", "text": "Done."}], model="some-model",
           stopReason="stop"),
]  # fmt: skip

PI_MORE: list[Any] = [
    {"type": "session", "version": 3, "id": "s", "cwd": "/home/ada/.openclaw/workspace"},
    _entry("1", None, "user", [{"type": "text", "text": "Mend it."}, {"type": "image"}]),
    _entry("2", "1", "bashExecution", None, command="ls", output=ANSWER, exitCode=1),
    _entry("3", "2", "bashExecution", None, command="env", output="x", excludeFromContext=True),
    {"type": "custom_message", "id": "4", "parentId": "3", "content": "A rule."},
    {"type": "branch_summary", "id": "5", "parentId": "4", "summary": "It failed.", "fromId": "x"},
    _entry("6", "5", "assistant", [{"type": "text", "text": "I lo"}], stopReason="aborted"),
    _entry("7", "6", "assistant", [
        {"type": "thinking", "thinking": "", "thinkingSignature": "x"},
        {"type": "text", "text": "Done."}], usage={"input": 1}, stopReason="stop"),
    {"type": "compaction", "id": "8", "parentId": "7", "summary": "All done."},
    {"type": "label", "id": "9", "parentId": "8", "label": "end"},
]  # fmt: skip


def _response(identity: str, content: str, *calls: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "tool_calls": list(calls)}
    return {"id": identity, "model": "some-model", "choices": [{"message": message}]}


_LOOKED = {"tool_call_id": "a", "function_name": "bash",
           "model_response": _response("r1", "I look.", _call())}  # fmt: skip
_FINISH = {"id": "b", "type": "function", "function": {"name": "finish", "arguments": "{}"}}
EVENTS: list[Any] = [
    {"id": 0, "source": "agent", "action": "system",
     "args": {"content": "You program.", "tools": [{"type": "function", "function": {}}]}},
    {"id": 1, "source": "user", "action": "message", "args": {"content": "Mend it."}},
    {"id": 2, "source": "user", "action": "recall", "args": {"query": "Mend it."}},
    {"id": 3, "source": "agent", "action": "run", "args": ARGUMENTS, "tool_call_metadata": _LOOKED},
    # The same answer of the model, told a second time.
    {"id": 4, "source": "agent", "action": "run", "args": ARGUMENTS, "tool_call_metadata": _LOOKED},
    {"id": 5, "source": "agent", "observation": "run", "cause": 3, "content": ANSWER,
     "tool_call_metadata": {"tool_call_id": "a"}},
    {"id": 6, "source": "agent", "action": "finish", "args": {}, "tool_call_metadata": {
        "tool_call_id": "b", "model_response": _response("r2", "Done.", _FINISH)}},
    {"id": 7, "source": "environment", "observation": "agent_state_changed", "content": "",
     "extras": {"agent_state": "finished"}},
]  # fmt: skip
EVALUATION: dict[str, Any] = {
    "instance_id": "owner__name-1",
    "history": EVENTS,
    "metadata": {"llm_config": {"model": "some-model"}},
    "test_result": {"git_patch": "diff --git a/x b/x\n"},
    "report": {"resolved": True},
}
_RAN = {"exit_code": 2, "working_dir": "/project", "py_interpreter_path": "/usr/bin/python",
        "prefix": "[Below]\n", "suffix": "\n[Done]"}  # fmt: skip
_BOTH = _response("r", "Both.", _call(), {**_call(), "id": "c"})
MORE_EVENTS: list[Any] = [
    EVENTS[1],
    {"id": 2, "source": "user", "action": "run", "args": {"command": "pwd"}},
    {"id": 3, "source": "agent", "observation": "run", "cause": 2, "content": "/project"},
    {"id": 4, "source": "agent", "action": "run", "args": ARGUMENTS, "tool_call_metadata": {
        "tool_call_id": "a", "model_response": {**_BOTH, "id": None}}},
    {"id": 5, "source": "agent", "observation": "run", "cause": 4, "content": ANSWER,
     "extras": {"metadata": _RAN}, "tool_call_metadata": {"tool_call_id": "a"}},
    # The action that it answers was not kept.
    {"id": 7, "source": "agent", "observation": "error", "cause": 6, "content": "No such tool.",
     "tool_call_metadata": {"tool_call_id": "c", "model_response": {**_BOTH, "id": None}}},
    {"id": 8, "source": "agent", "observation": "error", "content": "Call it otherwise."},
    {"id": 9, "source": "agent", "action": "message", "args": {
        "content": "Which?", "image_urls": ["data:"]}},
    {"id": 9, "source": "agent", "action": "message", "args": {
        "content": "Which?", "image_urls": ["data:"]}},
    {"id": 10, "source": "user", "action": "message", "args": {"content": "This."}},
    {"id": 11, "source": "agent", "action": "run", "args": ARGUMENTS, "tool_call_metadata": {
        "tool_call_id": "d", "model_response": _response("r3", "", {**_call(), "id": "d"})}},
    {"id": 12, "source": "agent", "observation": "user_rejected", "cause": 11, "content": "No.",
     "tool_call_metadata": {"tool_call_id": "d"}},
    {"id": 13, "source": "agent", "action": "finish", "args": {"thought": "Done."}},
]  # fmt: skip
PAIRS: dict[str, Any] = {
    "instance_id": "owner__name-1",
    "instruction": "Mend it.",
    "history": [MORE_EVENTS[i : i + 2] for i in range(0, len(MORE_EVENTS), 2)],
    "metadata": {"agent_class": "CodeActAgent", "llm_config": {"model": "m"}, "start_time": "x"},
    "test_result": {"git_patch": "", "report": {"resolved": False}, "test_output": "ok"},
    "metrics": {"cost": 1},
    "error": "RuntimeError: too many steps",
}
EVENT_FILES: dict[str, Any] = {f"events/{event['id']}.json": event for event in EVENTS}
TEXT_EVENTS: list[Any] = [
    EVENTS[1],
    {"id": 2, "source": "agent", "action": "run",
     "args": {"command": "ls", "thought": "I look.", "hidden": False}},
    {"id": 3, "source": "agent", "observation": "run", "cause": 2, "content": ANSWER},
    {"id": 4, "source": "agent", "action": "finish", "args": {"final_thought": "Done."}},
]  # fmt: skip
_ASKED: list[Any] = [
    {"role": "system", "content": [{"type": "text", "text": "You program."}]},
    {"role": "user", "content": [{"type": "text", "text": "Mend it."}]},
    {"role": "assistant", "content": "I look.", "tool_calls": [_call()]},
    {"role": "tool", "content": ANSWER, "tool_call_id": "a", "name": "bash"},
]
COMPLETION: dict[str, Any] = {
    "fncall_messages": _ASKED,
    "response": _response("r2", "Done."),
    "kwargs": {"tools": [{"type": "function", "function": {"name": "bash"}}]},
}
COMPLETION_FILES: dict[str, Any] = {
    "completions/model-1.json": {**COMPLETION, "fncall_messages": _ASKED[:2]},
    "completions/model-2.json": COMPLETION,
}
_PAD = dict.fromkeys(("content", "name", "tool_call_id", "tool_calls"))
ROW: dict[str, Any] = {
    "trajectory_id": "t",
    "instance_id": "owner__name-1",
    "trajectory": [
        {**_PAD, "role": "user", "content": "Mend it."},
        {**_PAD, "role": "assistant", "content": "I look.", "tool_calls": [_call()]},
        {**_PAD, "role": "tool", "content": ANSWER, "tool_call_id": "a", "name": "bash"},
        {**_PAD, "role": "assistant", "content": "Done."},
    ],
    "tools": [{"type": "function", "function": {"name": "bash", "parameters": {"x": None}}}],
    "model_patch": "diff --git a/x b/x\n",
    "exit_status": "submit",
    "resolved": 1,
}


def _text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


SDK_FILES: dict[str, Any] = {
    "base_state.json": {"agent": {"llm": {"model": "some-model"}}, "execution_status": "finished"},
    "events/event-00000-a.json": {"kind": "SystemPromptEvent",
        "system_prompt": _text("You program."), "dynamic_context": _text("Today."),
        "tools": [{"kind": "TerminalTool", "description": "x"}]},
    "events/event-00001-b.json": {"kind": "MessageEvent", "source": "user",
        "llm_message": {"role": "user", "content": [_text("Mend it.")]}},
    "events/event-00002-c.json": {"kind": "ActionEvent", "thought": [_text("I look.")],
        "reasoning_content": "Hm.", "tool_name": "bash", "tool_call_id": "a",
        "tool_call": {"id": "a", "name": "bash", "arguments": _PARSED}},
    "events/event-00003-d.json": {"kind": "ObservationEvent", "tool_call_id": "a",
        "observation": {"content": [_text(ANSWER)], "kind": "TerminalObservation"}},
    "events/event-00004-e.json": {"kind": "ConversationStateUpdateEvent"},
    "events/event-00005-f.json": {"kind": "MessageEvent", "source": "agent",
        "llm_message": {"role": "assistant", "content": [_text("Done.")]}},
}  # fmt: skip
_ACTED = {"kind": "ActionEvent", "thought": [], "llm_response_id": "r1", "tool_name": "bash"}
SDK_TREE: dict[str, Any] = {
    "base_state.json": {"agent": {"llm": {"model": "m"}}, "leaf_event_id": "8", "stats": {"a": 1}},
    **{f"events/event-0000{n}-{event['id']}.json": event for n, event in enumerate([
        {"id": "0", **SDK_FILES["events/event-00001-b.json"]},
        {"id": "1", "parent_id": "0", **_ACTED,
         "tool_call": {"id": "a", "name": "no", "arguments": "{}"}, "thought": [_text("Both.")]},
        {"id": "2", "parent_id": "1", "kind": "AgentErrorEvent", "error": "?", "tool_call_id": "a"},
        {"id": "3", "parent_id": "2", **_ACTED,
         "tool_call": {"id": "c", "name": "bash", "arguments": _PARSED}},
        {"id": "4", "parent_id": "3", "kind": "ObservationEvent", "tool_call_id": "c",
         "observation": {"content": [_text(ANSWER)], "is_error": True,
                         "metadata": {"exit_code": 2}},
         "extended_content": [_text("A rule.")]},
        {"id": "5", "parent_id": "4", "kind": "MessageEvent",
         "llm_message": {"role": "assistant", "content": [_text("Given up.")]}},
        {"id": "6", "kind": "ConversationStateUpdateEvent"},
        {"id": "7", "parent_id": "4", **SDK_FILES["events/event-00005-f.json"]},
        {"id": "8", "parent_id": "7", "kind": "MessageEvent",
         "llm_message": {"role": "user", "content": [_text("Thanks.")]}},
    ])},
}  # fmt: skip
MINI_1: dict[str, Any] = {
    "trajectory_format": "mini-swe-agent-1",
    "info": {"exit_status": "Submitted", "submission": "diff --git a/x b/x\n",
             "mini_version": "1.17.5", "config": {"model": {"model_name": "some-model"}}},
    "messages": [
        {"role": "system", "content": "You program.", "timestamp": 1.0},
        {"role": "user", "content": "Mend it.", "timestamp": 1.0},
        {"role": "assistant", "content": "I look.\n\n```bash\nls\n```", "extra": {"response": {}}},
        {"role": "user", "content": f"<output>\n{ANSWER}\n</output>", "timestamp": 2.0},
        {"role": "assistant", "content": "Done.\n\n```bash\necho DONE\n```"},
        {"role": "user", "content": "diff --git a/x b/x\n", "timestamp": 3.0},
    ],
}  # fmt: skip

WITH_TOOLS: dict[str, tuple[str, str, Any]] = {
    "sii-stream": ("sii-sdk", "session", SII_STREAM),
    "sii-document": ("sii-sdk", "document", SII_DOCUMENT),
    "pi": ("pi", "session", PI),
    "openhands-events": ("openhands", "document", EVENTS),
    "openhands-text": ("openhands", "document", TEXT_EVENTS),
    "openhands-evaluation": ("openhands", "line", EVALUATION),
    "openhands-files": ("openhands", "folder", EVENT_FILES),
    "openhands-completion": ("openhands", "document", COMPLETION),
    "openhands-completions": ("openhands", "folder", COMPLETION_FILES),
    "openhands-row": ("openhands", "row", ROW),
    "openhands-sdk": ("openhands", "folder", SDK_FILES),
}
"""Format, unit and value; each one looks with a tool and is done."""
SESSIONS: list[Any] = [
    *(value for _, _, value in WITH_TOOLS.values()),
    MINI_1,
    MORE_EVENTS,
    PAIRS,
    SDK_TREE,
    PI_MORE,
]
