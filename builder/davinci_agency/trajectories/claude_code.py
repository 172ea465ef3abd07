"""Reads the sessions of Claude Code: a file of JSON Lines is one session; pure.

Lines of ``user`` and ``assistant`` hold messages as Anthropic has them: results of tools stand in
the user's. Side chains (what subagents said), summaries and the program's own lines are counted.
Where a conversation was taken up again from an earlier line, the branch that ends last is the one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from davinci_agency.records import Scaffold
from davinci_agency.trajectories.assembling import Turns, text_of
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

Line = Mapping[str, Any]


def fits(value: Any) -> bool:
    """Tell whether the lines of a file are a session of Claude Code."""
    return isinstance(value, list) and any(
        isinstance(line, Mapping)
        and line.get("type") in ("user", "assistant")
        and isinstance(line.get("message"), Mapping)
        and "sessionId" in line
        for line in value
    )


def read(value: Any) -> Conversation:
    """Return a session. Raises `TrajectoryError` saying what is wrong with it."""
    if not isinstance(value, list) or not all(isinstance(line, Mapping) for line in value):
        raise TrajectoryError("$", "a session is a list of objects")
    turns = Turns()
    spoken: list[Line] = []
    for line in value:
        kind = line.get("type")
        if kind not in ("user", "assistant") or line.get("isMeta"):
            turns.lost[f"lines of the program's own: {str(kind)[:40]}"] += 1
        elif line.get("isSidechain"):
            turns.lost["turns of subagents"] += 1
        else:
            spoken.append(line)
    branch = _last_branch(spoken)
    turns.lost["turns of branches that were given up"] += len(spoken) - len(branch)
    version = model = None
    for line in branch:
        message = line.get("message")
        if not isinstance(message, Mapping):
            raise TrajectoryError("$.message", "a line holds no message")
        version = line.get("version") or version
        model = message.get("model") or model
        _add(str(line["type"]), message, turns)
    said, rest = turns.done()
    turns.lost["last words that nobody answered"] += len(rest)
    turns.lost["schemas of tools, which the format does not hold"] += any(
        "tool_calls" in turn for turn in said
    )
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="claude-code",
        scaffold=Scaffold("claude-code", version if isinstance(version, str) else None),
        model=model if isinstance(model, str) else None,
        not_carried=+turns.lost,
    )


def _last_branch(lines: list[Line]) -> list[Line]:
    """Return the lines from the first to the last, each one the parent of the next."""
    by_id = {line["uuid"]: line for line in lines if isinstance(line.get("uuid"), str)}
    if not by_id or not lines:
        return lines
    branch: list[Line] = []
    line: Line | None = lines[-1]
    seen: set[str] = set()
    while line is not None:
        branch.append(line)
        parent = line.get("parentUuid")
        if not isinstance(parent, str) or parent in seen:
            break
        seen.add(parent)
        if parent not in by_id:
            # It stands on a line of the program's own: what came before it is all that there is.
            place = lines.index(line)
            branch += reversed(lines[:place])
            break
        line = by_id[parent]
    return branch[::-1]


def _add(role: str, message: Line, turns: Turns) -> None:
    content = message.get("content")
    if isinstance(content, str):
        turns.say(role, content)
        return
    for part in content if isinstance(content, list) else []:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            turns.say(role, part["text"])
        elif kind == "thinking" and isinstance(part.get("thinking"), str):
            turns.think(part["thinking"])
        elif kind == "tool_use" and isinstance(part.get("id"), str):
            turns.call(part["id"], str(part.get("name")), part.get("input") or {})
        elif kind == "tool_result":
            turns.answer(str(part.get("tool_use_id")), text_of(part.get("content"), turns))
        else:
            turns.lost[f"parts of a content: {str(kind)[:40]}"] += 1
