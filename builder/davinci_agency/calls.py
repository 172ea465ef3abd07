"""What the assistant of a conversation did: its calls of tools, or the commands it wrote; pure.

Some scaffolds give their model no tools and take a command from a fenced block of its text; such a
block counts as a call of ``bash``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

_FENCED = re.compile(
    r"```(?:mswea_bash_command|bash|sh|shell)[ \t]*\r?\n(.*?)(?:\n```|\Z)", re.DOTALL
)


class Call(msgspec.Struct, frozen=True):
    """One call of a tool. A conversation has hundreds, and these are made fast.

    Attributes:
        place: the message that it is made in.
        call_id: its id; ``None`` for a command in text.
        name: the tool's name.
        arguments: what it is called with, by rights a JSON object.
    """

    place: int
    call_id: Any
    name: str
    arguments: Any


def calls_of(messages: Sequence[Mapping[str, Any]]) -> list[Call]:
    """Return the calls of a conversation, in order. What is no call at all is passed over."""
    found: list[Call] = []
    for place, message in enumerate(messages):
        calls = message.get("tool_calls")
        if not calls or not isinstance(calls, (list, tuple)):
            continue
        for call in calls:
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(name := function.get("name"), str):
                found.append(Call(place, call.get("id"), name, function.get("arguments")))
    return found or list(_commands_in_text(messages))


def _commands_in_text(messages: Sequence[Mapping[str, Any]]) -> Iterator[Call]:
    for place, message in enumerate(messages):
        if message.get("role") == "assistant":
            for match in _FENCED.finditer(text_of(message.get("content"))):
                yield Call(place, None, "bash", {"command": match[1]})


def text_of(content: Any) -> str:
    """Return the text of a message's content, which is text or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def answers_to(calls: Sequence[Call], messages: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return what each of some calls was answered; ``None`` where nothing was.

    A command in text is answered by the next message.
    """
    by_id = {
        str(message.get("tool_call_id")): message.get("content")
        for message in messages
        if message.get("role") == "tool"
    }
    contents = (
        by_id.get(str(call.call_id))
        if call.call_id is not None
        else messages[call.place + 1].get("content")
        if call.place + 1 < len(messages)
        else None
        for call in calls
    )
    return [None if content is None else text_of(content) for content in contents]
