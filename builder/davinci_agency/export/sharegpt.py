"""Rows as ShareGPT conversations, as LLaMA-Factory takes them; pure.

Its reader (0.9.5) wants the person or a tool at every odd place and the model at every even one,
drops what breaks that without a word, and takes a call of tools as JSON, with text before it only
where the JSON stands between two words. So here no turn is dropped: neighbours of one side become
one turn, the answer to the call that ended a stage opens the person's next turn, and thoughts and
text stand before the calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson

from davinci_agency.export.forms import UnfitError
from davinci_agency.records import JsonObject

CALLS = ("<tool_call>", "</tool_call>")
"""What calls stand between where text comes before them; the reader's own words for it."""
_THOUGHT = ("<think>\n", "\n</think>\n\n")
_BETWEEN_ANSWERS = "\n</tool_response>\n<tool_response>\n"
"""As the reader itself joins the answers to calls that were made together."""
_ASKING = ("human", "observation")


def conversation_of(row: JsonObject) -> JsonObject:
    """Return a sample as a conversation. Raises `UnfitError` if it can't be one."""
    system, turns = _turns(row["messages"])
    joined = list(_joined(turns))
    if not joined or joined[0]["from"] not in _ASKING:
        raise UnfitError("the assistant speaks first")
    return {
        "conversations": joined,
        "system": system,
        "tools": orjson.dumps(row["tools"]).decode() if row["tools"] else "",
        "sample_id": row["sample_id"],
    }


def _turns(messages: Sequence[JsonObject]) -> tuple[str, list[tuple[str, str]]]:
    """Return what the system says, and who says what after it."""
    said = [(str(message["role"]), message) for message in messages]
    opening = 0
    while opening < len(said) and said[opening][0] == "system":
        opening += 1
    system = "\n\n".join(text_of(message) for _, message in said[:opening])
    turns: list[tuple[str, str]] = []
    for role, group in groupby(said[opening:], key=lambda pair: pair[0]):
        messages_of = [message for _, message in group]
        if role == "assistant":
            turns.append(_spoken(messages_of))
        else:
            who = "observation" if role == "tool" else "human"
            turns += [(who, text_of(message)) for message in messages_of]
    return system, turns


def _spoken(messages: Sequence[JsonObject]) -> tuple[str, str]:
    """Return what the assistant says before anybody else does; only its last message may call."""
    text = "\n\n".join(filter(None, (_thought_and_text(message) for message in messages)))
    calls = [
        {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
        for call in messages[-1].get("tool_calls") or ()
    ]
    if not calls:
        return "gpt", text
    written = orjson.dumps(calls).decode()
    if any(word in part for word in CALLS for part in (text, written)):
        raise UnfitError(f"it says {CALLS[0]} beside a call, which the reader would take for one")
    return "function_call", f"{text}\n{CALLS[0]}{written}{CALLS[1]}" if text else written


def _thought_and_text(message: JsonObject) -> str:
    thought = message.get("reasoning_content")
    before = f"{_THOUGHT[0]}{thought}{_THOUGHT[1]}" if isinstance(thought, str) and thought else ""
    return before + text_of(message)


def _joined(turns: Sequence[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Yield turns that alternate: what is asked or answered, and what the model says."""
    held: list[tuple[str, str]] = []
    for turn in turns:
        if held and (turn[0] in _ASKING) != (held[-1][0] in _ASKING):
            yield _one(held)
            held = []
        held.append(turn)
    if held:
        yield _one(held)


def _one(turns: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return neighbours of one side as one turn."""
    texts = [text for _, text in turns]
    if all(who == "observation" for who, _ in turns):
        return {"from": "observation", "value": _BETWEEN_ANSWERS.join(texts)}
    return {"from": turns[-1][0], "value": "\n\n".join(texts)}


def text_of(message: JsonObject) -> str:
    """Return a message's text. Raises `UnfitError` if it holds anything else."""
    content = message["content"]
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) else part
        if not isinstance(text, str):
            raise UnfitError("a content holds more than text")
        texts.append(text)
    return "\n".join(texts)


def dataset_info(files: dict[str, str]) -> JsonObject:
    """Return what ``dataset_info.json`` says of some files, by the name of each dataset."""
    columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    return {
        name: {"file_name": file, "formatting": "sharegpt", "columns": columns}
        for name, file in files.items()
    }


def info_bytes(files: dict[str, str]) -> bytes:
    """Return ``dataset_info.json``."""
    value: Any = dataset_info(files)
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
