"""Trajectories made attempts, by whoever reads them: what each is, its attempt kept in a spool."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import msgspec
import orjson

from davinci_agency.garbage import collecting_rarely
from davinci_agency.ids import content_digest
from davinci_agency.ingest.naming import Name, names_of
from davinci_agency.ingest.units import Unit, Units
from davinci_agency.parsing import find_faults
from davinci_agency.records import Attempt, JsonObject, Task, from_json, to_json, to_row
from davinci_agency.spooling import Location, Spool, open_spool
from davinci_agency.tokens import open_counter
from davinci_agency.trajectories import (
    Conversation,
    Rollout,
    TrajectoryError,
    cut_at_user_turns,
    join_stages,
    make_attempt,
)

T = TypeVar("T")

_BATCH_BYTES = 8 << 20
_BATCH_UNITS = 256
"""Trajectories given to a process at once: so many bytes, or so many of unknown size."""

_counter = lru_cache(1)(open_counter)


@dataclass(frozen=True, slots=True)
class Bad:
    """A trajectory, or some, of which no attempt can be made: where the fault is, and what."""

    json_path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A trajectory of one stage, which others may have to be joined to; digest of what was read."""

    task_id: str
    attempt: int
    stage: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt: its ids, its digest, where its line is kept, and what was not carried over."""

    task_id: str
    attempt_id: str
    digest: str
    line: Location
    left: tuple[tuple[str, int], ...]


class Tasks:
    """The tasks that trajectories may be about, by id and by SWE-bench's instance id."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._stages: dict[str, int] = {}
        self._instances: dict[str, set[str]] = defaultdict(set)
        for task in tasks:
            self._stages[task.task_id] = len(task.stages)
            if task.instance_id is not None:
                self._instances[task.instance_id].add(task.task_id)

    def find(self, names: Sequence[str]) -> tuple[str, int]:
        """Return the first task that is named, and the number of its stages.

        Raises `TrajectoryError` if none is, or an instance has several tasks.
        """
        for name in names:
            ids = {name} if name in self._stages else self._instances.get(name, set())
            if len(ids) > 1:
                several = f"{name} is the instance of {len(ids)} tasks; name the task"
                raise TrajectoryError("$.task_id", several)
            for task_id in ids:
                return task_id, self._stages[task_id]
        if not names:
            raise TrajectoryError("$.task_id", "it names no task")
        raise TrajectoryError(
            "$.task_id", f"there is no task {names[0][:80]!r}; give the file that has it"
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """How trajectories are read: about which tasks, by which tokenizer, into which folder."""

    tasks: Tasks
    tokenizer: str
    spool: Path

    @collecting_rarely()
    def look(self, batch: Sequence[Unit]) -> list[Made | Stage | Bad]:
        """Return of each trajectory what it is: an attempt, a stage of one, or bad."""
        with ExitStack() as stack:
            units, spool = Units(stack), stack.enter_context(open_spool(self.spool))
            return [_tried(partial(self._look, unit, units, spool)) for unit in batch]

    def join(self, group: Sequence[Unit]) -> Made | Bad:
        """Return the attempt that a trajectory for each stage makes."""
        with ExitStack() as stack:
            units, spool = Units(stack), stack.enter_context(open_spool(self.spool))
            return _tried(partial(self._join, group, units, spool))

    def _look(self, unit: Unit, units: Units, spool: Spool) -> Made | Stage:
        rollout = self._rollout(unit, units)
        if rollout.stage is None:
            return self._made(rollout, spool)
        return Stage(rollout.task_id, rollout.attempt, rollout.stage, rollout.source_sha256)

    def _join(self, group: Sequence[Unit], units: Units, spool: Spool) -> Made:
        return self._made(join_stages([self._rollout(unit, units) for unit in group]), spool)

    def _rollout(self, unit: Unit, units: Units) -> Rollout:
        value, sha256 = units.read(unit)
        said = unit.form.read(value)
        names = () if unit.line is not None else names_of(unit.path)
        return _placed(said, names, sha256, self.tasks)

    def _made(self, rollout: Rollout, spool: Spool) -> Made:
        row = self._row(rollout)
        try:
            attempt = from_json(row, Attempt)
        except msgspec.ValidationError as error:
            raise TrajectoryError("$", str(error)) from error
        left = Counter[str]()
        for each in attempt.not_carried:
            left[each.what] += each.count
        return Made(
            attempt.task_id,
            attempt.attempt_id,
            content_digest(to_row(attempt)),
            spool.keep(to_json(attempt)),
            tuple(left.items()),
        )

    def _row(self, rollout: Rollout) -> JsonObject:
        """Return an attempt as JSON; raises `TrajectoryError` if it can't be written as such."""
        try:
            row = to_row(make_attempt(rollout, _counter(self.tokenizer)))
        except (TypeError, orjson.JSONEncodeError) as error:
            raise TrajectoryError("$", f"this can't be written as JSON ({error})") from error
        faults = find_faults(row, Attempt.RECORD)
        if faults:
            raise TrajectoryError(faults[0].json_path, str(faults[0]))
        return row


def _tried(action: Callable[[], T]) -> T | Bad:
    try:
        return action()
    except TrajectoryError as error:
        return Bad(error.json_path, f"{error}.")


def _placed(said: Conversation, names: Sequence[Name], sha256: str, tasks: Tasks) -> Rollout:
    """Return a conversation with the task, attempt and stage that it or its name says."""
    said_names = [said.task_id] if said.task_id else []
    task_id, count = tasks.find([*said_names, *(name.task for name in names)])
    name = next(iter(names), Name("", None, None))
    stage = said.stage or name.stage
    attempt = said.attempt or name.attempt or 1
    if stage is None and names and count > 1 and said.stages is None and _asks_once(said):
        stage = 1  # a file that asks once, for a task of several stages
    if stage is None:
        stages = said.stages or cut_at_user_turns(said, count)
        return Rollout(task_id, attempt, None, stages, said, sha256)
    if not 1 <= stage <= count:
        raise TrajectoryError("$.stage", f"{task_id} has no stage {stage}, only {count}")
    return Rollout(task_id, attempt, stage, cut_at_user_turns(said, 1), said, sha256)


def _asks_once(said: Conversation) -> bool:
    return said.is_one_stage or sum(turn.get("role") == "user" for turn in said.messages) == 1


def batches(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    """Yield trajectories in batches that are worth sending to a process."""
    batch: list[Unit] = []
    size = 0
    for unit in units:
        batch.append(unit)
        size += unit.length
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_UNITS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
