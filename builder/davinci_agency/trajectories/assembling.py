"""Turns from pieces: what session logs hold one by one, put together as OpenAI has it; pure.

A model's words, thoughts and calls become one turn of the assistant until somebody else speaks. Ids
of calls that were used before get ``.2``, ``.3`` … behind them, and so do their answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from davinci_agency.records import JsonObject
from davinci_agency.trajectories.rollout import TrajectoryError


class Turns:
    """The turns of a conversation under way.

    Attributes:
        lost: what the source held and the turns don't: a phrase, and how often.
    """

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self._turns: list[JsonObject] = []
        self._used: Counter[str] = Counter()
        self._open: dict[str, str] = {}

    def say(self, role: str, text: str) -> None:
        """Add words of a person, of the system, or of the assistant."""
        if role != "assistant":
            self._turns.append({"role": role, "content": text})
            return
        turn = self._assistant()
        turn["content"] = f"{turn['content']}\n{text}" if turn["content"] else text

    def think(self, text: str) -> None:
        """Add thoughts of the assistant."""
        if text:
            turn = self._assistant()
            before = turn.get("reasoning_content")
            turn["reasoning_content"] = f"{before}\n{text}" if before else text

    def call(self, call_id: str, name: str, arguments: Any) -> None:
        """Add a call of a tool."""
        self._used[call_id] += 1
        count = self._used[call_id]
        own = call_id if count == 1 else f"{call_id}.{count}"
        self._open[call_id] = own
        function = {"name": name, "arguments": arguments}
        call = {"id": own, "type": "function", "function": function}
        self._assistant().setdefault("tool_calls", []).append(call)

    def answer(self, call_id: str, text: str) -> None:
        """Add the answer to a call; one that nobody asked for is counted as lost."""
        own = self._open.pop(call_id, None)
        if own is None:
            self.lost["answers to no call, or second ones"] += 1
            return
        self._turns.append({"role": "tool", "tool_call_id": own, "content": text})

    def done(self) -> tuple[tuple[JsonObject, ...], tuple[JsonObject, ...]]:
        """Return the turns up to the assistant's last, and what came after it.

        Calls that were never answered, but for those of the last turn, are answered with nothing:
        somebody interrupted them.
        """
        turns = list(self._turns)
        last = max(
            (place for place, turn in enumerate(turns) if turn["role"] == "assistant"), default=-1
        )
        answered = {turn.get("tool_call_id") for turn in turns}
        whole: list[JsonObject] = []
        for place, turn in enumerate(turns[: last + 1]):
            whole.append(turn)
            for call in turn.get("tool_calls", ()) if place < last else ():
                if call["id"] not in answered:
                    self.lost["calls that were never answered"] += 1
                    whole.append({"role": "tool", "tool_call_id": call["id"], "content": ""})
        return tuple(whole), tuple(turns[last + 1 :])

    def _assistant(self) -> JsonObject:
        if not self._turns or self._turns[-1]["role"] != "assistant":
            self._turns.append({"role": "assistant", "content": ""})
        return self._turns[-1]


def parts_of(content: Any) -> list[Any]:
    """Return the parts of a content: a text is one. Raises `TrajectoryError` if it has none."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if content is not None and not isinstance(content, list):
        raise TrajectoryError("$.content", "a content is neither text nor a list of parts")
    return content or []


def text_of(content: Any, turns: Turns) -> str:
    """Return the text of a content: itself, or its parts; other parts are counted as lost."""
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for part in content if isinstance(content, list) else []:
        text = part.get("text") if isinstance(part, Mapping) else part
        if isinstance(text, str):
            texts.append(text)
        else:
            kind = str(part.get("type", "other")) if isinstance(part, Mapping) else "other"
            turns.lost[f"parts of a content: {kind[:40]}"] += 1
    return "\n".join(texts)
