"""What a scaffold is, to this program.

To add one, write a module in `davinci_agency.collect.scaffolds` with a class that has what
`Scaffold` says, a program of a few lines that runs it inside (a *driver*), and give it a line in
`SCAFFOLDS` there. How its trajectories are read is a module in `davinci_agency.trajectories`.

A driver is run in the worktree. It finds one JSON file, ``request.json``, in the folder that is its
first argument: {"query", "model", "steps", "feedback"}, with ``earlier`` naming the trajectory that
it is to go on with, if it is; the model's address is in ``MODEL_URL``. It leaves the trajectory in
that folder, after every step, under the name that ``trajectory`` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from davinci_agency.records import SourceFormat


class Scaffold(Protocol):
    """An agent program.

    Attributes:
        name, version: what it is called.
        source_format: how its trajectories are read.
        trajectory: the name of the file that its driver leaves.
        pins: the packages of its environment, each with its version.
        driver: the program of ours that runs it, a file in this package.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def source_format(self) -> SourceFormat: ...  # noqa: D102
    @property
    def trajectory(self) -> str: ...  # noqa: D102
    @property
    def pins(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def driver(self) -> Path: ...  # noqa: D102
