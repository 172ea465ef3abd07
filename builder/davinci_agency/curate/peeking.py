"""The rule against looking up the answer; pure. See `davinci_agency.peeking`."""

from __future__ import annotations

from bisect import bisect_right

from davinci_agency.curate.finding import Finding, Run
from davinci_agency.peeking import hidden_by_stage, looked_up


def peeking(run: Run) -> Finding | None:
    """Find an assistant that reads the future of its repository, or the pull request.

    Hidden is what the stage at hand and later ones merge. The measure is the number of calls.
    """
    stages = hidden_by_stage(run.task)
    ends = [stage.message_end for stage in run.attempt.stages]
    found: list[tuple[int, str]] = []
    for call in run.calls:
        # The first stage hides whatever a later one does: mostly there is nothing to find in it.
        if looked_up(call, stages[0]):
            hidden = stages[min(bisect_right(ends, call.place), len(stages) - 1)]
            what = looked_up(call, hidden)
            if what is not None:
                found.append((call.place, what))
    if not found:
        return None
    place, what = found[0]
    return f"$.messages[{place}]: {what}", float(len(found))
