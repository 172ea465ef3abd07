"""Reads what OpenHands said to its model and was answered: completions, and published rows; pure.

- A completion holds all that was said to the model, and what it answered; the longest one of a
  folder is the conversation, and what it does not hold of the others is counted. A model without
  calls of tools was asked in words: ``fncall_messages`` are the same with calls.
- A row of the published tables holds messages as ``trajectory``, with nulls where others have more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from davinci_agency.records import JsonObject, Scaffold
from davinci_agency.trajectories.assembling import Turns, text_of
from davinci_agency.trajectories.openhands_parts import (
    mapping,
    patch_of,
    text,
    tools_of,
    truth,
)
from davinci_agency.trajectories.rollout import (
    Conversation,
    TrajectoryError,
    Verdict,
    normal_messages,
    without_nulls,
)

_LEFT_OUT = ("cache_control", "function_call", "provider_specific_fields", "thinking_blocks")
_ASKED = ("messages", "fncall_messages", "response", "fncall_response", "tools")
_ROW = ("trajectory", "tools", "model", "model_patch", "git_patch", "exit_status", "instance_id",
        "resolved")  # fmt: skip


def fits_completion(value: Any) -> bool:
    """Tell whether a document is a completion, as OpenHands logs it."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("response"), Mapping)
        and isinstance(value.get("fncall_messages", value.get("messages")), list)
    )


def read_completion(value: Any) -> Conversation:
    """Return the conversation of a completion. Raises `TrajectoryError` if it is bad."""
    whole = mapping(value)
    given = _given(whole)
    response = mapping(whole.get("fncall_response") or whole.get("response"))
    choices = response.get("choices")
    if not given or not isinstance(choices, list) or not choices:
        raise TrajectoryError("$.response", "there is no answer of a model")
    last = mapping(mapping(choices[0]).get("message"))
    turns = Turns()
    messages = [_plain(message, turns) for message in (*given, last)]
    tools = whole.get("tools") or mapping(whole.get("kwargs")).get("tools")
    turns.lost["settings and costs of completions"] += any(key not in _ASKED for key in whole)
    return Conversation(
        messages=tuple(normal_messages(messages)),
        source_format="openhands",
        scaffold=Scaffold("openhands", None),
        model=text(response.get("model")),
        tools=tools_of(tools, turns),
        not_carried=+turns.lost,
    )


def _given(whole: Mapping[str, Any]) -> list[Any]:
    given = whole.get("fncall_messages") or whole.get("messages")
    return given if isinstance(given, list) else []


def fits_completion_names(names: Any) -> bool:
    """Tell by the names of its files whether a folder holds completions and nothing else."""
    return (
        isinstance(names, Mapping)
        and bool(names)
        and all(
            isinstance(name, str) and (name.startswith("completions/") or _says_when(name))
            for name in names
        )
    )


def _says_when(name: str) -> bool:
    """Tell whether a name is ``MODEL-SECONDS.json`` or ``MODEL-SECONDS-HEX.json``."""
    if "/" in name or not name.isascii():
        return False
    parts = name.removesuffix(".json").split("-")[1:]
    seconds = [part.partition(".") for part in parts[-2:]]
    return any(
        len(whole) == 10 and whole.isdigit() and part.isdigit() for whole, _, part in seconds
    )


def read_completion_files(files: Any) -> Conversation:
    """Return the conversation of a folder of completions. Raises `TrajectoryError` if it is bad."""
    named = sorted(mapping(files).items(), reverse=True)
    found = [value for _, value in named if fits_completion(value)]
    if not found:
        raise TrajectoryError("$", "there is no completion")
    longest = max(found, key=lambda value: len(_given(value)))
    said = read_completion(longest)
    whole = [_plain(message, Turns()) for message in _given(longest)]
    turns = Turns()
    turns.lost.update(said.not_carried)
    turns.lost["files that are no completions"] += len(named) - len(found)
    for other in found:
        asked = [_plain(message, Turns()) for message in _given(other)]
        held = asked == whole[: len(asked)]
        phrase = "earlier completions, which" if held else "completions that"
        turns.lost[f"{phrase} the longest one {'holds' if held else 'does not hold'}"] += (
            other is not longest
        )
    return replace(said, not_carried=+turns.lost)


def fits_row(value: Any) -> bool:
    """Tell whether a row of a table is one of its published trajectories."""
    messages = value.get("trajectory") if isinstance(value, Mapping) else None
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(isinstance(m, Mapping) and "role" in m and "content" in m for m in messages)
    )


def read_row(value: Any) -> Conversation:
    """Return the conversation of a row. Raises `TrajectoryError` if it is bad."""
    row = mapping(value)
    messages = row.get("trajectory")
    if not isinstance(messages, list):
        raise TrajectoryError("$.trajectory", "there are no messages")
    turns = Turns()
    return Conversation(
        messages=tuple(normal_messages([_plain(message, turns) for message in messages])),
        source_format="openhands",
        scaffold=Scaffold("openhands", None),
        model=text(row.get("model")),
        tools=tools_of(row.get("tools"), turns),
        patch=patch_of(row.get("model_patch") or row.get("git_patch")),
        exit_status=text(row.get("exit_status")),
        task_id=text(row.get("instance_id")),
        verdict=Verdict(resolved=truth(row.get("resolved"))),
        not_carried=+turns.lost,
        metadata={key: item for key, item in row.items() if key not in _ROW},
    )


def _plain(message: Any, turns: Turns) -> JsonObject:
    """Return a message without nulls, its parts as one text."""
    whole = without_nulls(mapping(message))
    plain = {key: item for key, item in whole.items() if key not in _LEFT_OUT}
    if isinstance(plain.get("content"), list):
        plain["content"] = text_of(plain["content"], turns)
    turns.lost["signed thoughts"] += bool(whole.get("thinking_blocks"))
    return plain
