"""Contents as Google's models have them: text, calls of functions, and their responses; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from davinci_agency.trajectories.assembling import Turns


def add_parts(role: str, parts: Any, turns: Turns) -> None:
    """Add what stands in some parts; a role that is ``model`` or ``gemini`` is the assistant's."""
    who = "assistant" if role in ("model", "gemini") else "user"
    if isinstance(parts, str):
        parts = [{"text": parts}]
    for part in parts if isinstance(parts, list) else []:
        kinds = part.keys() if isinstance(part, Mapping) else ()
        if isinstance(part, Mapping) and isinstance(part.get("text"), str):
            if part.get("thought") is True:
                turns.think(part["text"])
            else:
                turns.say(who, part["text"])
        elif isinstance(part, Mapping) and isinstance(part.get("functionCall"), Mapping):
            call = part["functionCall"]
            name = str(call.get("name"))
            turns.call(str(call.get("id") or name), name, call.get("args") or {})
        elif isinstance(part, Mapping) and isinstance(part.get("functionResponse"), Mapping):
            add_response(part["functionResponse"], turns)
        else:
            turns.lost[f"parts of a content: {', '.join(sorted(map(str, kinds)))[:40]}"] += 1


def add_response(response: Mapping[str, Any], turns: Turns) -> None:
    """Add the response to a call."""
    said = response.get("response")
    output = said.get("output") if isinstance(said, Mapping) else None
    text = output if isinstance(output, str) else orjson.dumps(said).decode()
    turns.answer(str(response.get("id") or response.get("name")), text)
