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
SESSIONS: list[Any] = [value for _, _, value in WITH_TOOLS.values()] + [MINI_1]
