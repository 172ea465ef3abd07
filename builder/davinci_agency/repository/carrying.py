"""From which tree an agent starts each stage of a chain, given what it made of the stages before.

Under ``cumulative`` it simply goes on. Under ``historical-base`` each stage has its own base, and
the agent's work is carried there: the true earlier pull requests are taken out of the base, and
what the agent made instead is merged in, three ways. A conflict is told and never guessed away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from davinci_agency.errors import DataError
from davinci_agency.repository.states import States


@dataclass(frozen=True, slots=True)
class TrueStage:
    """A pull request as it was: its base commit, and all that it changes, tests too."""

    number: int
    base_commit: str
    patch: str


@dataclass(frozen=True, slots=True)
class Start:
    """The tree that a stage starts from, or why there is none."""

    tree: str | None
    conflict: str | None = None


@dataclass(frozen=True, slots=True)
class TrueStates:
    """The trees before and after a true change."""

    before: str
    after: str


def stage_start(
    states: States, stages: Sequence[TrueStage], made: str, *, cumulative: bool
) -> Start:
    """Return what the last of some stages starts from: the first one from its base.

    ``made`` is the tree that the agent left at the stage before it.
    """
    if len(stages) == 1:
        return Start(states.tree_of(stages[0].base_commit))
    if cumulative:
        return Start(made)
    *_, before, _ = stages
    ancestor = _without_truth(states, stages[:-1])
    here = _without_truth(states, stages)
    for found in (ancestor, here):
        if found.tree is None:
            return found
    merged = states.merged(ancestor.tree or "", here.tree or "", made)
    if merged.tree is None:
        paths = ", ".join(merged.conflicts[:5])
        return Start(
            None,
            f"what was made up to #{before.number} does not merge with the base of "
            f"#{stages[-1].number} in {paths}",
        )
    return Start(merged.tree)


def true_states(states: States, stages: Sequence[TrueStage], *, cumulative: bool) -> TrueStates:
    """Return the trees before and after the true change of the last of some stages.

    Raises `DataError` if its patch does not apply.
    """
    *earlier, last = stages
    if cumulative and earlier:
        before = true_states(states, earlier, cumulative=True).after
    else:
        before = states.tree_of(last.base_commit)
    after = states.applied(before, last.patch)
    if after is None:
        raise DataError(f"the patch of #{last.number} does not apply where it was made.")
    return TrueStates(before, after)


def _without_truth(states: States, stages: Sequence[TrueStage]) -> Start:
    """Return the base of the last of some stages without the true changes of the others."""
    *earlier, last = stages
    tree = states.tree_of(last.base_commit)
    for stage in reversed(earlier):
        without = states.applied(tree, stage.patch, reverse=True)
        if without is not None:
            tree = without
        elif states.applied(tree, stage.patch) is None:
            # It can neither be taken out nor put in, so it is there in part, or overlaid.
            return Start(None, f"#{stage.number} can't be taken out of the base of #{last.number}")
    return Start(tree)
