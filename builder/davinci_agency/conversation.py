"""The shape of a conversation that trainers rely on, and where one loses it; pure.

A flaw is returned, not raised: `ingest` refuses a trajectory for it, `curate` writes a receipt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from davinci_agency.schema import cut_short

ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a conversation.

    Attributes:
        json_path: where, such as ``$.messages[3].role``.
        reason: what it is.
    """

    json_path: str
    reason: str


def conversation_flaw(messages: Sequence[Mapping[str, Any]]) -> Flaw | None:
    """Return the first place where a conversation breaks a rule; ``None`` if it keeps them all.

    Roles are known and contents are there; every call of a tool is an object with a name and an
    id of its own, and is answered once, before anybody else speaks. Only the calls of the last
    message may be open: a scaffold ends when its agent submits.
    """
    if not any(message.get("role") == "assistant" for message in messages):
        return Flaw("$.messages", "the assistant never speaks")
    open_calls: dict[str, tuple[int, int]] = {}
    known: set[str] = set()
    for place, message in enumerate(messages):
        role = message.get("role")
        if role not in ROLES:
            what = f"the role {cut_short(role)} is none of {', '.join(ROLES)}"
            return Flaw(f"$.messages[{place}].role", what)
        if not isinstance(message.get("content"), (str, list)):
            return Flaw(f"$.messages[{place}].content", "the content is missing or no text")
        if role == "tool":
            call_id = message.get("tool_call_id")
            if open_calls.pop(str(call_id), None) is None:
                what = f"{cut_short(call_id)} answers no open call"
                return Flaw(f"$.messages[{place}].tool_call_id", what)
        elif open_calls:
            return Flaw(_first(open_calls), "the call is not answered before the next turn")
        elif calls := message.get("tool_calls"):
            flaw = _open(calls, place, known, open_calls)
            if flaw is not None:
                return flaw
    if open_calls and messages[-1]["role"] != "assistant":
        return Flaw(_first(open_calls), "the call is never answered")
    return None


def _first(open_calls: Mapping[str, tuple[int, int]]) -> str:
    return _path(*next(iter(open_calls.values())))


def _path(place: int, number: int) -> str:
    return f"$.messages[{place}].tool_calls[{number}]"


def _open(
    calls: Any, place: int, known: set[str], open_calls: dict[str, tuple[int, int]]
) -> Flaw | None:
    """Add the calls of the message at a place to those that are known and open."""
    if not isinstance(calls, (list, tuple)):
        return Flaw(f"$.messages[{place}].tool_calls", "the calls of tools are no list")
    for number, call in enumerate(calls):
        wrong = _wrong_with(call)
        if wrong is not None:
            return Flaw(_path(place, number) + wrong[0], wrong[1])
        call_id = call["id"]
        if call_id in known:
            what = f"{cut_short(call_id)} is used twice"
            return Flaw(_path(place, number) + ".id", what)
        known.add(call_id)
        open_calls[call_id] = (place, number)
    return None


def call_flaw(call: Any, path: str) -> Flaw | None:
    """Return what is wrong with one call of a tool that stands at a path."""
    wrong = _wrong_with(call)
    return None if wrong is None else Flaw(path + wrong[0], wrong[1])


def _wrong_with(call: Any) -> tuple[str, str] | None:
    """Return which part of a call is wrong, and why."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return ".function", "the call names no function"
    if not isinstance(call.get("id"), str):
        return ".id", "the call has no id"
    if not isinstance(function.get("arguments"), dict):
        return ".function.arguments", "the arguments are no JSON object"
    return None


def stages_flaw(
    messages: Sequence[Mapping[str, Any]], bounds: Sequence[tuple[int, int]]
) -> Flaw | None:
    """Return where the parts of a conversation are no parts of it.

    ``bounds`` holds the first message of each stage and the one after its last. They are in order,
    none is empty, none overlap, and no turn of the assistant or a tool lies outside them: what
    opens a conversation may.
    """
    end = 0
    for number, (start, stop) in enumerate(bounds):
        if not end <= start < stop <= len(messages):
            what = f"it holds [{start}, {stop}) of {len(messages)} messages, after {end}"
            return Flaw(f"$.stages[{number}]", what)
        flaw = _outside(messages, end, start)
        if flaw is not None:
            return flaw
        end = stop
    return _outside(messages, end, len(messages))


def _outside(messages: Sequence[Mapping[str, Any]], start: int, stop: int) -> Flaw | None:
    for place in range(start, stop):
        if messages[place].get("role") in ("assistant", "tool"):
            return Flaw(f"$.messages[{place}]", "the turn is in no stage")
    return None
