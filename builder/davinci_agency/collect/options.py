"""What can be asked of collecting, on the command line and in a recipe's ``[collect]``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from davinci_agency.records import RoundMode

_Count = Annotated[int, msgspec.Meta(ge=1)]
_Dollars = Annotated[float, msgspec.Meta(ge=0)]


class CollectOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who works on tasks, and what it may take.

    Attributes:
        llm, model: the endpoint of the agent's model, and its name there; without, nobody works.
        scaffold: the agent program.
        temperature: of the model.
        attempts: attempts at each task.
        refinements: how often an agent is sent back at a stage.
        refine: whether it then goes on with its conversation, or starts over.
        max_steps, max_seconds: the most steps and seconds of one go at a stage.
        max_cost: USD that the whole run may cost.
        prices: USD for a million tokens in and out, where the endpoint does not tell.
    """

    llm: str | None = None
    model: str | None = None
    scaffold: str = "mini-swe-agent"
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    attempts: _Count = 1
    refinements: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    refine: RoundMode = "continue"
    max_steps: _Count | None = None
    max_seconds: _Count = 3600
    max_cost: _Dollars | None = None
    prices: tuple[_Dollars, _Dollars] | None = None
