"""The writer with a language model: intent, never the change.

The pull requests go out as data, and what comes back is held against the leak rules. What gives
something away goes back with the finding, so often and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import msgspec
import orjson

from davinci_agency.leaks import Leak, Secrets, find_leaks
from davinci_agency.llm import Answer, Model, read_json
from davinci_agency.query.writer import Refused, Written
from davinci_agency.records import ChainStage, QueryWriter

PROMPT = "query-1"
"""The version of the words that the model is asked with: a file in ``prompts/``."""
_ROUNDS = 4
"""The first answer, and three more after leaks."""
_LONGEST_BODY = 6_000
_LONGEST_PATCH = 24_000
"""Characters of one pull request; what is longer is cut, and says so."""
_SHOWN = 12
"""Leaks that one answer is told of."""
_SCHEMA = {
    "type": "object",
    "properties": {"queries": {"type": "array", "items": {"type": "string"}}},
    "required": ["queries"],
    "additionalProperties": False,
}


class _Queries(msgspec.Struct, frozen=True):
    queries: list[str]


@dataclass(slots=True)
class _Talk:
    """A conversation with a model, and what it took."""

    turns: list[dict[str, str]]
    answers: list[Answer] = field(default_factory=list)

    def tell(self, answer: Answer, reply: str) -> None:
        self.turns.append({"role": "assistant", "content": answer.text})
        self.turns.append({"role": "user", "content": reply})


class ModelWriter:
    """Asks a model for the queries of a chain."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._prompt = (files(__package__) / "prompts" / f"{PROMPT}.md").read_text("utf-8")

    def write(self, stages: Sequence[ChainStage], secrets: Secrets) -> Written | Refused:
        """Return a query for each stage, or why there are none.

        Raises `RemoteError` if the model can't be reached.
        """
        material = orjson.dumps([_told(stage) for stage in stages]).decode()
        talk = _Talk(
            [{"role": "system", "content": self._prompt}, {"role": "user", "content": material}]
        )
        refused = Refused("no-usable-answer", "the model was never asked")
        for round_number in range(_ROUNDS):
            answer = self.model.ask(talk.turns, schema=_SCHEMA, again=round_number)
            talk.answers.append(answer)
            queries = _read(answer, len(stages))
            if queries is None:
                refused = Refused(
                    "no-usable-answer", f"the model did not write {len(stages)} queries"
                )
                talk.tell(answer, f"That is no JSON object with {len(stages)} queries. Again.")
                continue
            leaks = [leak for query in queries for leak in find_leaks(query, secrets)]
            if not leaks:
                return Written(tuple(queries), self._identity(talk.answers))
            first = f"the {leaks[0].kind} {leaks[0].text[:80]}"
            refused = Refused(
                "leak",
                f"a query still gives away {first} after {round_number + 1} answers",
                float(len(leaks)),
            )
            talk.tell(answer, _complaint(leaks))
        return refused

    def _identity(self, answers: Sequence[Answer]) -> QueryWriter:
        sampling = self.model.endpoint.sampling
        return QueryWriter(
            name="language-model",
            version=PROMPT,
            model=self.model.endpoint.model,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
            prompt_tokens=_total([answer.prompt_tokens for answer in answers]),
            completion_tokens=_total([answer.completion_tokens for answer in answers]),
            rounds=len(answers),
        )


def _read(answer: Answer, count: int) -> list[str] | None:
    found = read_json(answer.text, _Queries)
    queries = [" ".join(query.split()) for query in found.queries] if found else []
    return queries if len(queries) == count and all(queries) else None


def _complaint(leaks: Sequence[Leak]) -> str:
    shown = {leak.text: f"- {leak.kind}: {leak.text[:200]}" for leak in leaks[:_SHOWN]}
    listed = "\n".join(shown.values())
    return (
        f"These words give the change away:\n{listed}\nSay what is meant in plain words instead, "
        "and answer with all queries again, as the same JSON object."
    )


def _told(stage: ChainStage) -> dict[str, Any]:
    return {
        "title": stage.title,
        "description": _cut(stage.body, _LONGEST_BODY),
        "patch": _cut(stage.patch, _LONGEST_PATCH),
        "tests": _cut(stage.test_patch, _LONGEST_PATCH),
    }


def _cut(text: str, length: int) -> str:
    left = len(text) - length
    return text if left <= 0 else f"{text[:length]}\n[{left} more characters are left out]"


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
