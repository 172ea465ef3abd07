"""A language model as judge: several votes, of which the middle one counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from davinci_agency.errors import RemoteError
from davinci_agency.evaluate.rubric import Rubric, Vote
from davinci_agency.llm import Model
from davinci_agency.records import TaskStage

_TRIES = 3
"""Answers that may be unusable before a vote is an error."""
_LONGEST_PATCH = 60_000
"""Characters; what is longer is cut, and says so."""
_MOST_VOTES = 101


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge thinks: the middle vote, and the scores of all."""

    vote: Vote
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class JudgeError:
    """Why a judge says nothing; that is no bad score."""

    reason: str


class Judge:
    """Asks a model for its verdict on patches."""

    def __init__(self, model: Model, rubric: Rubric, votes: int = 1) -> None:
        self.model = model
        self.rubric = rubric
        self.votes = min(max(votes, 1), _MOST_VOTES)

    @property
    def name(self) -> str:
        """The model and the rubric, as records have them."""
        return f"{self.model.endpoint.model}, {self.rubric.name}"

    def judge(self, stage: TaskStage, patch: str) -> Judgement | JudgeError:
        """Return what the model thinks of a patch for a stage."""
        turns = self._question(stage, patch)
        votes: list[Vote] = []
        for number in range(self.votes):
            try:
                vote = self._vote(turns, number)
            except RemoteError as error:
                return JudgeError(str(error))
            if vote is None:
                return JudgeError(f"{self.name} said nothing usable, {_TRIES} times")
            votes.append(vote)
        votes.sort(key=lambda vote: vote.score)
        # Of an even number the lower one of the middle: who doubts does not accept.
        middle = votes[(len(votes) - 1) // 2]
        return Judgement(middle, tuple(vote.score for vote in votes))

    def ask_again(
        self, stage: TaskStage, patch: str, comment: str, complaint: str, number: int
    ) -> str | None:
        """Return another comment, after a complaint about one; ``None`` if nothing usable comes.

        ``number`` tells equal complaints apart.
        """
        turns = [
            *self._question(stage, patch),
            {"role": "assistant", "content": orjson.dumps({"comment": comment}).decode()},
            {"role": "user", "content": complaint},
        ]
        try:
            vote = self._vote(turns, number)
        except RemoteError:
            # The verdict stands without it, and the comment can be cleaned.
            return None
        return None if vote is None else vote.comment

    def _question(self, stage: TaskStage, patch: str) -> list[dict[str, str]]:
        material: dict[str, Any] = {
            "query": stage.query,
            "true_patch": _cut(stage.patch),
            "true_tests": _cut(stage.test_patch),
            "attempt_patch": _cut(patch),
        }
        return [
            {"role": "system", "content": self.rubric.text},
            {"role": "user", "content": orjson.dumps(material).decode()},
        ]

    def _vote(self, turns: list[dict[str, str]], number: int) -> Vote | None:
        for attempt in range(_TRIES):
            again = number * _TRIES + attempt
            answer = self.model.ask(turns, schema=self.rubric.schema, again=again)
            vote = self.rubric.read(answer.text)
            if vote is not None:
                return vote
        return None


def _cut(patch: str) -> str:
    left = len(patch) - _LONGEST_PATCH
    return patch if left <= 0 else f"{patch[:_LONGEST_PATCH]}\n[{left} more characters]"
