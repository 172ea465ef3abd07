"""Reads SII-CLI's conversation logs; pure.

One document is one session. The last request to the model holds all that was said before it; the
reply to it is not in the log, so the conversation ends with the assistant's turn before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.assembling import Turns
from davinci_agency.trajectories.gemini_parts import add_parts
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

_REQUEST = "api_request_full"


def fits(value: Any) -> bool:
    """Tell whether a JSON document is such a log."""
    events = value.get("events") if isinstance(value, Mapping) else None
    return isinstance(events, list) and any(
        isinstance(event, Mapping) and event.get("type") == _REQUEST for event in events
    )


def read(value: Any) -> Conversation:
    """Return one session. Raises `TrajectoryError` saying what is wrong with it."""
    events = value.get("events") if isinstance(value, Mapping) else None
    requests = [
        event
        for event in (events if isinstance(events, list) else ())
        if isinstance(event, Mapping) and event.get("type") == _REQUEST
    ]
    data = requests[-1].get("data") if requests else None
    request = data.get("full_request") if isinstance(data, Mapping) else None
    if not isinstance(request, Mapping) or not isinstance(request.get("messages"), list):
        raise TrajectoryError("$.events", "there is no request to a model")
    turns = Turns()
    turns.lost["earlier requests, which the last one holds"] += len(requests) - 1
    turns.lost["other events"] += len(events) - len(requests) if events else 0
    turns.lost["the reply to the last request, which the log does not hold"] += 1
    if isinstance(request.get("system_instruction"), str):
        turns.say("system", request["system_instruction"])
    for place, message in enumerate(request["messages"]):
        if not isinstance(message, Mapping):
            raise TrajectoryError(f"$.messages[{place}]", "a message is no object")
        add_parts(str(message.get("role")), message.get("parts"), turns)
    said, rest = turns.done()
    turns.lost["last words that nobody answered"] += len(rest)
    model = value.get("model")
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="sii-cli",
        scaffold=Scaffold("sii-cli", None),
        model=model if isinstance(model, str) else None,
        tools=_tools(request.get("tools")),
        closing=tuple(turn for turn in rest if turn["role"] == "tool"),
        not_carried=+turns.lost,
    )


def _tools(tools: Any) -> tuple[JsonObject, ...]:
    """Return Google's declarations of functions as OpenAI has them."""
    declared = [
        function
        for tool in (tools if isinstance(tools, list) else ())
        if isinstance(tool, Mapping) and isinstance(tool.get("functionDeclarations"), list)
        for function in tool["functionDeclarations"]
        if isinstance(function, Mapping)
    ]
    return tuple(
        {"type": "function", "function": {**function, "parameters": _lowered(schema)}}
        for function in declared
        for schema in (function.get("parameters") or {},)
    )


def _lowered(schema: Any) -> Any:
    """Return a schema with the names of types as JSON Schema has them, in lower case."""
    if isinstance(schema, Mapping):
        return {
            key: item.lower() if key == "type" and isinstance(item, str) else _lowered(item)
            for key, item in schema.items()
        }
    return [_lowered(item) for item in schema] if isinstance(schema, list) else schema
