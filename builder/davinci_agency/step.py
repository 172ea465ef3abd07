"""A step of the line, done only if it has to be.

Each step has a key: its name, options and the digests of its inputs. When a step ends well, the key
and the digests of its outputs go into a stamp beside them; while both still hold, the step is
skipped. So a killed run goes on where it was, and a changed option, input or program redoes exactly
what follows from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from davinci_agency.files import atomic_file, quick_digest
from davinci_agency.ids import content_digest
from davinci_agency.records import SCHEMA_VERSION
from davinci_agency.stage import Summary
from davinci_agency.version import __version__


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the line.

    Attributes:
        name: what it is called in summaries; one stage can have several steps.
        options: everything its output depends on but the inputs' content.
        inputs: the files and folders that it reads.
        outputs: the files and folders that it makes.
        stamp: where its key is kept.
        action: does it.
        asks_a_remote: whether it depends on what only a remote knows, so that no stamp can tell.
    """

    name: str
    options: dict[str, Any]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    stamp: Path
    action: Callable[[], Summary]
    asks_a_remote: bool = False


class Stamp(msgspec.Struct, frozen=True):
    """That a step was done: its key, the digests of its outputs, and its account."""

    key: str
    outputs: dict[str, str]
    summary: Summary


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step's account, and whether it was up to date and skipped."""

    name: str
    summary: Summary
    skipped: bool


def do_step(step: Step, strict: bool) -> Outcome:
    """Do a step, unless it is up to date."""
    stamp = None if step.asks_a_remote else _read_stamp(step.stamp)
    with ThreadPoolExecutor(1) as beside:
        # Without a stamp nobody waits for it; begun before the action, since inputs may change.
        key = beside.submit(_key, step)
        if (
            stamp is not None
            and stamp.outputs == _digests(step.outputs)
            and stamp.key == key.result()
        ):
            strict_failure = strict and stamp.summary.quarantined > 0
            if not strict_failure:
                return Outcome(step.name, stamp.summary, skipped=True)
        summary = step.action()
    done = Stamp(key.result(), _digests(step.outputs), summary)
    with atomic_file(step.stamp) as file:
        file.write(msgspec.json.encode(done))
    return Outcome(step.name, summary, skipped=False)


def _key(step: Step) -> str:
    inputs = _digests(step.inputs)
    return content_digest([step.name, __version__, SCHEMA_VERSION, step.options, inputs])


def _digests(paths: Sequence[Path]) -> dict[str, str]:
    """Return the digest of every file, and of every file in the folders.

    They go by the place of the path in the list and the name below it, so that moving a dataset's
    folder as a whole redoes nothing.
    """
    found: dict[str, Path] = {}
    for place, path in enumerate(paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                found[f"{place}/{path.name}/{file.relative_to(path)}"] = file
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(found, pool.map(quick_digest, found.values()), strict=True))


def _read_stamp(path: Path) -> Stamp | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Stamp)
    except (FileNotFoundError, msgspec.DecodeError):
        # No stamp, or one of another version of this program: do the step again.
        return None
