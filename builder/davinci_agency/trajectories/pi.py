"""Reads the sessions of Pi and OpenClaw: a file of JSON Lines is one session; pure.

The first line says whose it is; each entry names its parent, and the branch that the last entry
ends is the conversation. Where the program made a summary of what came before, all of it is here,
and the summary is counted; so are its own entries, and answers that broke off: the model never sees
them again. A command that the person ran, what an extension added and the summary of another branch
are the user's, in the words in which Pi hands them to the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from davinci_agency.records import Scaffold
from davinci_agency.trajectories.assembling import Turns, parts_of, text_of
from davinci_agency.trajectories.rollout import Conversation, TrajectoryError, normal_messages

Entry = Mapping[str, Any]
_BROKEN_OFF = ("error", "aborted")


def fits(value: Any) -> bool:
    """Tell whether the lines of a file are such a session."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, Mapping) and first.get("type") == "session" and "cwd" in first


def read(value: Any) -> Conversation:
    """Return a session. Raises `TrajectoryError` saying what is wrong with it."""
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise TrajectoryError("$", "a session is a list of objects")
    entries = [entry for entry in value if entry.get("type") != "session"]
    turns = Turns()
    branch = _last_branch(entries)
    turns.lost["entries of branches that were given up"] += len(entries) - len(branch)
    model = ended = None
    for entry in branch:
        message = _message(entry)
        if message is None:
            turns.lost[f"entries of the program's own: {str(entry.get('type'))[:40]}"] += 1
        else:
            model = message.get("model") or model
            ended = message.get("stopReason") or ended
            _add(message, turns)
    said, rest = turns.done()
    turns.lost["last words that nobody answered"] += len(rest)
    turns.lost["the system prompt, which the format does not hold"] += 1
    turns.lost["schemas of tools, which the format does not hold"] += any(
        "tool_calls" in turn for turn in said
    )
    about = value[0] if value else {}
    name = "openclaw" if "openclaw" in str(about.get("cwd", "")).lower() else "pi"
    return Conversation(
        messages=tuple(normal_messages(list(said))),
        source_format="pi",
        scaffold=Scaffold(name, None),
        model=model if isinstance(model, str) else None,
        exit_status=ended if isinstance(ended, str) else None,
        not_carried=+turns.lost,
    )


def _message(entry: Entry) -> Entry | None:
    """Return the message that an entry brings; ``None`` if it is of the program's own."""
    kind, message = entry.get("type"), entry.get("message")
    if kind == "custom_message":
        return {**entry, "role": "custom"}
    if kind == "branch_summary":
        return {**entry, "role": "branchSummary"}
    return message if kind == "message" and isinstance(message, Mapping) else None


def _last_branch(entries: list[Entry]) -> list[Entry]:
    """Return the entries from the first to the last, each one the parent of the next."""
    by_id = {entry["id"]: entry for entry in entries if isinstance(entry.get("id"), str)}
    if not by_id:
        return entries
    branch: list[Entry] = []
    entry: Entry | None = entries[-1]
    seen: set[int] = set()
    while entry is not None and id(entry) not in seen:
        seen.add(id(entry))
        branch.append(entry)
        parent = entry.get("parentId")
        entry = by_id.get(parent) if isinstance(parent, str) else None
    return branch[::-1]


def _add(message: Entry, turns: Turns) -> None:
    role, content = message.get("role"), message.get("content")
    if role in ("user", "custom"):
        turns.say("user", text_of(content, turns))
    elif role == "toolResult":
        turns.answer(str(message.get("toolCallId")), text_of(content, turns))
    elif role == "bashExecution" and not message.get("excludeFromContext"):
        turns.say("user", _executed(message))
    elif role == "branchSummary":
        opening = "The following is a summary of a branch that this conversation came back from:"
        turns.say("user", f"{opening}\n\n<summary>\n{message.get('summary')}</summary>")
    elif role == "assistant" and message.get("stopReason") in _BROKEN_OFF:
        turns.lost["answers of the model that broke off"] += 1
    elif role == "assistant":
        for part in parts_of(content):
            _add_part(part, turns)
        turns.lost["counts of tokens"] += bool(message.get("usage"))
    else:
        turns.lost[f"messages of the program's own: {str(role)[:40]}"] += 1


def _executed(message: Entry) -> str:
    output, code = message.get("output"), message.get("exitCode")
    told = f"Ran `{message.get('command')}`\n" + (
        f"```\n{output}\n```" if output else "(no output)"
    )
    if message.get("cancelled"):
        return f"{told}\n\n(command cancelled)"
    return f"{told}\n\nCommand exited with code {code}" if code else told


def _add_part(part: Any, turns: Turns) -> None:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind == "text" and isinstance(part.get("text"), str):
        turns.say("assistant", part["text"])
    elif kind == "thinking" and isinstance(part.get("thinking"), str):
        turns.think(part["thinking"])
        turns.lost["encrypted thoughts"] += not part["thinking"]
    elif kind == "toolCall" and isinstance(part.get("id"), str):
        turns.call(part["id"], str(part.get("name")), part.get("arguments") or {})
    else:
        turns.lost[f"parts of a content: {str(kind)[:40]}"] += 1
