"""What can be asked of who judges, on the command line and in a recipe's ``[judge]``."""

from __future__ import annotations

from typing import Annotated

import msgspec

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class JudgeOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who judges, and what is enough.

    Attributes:
        llm, model: the judge's endpoint and its model.
        rubric: what it is asked.
        votes: votes for one verdict; the middle one counts.
        threshold: the score to accept from.
        test_command: how a project's tests are run, as a shell would split it, though none reads
            it; ``{tests}`` stands for the files of a pull request's tests. ``None`` to run none.
        test_seconds: the most seconds of one run of them.
    """

    llm: str | None = None
    model: str | None = None
    rubric: str = "default-1"
    votes: Annotated[int, msgspec.Meta(ge=1, le=101)] = 1
    threshold: _Share = 0.8
    test_command: str | None = None
    test_seconds: Annotated[int, msgspec.Meta(ge=1)] = 600
