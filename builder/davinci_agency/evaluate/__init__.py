"""Evaluation: is what an agent handed in good enough, and if not, what may it be told?

Cheap gates come first, then a language model with a rubric, which compares with the true patch for
what was asked; beside it the pull request's own tests are run, where somebody says how. A judge
that can't be reached or says nothing usable is an error, never a bad score.
"""

from davinci_agency.evaluate.accepting import Acceptance
from davinci_agency.evaluate.calibrating import Calibration, calibrate
from davinci_agency.evaluate.execution import TestCommand
from davinci_agency.evaluate.gates import find_gate
from davinci_agency.evaluate.judging import Judge, JudgeError, Judgement
from davinci_agency.evaluate.options import JudgeOptions
from davinci_agency.evaluate.reviewing import judge_attempts
from davinci_agency.evaluate.rubric import RUBRICS, open_rubric

__all__ = [
    "RUBRICS",
    "Acceptance",
    "Calibration",
    "Judge",
    "JudgeError",
    "JudgeOptions",
    "Judgement",
    "TestCommand",
    "calibrate",
    "find_gate",
    "judge_attempts",
    "open_rubric",
]
