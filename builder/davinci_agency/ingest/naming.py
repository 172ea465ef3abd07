"""Which task, attempt and stage a trajectory is about, by its name; pure.

A file or folder is called ``<task>[.attempt-A][.stage-N]`` with any suffix, the task being its id
or SWE-bench's instance id; where the name says nothing, that of its folder does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

_SUFFIX = re.compile(r"(?:\.(?:traj|trajectory|json|jsonl|zst|parquet)){1,3}$")
_ATTEMPT = re.compile(r"\.attempt-(\d{1,9})$")
_STAGE = re.compile(r"\.stage-(\d{1,9})$")


@dataclass(frozen=True, slots=True)
class Name:
    """What a name says; numbers from 1."""

    task: str
    attempt: int | None
    stage: int | None


def names_of(path: PurePath) -> tuple[Name, ...]:
    """Return what a path says, the likeliest first.

    >>> names_of(PurePath("runs/task-1.attempt-2.stage-3.traj.json"))[0]
    Name(task='task-1', attempt=2, stage=3)
    """
    return tuple(_read(part) for part in (path.name, path.parent.name) if part)


def _read(text: str) -> Name:
    text = _SUFFIX.sub("", text)
    text, stage = _take(_STAGE, text)
    text, attempt = _take(_ATTEMPT, text)
    return Name(text, attempt, stage)


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, int | None]:
    match = pattern.search(text)
    return (text[: match.start()], int(match[1])) if match else (text, None)
