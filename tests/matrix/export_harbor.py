"""Loads exported tasks with Harbor's own model of a task, and prints their names.

    python export_harbor.py FOLDER

Harbor says that it wants Python 3.12; its model of a task only wants a decorator that 3.11 lacks.
"""

from __future__ import annotations

import json
import sys
import typing
from pathlib import Path


def main(folder: Path) -> None:
    """Print name, instruction and steps of each task."""
    import typing_extensions

    if not hasattr(typing, "override"):
        typing.override = typing_extensions.override  # type: ignore[attr-defined]
    from harbor.models.task.task import Task

    for place in sorted(folder.iterdir()):
        if place.is_dir():
            task = Task(place)
            valid = Task.is_valid_dir(place)
            print("\x1e" + json.dumps([task.name, task.instruction, task.has_steps, valid]))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
