"""Trajectory formats: one module each, pure, and what all of them are read into.

`FORMATS` is the table; `recognise` tells which format a value has. To add one, write a module with
``fits(value)`` and ``read(value) -> Conversation`` and give it a line in `formats`.
"""

from davinci_agency.trajectories.formats import FORMATS, Format, Unit, recognise
from davinci_agency.trajectories.joining import join_stages
from davinci_agency.trajectories.rollout import (
    Conversation,
    Rollout,
    TrajectoryError,
    cut_at_user_turns,
    make_attempt,
)

__all__ = [
    "FORMATS",
    "Conversation",
    "Format",
    "Rollout",
    "TrajectoryError",
    "Unit",
    "cut_at_user_turns",
    "join_stages",
    "make_attempt",
    "recognise",
]
