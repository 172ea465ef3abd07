"""Accepting: gates, then the judge; and what the agent is told if it is not enough."""

from __future__ import annotations

from davinci_agency.evaluate.feedback import complaint, secrets_from, without_leaks
from davinci_agency.evaluate.gates import find_gate
from davinci_agency.evaluate.judging import Judge, JudgeError
from davinci_agency.evaluation import Evaluation, Submission
from davinci_agency.leaks import find_leaks

_ASKED_AGAIN = 2
"""How often a judge may say it again after a leak."""


class Acceptance:
    """Decides about submissions, from a score on."""

    def __init__(self, judge: Judge, threshold: float = 0.8) -> None:
        self.judge = judge
        self.threshold = threshold

    def evaluate(self, submission: Submission) -> Evaluation:
        """Return what is thought of a submission. See `Evaluator`."""
        gate = find_gate(submission)
        if gate is not None:
            return Evaluation(False, 0.0, f"gate {gate.name}", gate.reason, gate.reason)
        judged = self.judge.judge(submission.stage, submission.patch)
        if isinstance(judged, JudgeError):
            return Evaluation(False, None, self.judge.name, judged.reason, error=judged.reason)
        score = judged.vote.score
        is_accepted = score >= self.threshold
        feedback = None if is_accepted else self._feedback(submission, judged.vote.comment)
        return Evaluation(is_accepted, score, self.judge.name, judged.vote.rationale, feedback)

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
