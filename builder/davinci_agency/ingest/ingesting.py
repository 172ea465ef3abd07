"""From trajectory files to attempts: the stage's main sentence.

Every trajectory is read twice: once to check it and learn where it stands, once to write it, so
that the output is sorted and no more than one attempt is held at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

import msgspec
import orjson

from davinci_agency.ids import content_digest
from davinci_agency.ingest.naming import Name, names_of
from davinci_agency.ingest.units import Found, Unit, Units
from davinci_agency.jsonl import open_records
from davinci_agency.parsing import find_faults
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import Attempt, SourceFormat, Task, from_json, to_row
from davinci_agency.stage import Quarantined, StageOutput, Summary, stage_output
from davinci_agency.tokens import DEFAULT_TOKENIZER, TokenCounter, open_counter
from davinci_agency.trajectories import (
    Conversation,
    Rollout,
    TrajectoryError,
    cut_at_user_turns,
    join_stages,
    make_attempt,
)

T = TypeVar("T")

_MOST_LISTED = 5
"""Kinds of things left behind that a summary names; each record lists all of its own."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An attempt that can be made from some trajectories, one for each stage or one for all."""

    task_id: str
    attempt_id: str
    digest: str
    units: tuple[Unit, ...]


def ingest_trajectories(
    paths: Sequence[Path],
    tasks: Sequence[Path],
    out: Path,
    *,
    source_format: SourceFormat | None = None,
    tokenizer: str = DEFAULT_TOKENIZER,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write an attempt for each trajectory in some files and folders.

    Formats are told by what the files hold; ``source_format`` forces one of them. Counted are the
    trajectories: files, lines, rows, folders of events; of formats that have a file for a stage, a
    task of several stages has several. Tokens are counted by ``tokenizer`` (see `open_counter`).

    Raises `CommandError` if a path does not exist.
    """
    with (
        stage_output("ingest", out, strict=strict) as output,
        open_records(tasks, Task, output, progress, counted=False) as records,
        ExitStack() as stack,
    ):
        units = Units(stack)
        files = units.find(paths, source_format)
        for file in files:
            output.refuse_own(file.path)
        reader = _Reader(_Tasks(records), units, open_counter(tokenizer))
        candidates = list(_survey(files, reader, output, progress))
        left = Counter[str]()
        for candidate in _settle(candidates, output):
            output.kept += len(candidate.units)
            attempt = reader.attempt(candidate.units)
            left.update({each.what: each.count for each in attempt.not_carried})
            output.write(attempt, "attempts")
        _add_notes(files, left, output)
    return output.summary()


def _add_notes(files: Sequence[Found], left: Counter[str], output: StageOutput) -> None:
    if not files:
        output.notes.append("no trajectory files were found")
    unknown = [file.path for file in files if file.form is None]
    if unknown:
        output.notes.append(
            f"{len(unknown)} files hold no trajectory of a known format, such as {unknown[0]}"
        )
    if left:
        kinds = ", ".join(f"{what} {count:,}" for what, count in left.most_common(_MOST_LISTED))
        more = f", and {len(left) - _MOST_LISTED} more kinds" if len(left) > _MOST_LISTED else ""
        output.notes.append(f"not carried over: {kinds}{more} (not_carried lists all)")


def _survey(
    files: Sequence[Found], reader: _Reader, output: StageOutput, progress: Progress
) -> Iterator[_Candidate]:
    """Yield what attempts can be made; set aside the trajectories of which none can."""
    by_stage: dict[tuple[str, int], dict[int, list[Unit]]] = defaultdict(lambda: defaultdict(list))
    for file in track(files, progress, "read trajectories", len(files)):
        for unit in reader.units.units(file.path, file.form) if file.form else ():
            output.read += 1
            rollout = _attempt_to(partial(reader.rollout, unit), [unit], output)
            if rollout is None:
                continue
            if rollout.stage is None:
                yield from _candidate(reader, [unit], output)
            else:
                by_stage[rollout.task_id, rollout.attempt][rollout.stage].append(unit)
    for (task_id, attempt), stages in sorted(by_stage.items()):
        units = list(_one_each(task_id, attempt, stages, reader, output))
        if units:
            yield from _candidate(reader, units, output)


def _one_each(
    task_id: str,
    attempt: int,
    stages: Mapping[int, Sequence[Unit]],
    reader: _Reader,
    output: StageOutput,
) -> list[Unit]:
    """Return one trajectory for each stage, from the first on; empty if the stages don't add up."""
    chosen: list[Unit] = []
    for number, units in sorted(stages.items()):
        contents = {reader.units.read(unit)[1]: unit for unit in reversed(units)}
        if len(contents) > 1 or number != len(chosen) + 1:
            wrong = f"stage {number} is there {len(contents)} times with different contents"
            missing = f"stage {len(chosen) + 1} is missing"
            reason = wrong if len(contents) > 1 else missing
            everything = [unit for units in stages.values() for unit in units]
            _set_aside(everything, "$.stage", f"attempt {attempt} at {task_id}: {reason}", output)
            return []
        chosen.append(units[0])
    for number, units in sorted(stages.items()):
        for _ in units[1:]:
            kept = f"{task_id} attempt {attempt} stage {number}"
            output.remove("attempt", kept, "exact-copy", "another file says the same", kept_id=kept)
    return chosen


def _candidate(reader: _Reader, units: Sequence[Unit], output: StageOutput) -> Iterator[_Candidate]:
    attempt = _attempt_to(partial(reader.attempt, units), units, output)
    if attempt is not None:
        yield _Candidate(
            attempt.task_id, attempt.attempt_id, content_digest(to_row(attempt)), tuple(units)
        )


def _attempt_to(action: Callable[[], T], units: Sequence[Unit], output: StageOutput) -> T | None:
    try:
        return action()
    except TrajectoryError as error:
        _set_aside(units, error.json_path, f"{error}.", output)
        return None


def _set_aside(units: Sequence[Unit], path: str, reason: str, output: StageOutput) -> None:
    for unit in units:
        offset = unit.offset if unit.form.unit == "line" else None
        output.quarantine(Quarantined(str(unit.path), unit.line, path, reason, offset))


def _settle(candidates: Sequence[_Candidate], output: StageOutput) -> Iterator[_Candidate]:
    """Yield each attempt once, sorted; of one id with different contents none."""
    digests: dict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        digests[candidate.attempt_id].add(candidate.digest)
    seen: set[str] = set()
    for candidate in sorted(candidates, key=attrgetter("task_id", "attempt_id", "digest")):
        if len(digests[candidate.attempt_id]) > 1:
            reason = (
                f"{candidate.attempt_id} is there with {len(digests[candidate.attempt_id])} "
                "different verdicts; keep the right one."
            )
            _set_aside(candidate.units, "$", reason, output)
        elif candidate.attempt_id in seen:
            for _ in candidate.units:
                output.remove(
                    "attempt",
                    candidate.attempt_id,
                    "exact-copy",
                    "another trajectory says the same",
                    kept_id=candidate.attempt_id,
                )
        else:
            seen.add(candidate.attempt_id)
            yield candidate


class _Tasks:
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


class _Reader:
    """Makes rollouts of trajectories where they stand, and attempts of rollouts."""

    def __init__(self, tasks: _Tasks, units: Units, count: TokenCounter | None) -> None:
        self.units = units
        self._tasks = tasks
        self._count = count

    def rollout(self, unit: Unit) -> Rollout:
        """Return a trajectory; raises `TrajectoryError` if it is bad or about no known task."""
        value, sha256 = self.units.read(unit)
        said = unit.form.read(value)
        names = () if unit.line is not None else names_of(unit.path)
        return _placed(said, names, sha256, self._tasks)

    def attempt(self, units: Sequence[Unit]) -> Attempt:
        """Return the attempt that some trajectories make; `TrajectoryError` if they make none."""
        rollouts = [self.rollout(unit) for unit in units]
        whole = rollouts[0] if rollouts[0].stage is None else join_stages(rollouts)
        try:
            attempt = make_attempt(whole, self._count)
            row = to_row(attempt)
        except (TypeError, orjson.JSONEncodeError) as error:
            raise TrajectoryError("$", f"this can't be written as JSON ({error})") from error
        faults = find_faults(row, Attempt.RECORD)
        if faults:
            raise TrajectoryError(faults[0].json_path, str(faults[0]))
        try:
            return from_json(row, Attempt)
        except msgspec.ValidationError as error:
            raise TrajectoryError("$", str(error)) from error


def _placed(said: Conversation, names: Sequence[Name], sha256: str, tasks: _Tasks) -> Rollout:
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
