"""Ingesting: trajectories made elsewhere in, attempts at tasks out.

In: trajectory files of any format in `davinci_agency.trajectories`, and the `Task` records. Out:
`Attempt` records; a note for each trajectory that can't be read, or whose task is unknown.
Promises: messages stay as they were said; what a format holds and the record does not is listed.
"""

from davinci_agency.ingest.ingesting import ingest_trajectories

__all__ = ["ingest_trajectories"]
