"""Collecting: agents let loose on tasks, each in a sandbox.

In: `Task` records and the clones of their repositories. Out: `Attempt` records, the rejected ones
too; a note for each task of which none came.
Promises: a scaffold (`scaffolds`) sees a worktree without the future, no key and no network; it
reaches its model only through a `Gateway`. Killed anywhere, a run goes on where it was.
"""

from davinci_agency.collect.attempting import Crew
from davinci_agency.collect.budget import Budget, Prices, SessionLimits, Usage
from davinci_agency.collect.collecting import run_tasks
from davinci_agency.collect.gateway import Gateway, Upstream
from davinci_agency.collect.options import CollectOptions
from davinci_agency.collect.scaffolds import SCAFFOLDS
from davinci_agency.collect.session import Go, Session, run_session

__all__ = [
    "SCAFFOLDS",
    "Budget",
    "CollectOptions",
    "Crew",
    "Gateway",
    "Go",
    "Prices",
    "Session",
    "SessionLimits",
    "Upstream",
    "Usage",
    "run_session",
    "run_tasks",
]
