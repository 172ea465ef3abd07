"""Collecting: agents let loose on tasks, each in a sandbox.

A scaffold (`scaffolds`) is an agent program. It runs as one process in a sandbox, in a worktree
without the future, and reaches its model only through a `Gateway`, which holds the key, keeps every
answer, and counts what they cost.
"""

from davinci_agency.collect.budget import Budget, Prices, SessionLimits, Usage
from davinci_agency.collect.gateway import Gateway, Upstream
from davinci_agency.collect.session import Go, Session, run_session

__all__ = [
    "Budget",
    "Gateway",
    "Go",
    "Prices",
    "Session",
    "SessionLimits",
    "Upstream",
    "Usage",
    "run_session",
]
