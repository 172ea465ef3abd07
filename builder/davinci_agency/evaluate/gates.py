"""Cheap reasons to send an agent back before anybody is asked; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from davinci_agency.calls import calls_of
from davinci_agency.evaluation import Submission
from davinci_agency.paths import is_test
from davinci_agency.peeking import hidden_by_stage, looked_up

_CLEAN = frozenset({"submitted", "completed", "finished", "success", "done", "end_turn", "stop",
                    "submit", "finish"})  # fmt: skip
"""How scaffolds say that an agent ended by itself, in lower case."""
_PART = re.compile(r"^diff --git ", re.MULTILINE)
_PATHS = re.compile(r"a/(.+?) b/(.+)")
_CASE = re.compile(
    r"^([-+])\s*(?:async\s+)?(?:def test|func Test|it\(|test\(|#\[test\])", re.MULTILINE
)
_PEEKED = (
    "Work from the repository as it is here, and from the request alone: what the project did "
    "later, on its host or in other releases, is not to be looked up."
)


@dataclass(frozen=True, slots=True)
class Gate:
    """What stopped a submission: the name, and what the agent is told.

    Where the conversation itself is spoilt, to go on with it is no use.
    """

    name: str
    reason: str
    is_spoilt: bool = False


def find_gate(submission: Submission) -> Gate | None:
    """Return the first gate that a submission does not pass."""
    if submission.exit_status is not None and submission.exit_status.lower() not in _CLEAN:
        ended = submission.exit_status[:80]
        return Gate("unclean-end", f"The work was not handed in: it ended with {ended}.")
    hidden = hidden_by_stage(submission.task)[submission.place]
    if any(looked_up(call, hidden) for call in calls_of(submission.messages)):
        return Gate("peeking", _PEEKED, is_spoilt=True)
    if not submission.patch.strip():
        return Gate("empty-patch", "Nothing was changed.")
    if submission.applies is False:
        return Gate("does-not-apply", "The patch does not apply to what the work began from.")
    # Some changes take tests away with what they tested: one in 25 of httpx's does.
    truth = submission.stage.patch + submission.stage.test_patch
    removed = sorted(_tests_removed(submission.patch) - _tests_removed(truth))
    if removed:
        return Gate(
            "tests-removed", f"Existing tests were taken out of {removed[0][:200]}; put them back."
        )
    return None


def _tests_removed(patch: str) -> set[str]:
    """Return the files of tests that are taken away, or lose more tests than they gain."""
    losing: set[str] = set()
    for part in _PART.split(patch)[1:]:
        heading, _, rest = part.partition("\n")
        paths = _PATHS.match(heading)
        path = paths[1] if paths else heading
        if is_test(path):
            signs = _CASE.findall(rest)
            # What is renamed elsewhere is here a file that goes and one that comes.
            is_gone = rest.startswith("deleted file mode") or "\nrename from " in f"\n{rest}"
            if is_gone or signs.count("-") > signs.count("+"):
                losing.add(path)
    return losing
