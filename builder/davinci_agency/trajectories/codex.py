"""Reads the rollouts of Codex CLI: a file of JSON Lines is one session; pure.

``response_item`` lines are what the model read and said; the rest is the program's own books. What
it put before the conversation, as a user or a developer, was read by the model and stays. Thoughts
are there only where they are not encrypted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from davinci_agency.records import Scaffold
from davinci_agency.trajectories.assembling import Turns, text_of
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

_ROLES = {"developer": "system", "system": "system", "user": "user", "assistant": "assistant"}


def fits(value: Any) -> bool:
    """Tell whether the lines of a file are a session of Codex."""
    return (
        isinstance(value, list)
        and any(isinstance(line, Mapping) and line.get("type") == "session_meta" for line in value)
        and all(isinstance(line, Mapping) and "payload" in line for line in value if line)
    )


def read(value: Any) -> Conversation:
    """Return a session. Raises `TrajectoryError` saying what is wrong with it."""
    if not isinstance(value, list):
        raise TrajectoryError("$", "a session is a list of lines")
    turns = Turns()
    version = model = None
    for place, line in enumerate(value):
        payload = line.get("payload") if isinstance(line, Mapping) else None
        if not isinstance(payload, Mapping):
            raise TrajectoryError(f"$[{place}]", "a line has no payload")
        kind = line.get("type")
        if kind == "session_meta":
            version = payload.get("cli_version")
            instructions = payload.get("base_instructions")
            if isinstance(instructions, Mapping) and isinstance(instructions.get("text"), str):
                turns.say("system", instructions["text"])
        elif kind == "turn_context":
            model = payload.get("model") or model
        elif kind == "response_item":
            _add(payload, turns, f"$[{place}].payload")
        if kind != "response_item":
            turns.lost[f"lines of the program's own: {str(kind)[:40]}"] += 1
    said, rest = turns.done()
    turns.lost["last words that nobody answered"] += len(rest)
    turns.lost["schemas of tools, which the format does not hold"] += any(
        "tool_calls" in turn for turn in said
    )
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="codex",
        scaffold=Scaffold("codex", version if isinstance(version, str) else None),
        model=model if isinstance(model, str) else None,
        not_carried=+turns.lost,
    )


def _add(item: Mapping[str, Any], turns: Turns, path: str) -> None:
    kind = item.get("type")
    if kind == "message":
        role = _ROLES.get(str(item.get("role")))
        if role is None:
            raise TrajectoryError(f"{path}.role", "nobody knows who speaks")
        turns.say(role, text_of(item.get("content"), turns))
    elif kind == "reasoning":
        thought = text_of(item.get("content") or item.get("summary"), turns)
        turns.think(thought)
        turns.lost["encrypted thoughts"] += not thought
    elif kind in ("function_call", "custom_tool_call", "local_shell_call"):
        call_id, name = item.get("call_id"), item.get("name") or kind
        if not isinstance(call_id, str) or not isinstance(name, str):
            raise TrajectoryError(f"{path}.call_id", "a call has no id, or no name")
        turns.call(call_id, name, _arguments(item))
    elif kind in ("function_call_output", "custom_tool_call_output", "local_shell_call_output"):
        turns.answer(str(item.get("call_id")), _output(item.get("output"), turns))
    else:
        turns.lost[f"items: {str(kind)[:40]}"] += 1


def _arguments(item: Mapping[str, Any]) -> Any:
    if item.get("type") == "custom_tool_call":
        # Its input is free text, such as a patch.
        return {"input": item.get("input")}
    if item.get("type") == "local_shell_call":
        return item.get("action") if isinstance(item.get("action"), dict) else {}
    return item.get("arguments") or {}


def _output(output: Any, turns: Turns) -> str:
    if isinstance(output, Mapping):
        content = output.get("content", output.get("output"))
        return content if isinstance(content, str) else orjson.dumps(output).decode()
    return text_of(output, turns)
