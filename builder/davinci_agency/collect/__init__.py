"""Collecting: trajectories in, attempts at tasks out.

In: trajectory files that name the task they are about, and the `Task` records. Out: `Attempt`
records; a note for each trajectory that can't be read, or whose task is unknown.
Promises: messages stay as they were said; what a format needs changed is listed in its module.
"""

from davinci_agency.collect.ingest import ingest_trajectories
from davinci_agency.collect.rollout import Rollout, TrajectoryError

__all__ = ["Rollout", "TrajectoryError", "ingest_trajectories"]
