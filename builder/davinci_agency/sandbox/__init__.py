"""Sandboxes: a program that nobody trusts, run as a process with limits.

`open_sandbox` gives one; `Sandbox.run` takes a `Job` and returns how it `Ended`, whatever the
program did: it hung, forked, filled its disk, printed without end, or was killed.
"""

from davinci_agency.sandbox.job import Ended, EndReason, Job, Limits, Mount, Sandbox
from davinci_agency.sandbox.opening import SANDBOXES, SandboxName, open_sandbox
from davinci_agency.sandbox.options import SandboxOptions

__all__ = [
    "SANDBOXES",
    "EndReason",
    "Ended",
    "Job",
    "Limits",
    "Mount",
    "Sandbox",
    "SandboxName",
    "SandboxOptions",
    "open_sandbox",
]
