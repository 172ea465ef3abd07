"""Rubrics: what a judge is asked, in which shape it answers, and what score that makes; pure.

By ``default-1`` the score is the weighted mean of five parts, but no more than completeness or
correctness by itself, and where anything is blocking no more than a half: a patch that does half of
what was asked, or must not be merged, is not accepted, however well it is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any

import msgspec

from davinci_agency.errors import CommandError
from davinci_agency.llm import read_json

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

_WEIGHTS = {
    "completeness": 0.3,
    "correctness": 0.35,
    "scope": 0.1,
    "tests": 0.1,
    "regressions": 0.15,
}
_BLOCKED = 0.5


class _Part(msgspec.Struct, frozen=True):
    score: Share
    why: str


class _Parts(msgspec.Struct, frozen=True):
    completeness: _Part
    correctness: _Part
    scope: _Part
    tests: _Part
    regressions: _Part
    blocking: list[str]
    comment: str


class _Plain(msgspec.Struct, frozen=True):
    score: Share
    comment: str


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer of a judge: a score, the reasons, and a comment for the agent."""

    score: float
    rationale: str
    comment: str


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge is asked.

    Attributes:
        name: its name and version.
        text: the words.
        schema: the JSON Schema of an answer.
        read: makes a vote of the model's words; ``None`` if they are none.
    """

    name: str
    text: str
    schema: dict[str, Any]
    read: Callable[[str], Vote | None]


def _read_parts(words: str) -> Vote | None:
    answer = read_json(words, _Parts)
    if answer is None:
        return None
    parts: dict[str, _Part] = {name: getattr(answer, name) for name in _WEIGHTS}
    mean = sum(weight * parts[name].score for name, weight in _WEIGHTS.items())
    score = min(mean, answer.completeness.score, answer.correctness.score)
    if answer.blocking:
        score = min(score, _BLOCKED)
    told = [f"{name} {part.score:g}: {part.why}" for name, part in parts.items()]
    told += [f"blocking: {what}" for what in answer.blocking]
    return Vote(round(score, 4), "\n".join(told), answer.comment)


def _read_plain(words: str) -> Vote | None:
    answer = read_json(words, _Plain)
    return None if answer is None else Vote(answer.score, answer.comment, answer.comment)


def _schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    (schema,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    root = parts.pop(schema["$ref"].rpartition("/")[2])
    for part in (root, *parts.values()):
        part["additionalProperties"] = False
    return {**root, "$defs": parts} if parts else root


_ANSWERS: dict[str, tuple[type[msgspec.Struct], Callable[[str], Vote | None]]] = {
    "default-1": (_Parts, _read_parts),
    "gair-v1": (_Plain, _read_plain),
}
RUBRICS: tuple[str, ...] = tuple(_ANSWERS)


def open_rubric(name: str = "default-1") -> Rubric:
    """Return a rubric by its name. Raises `CommandError` if there is none."""
    if name not in _ANSWERS:
        raise CommandError(f"there is no rubric {name}; choose one of {', '.join(RUBRICS)}.")
    kind, read = _ANSWERS[name]
    text = (files(__package__) / "rubrics" / f"{name}.md").read_text("utf-8")
    return Rubric(name, text, _schema_of(kind), read)
