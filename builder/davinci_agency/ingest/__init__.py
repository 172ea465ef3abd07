"""Ingesting: trajectories made elsewhere in, attempts at tasks out; chain files in, tasks out.

In: trajectory files of any format in `davinci_agency.trajectories`, and the `Task` records; or
AgencyBench's chain files, and the `PullRequest` records. Out: `Attempt` or `Task` records; a note
for each file that can't be read, or whose task or pull request is unknown.
Promises: messages stay as they were said; what a format holds and the record does not is listed.
"""

from davinci_agency.ingest.chains import ingest_chains
from davinci_agency.ingest.ingesting import ingest_trajectories

__all__ = ["ingest_chains", "ingest_trajectories"]
