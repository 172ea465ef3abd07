"""The strings of an attempt: what was said in it first, then everything else; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from davinci_agency.records import Attempt, JsonObject
from davinci_agency.texts import Strings, Texts, is_plain


def attempt_texts(attempt: Attempt) -> Texts:
    """Return every string of an attempt, what is said in it first."""
    strings = Strings()
    _add_said(strings, attempt.messages)
    strings.said = len(strings.parts)
    _add_beside(strings, attempt)
    return strings.texts()


_USUAL = frozenset({"role", "content", "tool_calls", "tool_call_id"})
_CALL = frozenset({"id", "type", "function"})


def _add_said(strings: Strings, messages: Sequence[JsonObject]) -> None:
    """Add what is said in a conversation.

    The names of calls are left out: every run has its own.
    """
    parts = strings.parts
    for message in messages:
        parts.append(message["role"])
        content = message["content"]
        if type(content) is str:
            parts.append(content)
        else:
            strings.add(content, depth=1)
        calls = message.get("tool_calls")
        if type(calls) is list:
            for call in calls:
                strings.add(_without_id(call), depth=2)
        if not message.keys() <= _USUAL:
            for key in sorted(message.keys() - _USUAL):
                if not is_plain(key):
                    parts.append(key)
                strings.add(message[key], key, depth=1)


def _without_id(call: Any) -> Any:
    """Return a call without its name; of what every call is like the function alone."""
    if type(call) is not dict:
        return call
    function = call.get("function")
    is_usual = call.keys() <= _CALL and call.get("type", "function") == "function"
    return function if is_usual and type(function) is dict else {**call, "id": ""}


def _add_beside(strings: Strings, attempt: Attempt) -> None:
    """Add every other string of an attempt."""
    for message in attempt.messages:
        calls = message.get("tool_calls")
        if type(calls) is list:
            for call in calls:
                if type(call) is dict:
                    strings.add(call.get("id"))
        elif calls is not None:
            strings.add(calls)
        if "tool_call_id" in message:
            strings.add(message["tool_call_id"])
    strings.add(replace(attempt, messages=()))
