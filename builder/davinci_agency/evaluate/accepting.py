"""Accepting: gates, the tests, then the judge; and what the agent is told if it is not enough."""

from __future__ import annotations

from dataclasses import replace

from davinci_agency.evaluate.execution import TestCommand, execute
from davinci_agency.evaluate.feedback import complaint, secrets_from, without_leaks
from davinci_agency.evaluate.gates import find_gate
from davinci_agency.evaluate.judging import Judge, JudgeError
from davinci_agency.evaluation import Evaluation, Submission
from davinci_agency.leaks import find_leaks

_ASKED_AGAIN = 2
"""How often a judge may say it again after a leak."""
_TESTS_FAIL = "The tests that check what was asked for do not pass on this work."


class Acceptance:
    """Decides about submissions: from a score on, and if the stage's own tests do not fail."""

    def __init__(
        self, judge: Judge, threshold: float = 0.8, tests: TestCommand | None = None
    ) -> None:
        self.judge = judge
        self.threshold = threshold
        self.tests = tests

    def evaluate(self, submission: Submission) -> Evaluation:
        """Return what is thought of a submission. See `Evaluator`."""
        gate = find_gate(submission)
        if gate is not None:
            judge = f"gate {gate.name}"
            return Evaluation(False, 0.0, judge, gate.reason, gate.reason, is_spoilt=gate.is_spoilt)
        judged = self.judge.judge(submission.stage, submission.patch)
        if isinstance(judged, JudgeError):
            return Evaluation(False, None, self.judge.name, judged.reason, error=judged.reason)
        score = judged.vote.score
        evaluation = Evaluation(
            score >= self.threshold, score, self.judge.name, judged.vote.rationale
        )
        if self.tests is not None and submission.made is not None:
            executed = execute(self.tests, submission, submission.made)
            evaluation = replace(
                evaluation,
                is_accepted=evaluation.is_accepted and executed.status != "failed",
                rationale=f"{evaluation.rationale}\nexecution {executed.status}: {executed.reason}",
                execution=executed.status,
            )
        if evaluation.is_accepted:
            return evaluation
        told = self._feedback(submission, judged.vote.comment)
        if evaluation.execution == "failed":
            told = f"{_TESTS_FAIL}\n{told}"
        return replace(evaluation, feedback=told)

    def _feedback(self, submission: Submission, comment: str) -> str:
        """Return a comment that gives nothing away: said again, or cleaned."""
        secrets = secrets_from(submission.stage, submission.patch)
        for number in range(_ASKED_AGAIN):
            leaks = find_leaks(comment, secrets)
            if not leaks:
                break
            again = self.judge.ask_again(
                submission.stage, submission.patch, comment, complaint(leaks), number
            )
            if again is None:
                break
            comment = again
        return without_leaks(comment, secrets)
