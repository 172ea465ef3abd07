"""Which chains to make."""

from __future__ import annotations

from dataclasses import dataclass

from davinci_agency.records import KINDS, ApplyStatus, Kind, StatePolicy


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """Which chains to make.

    Attributes:
        kinds: the kinds to make.
        max_length: the most pull requests in a chain.
        min_score: the overall score that a semantic chain must have.
        min_verdict: the overall score that a judge, if there is one, must give a semantic chain.
        budget: the most chains of several pull requests of one kind that one repository gives: the
            best semantic ones, and any temporal ones.
        policy: the state in which work on each stage begins.
        states: which outcomes of the proof the stages of a chain may have; ``unproven`` is that of
            a repository that is not at hand.
    """

    kinds: tuple[Kind, ...] = KINDS
    max_length: int = 5
    min_score: float = 0.0
    min_verdict: float = 0.0
    budget: int = 500
    policy: StatePolicy = "historical-base"
    states: tuple[ApplyStatus, ...] = ("clean", "three-way", "unproven")
