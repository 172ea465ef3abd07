"""From trajectory files to attempts: the stage's main sentence.

Every trajectory is read twice: once to check it and learn where it stands, once to write it, so
that the output is sorted and no more than one attempt is held at a time.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
import orjson

from davinci_agency.collect import mini_swe_agent, openai_messages
from davinci_agency.collect.rollout import Rollout, TrajectoryError, make_attempt
from davinci_agency.collect.stages import join_stages
from davinci_agency.errors import CommandError
from davinci_agency.files import plain_file, read_lines
from davinci_agency.ids import content_digest
from davinci_agency.jsonl import open_records
from davinci_agency.parsing import MAX_LINE_BYTES, find_faults
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import Attempt, SourceFormat, Task, from_json, to_row
from davinci_agency.stage import Quarantined, StageOutput, Summary, stage_output

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unit:
    """One trajectory where it stands: a whole file, or (with a number) a line of one."""

    path: Path
    line: int | None
    offset: int
    length: int


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
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write an attempt for each trajectory in some files and folders.

    ``*.traj.json`` are read as mini-swe-agent's, ``*.jsonl`` and ``*.jsonl.zst`` as OpenAI-style
    messages; ``source_format`` forces one of them. Counted are the trajectories: the files of the
    first format, of which a task of several stages has several, and the lines of the second.

    Raises `CommandError` if a path does not exist.
    """
    files = _files(paths, source_format)
    with (
        stage_output("ingest", out, strict=strict) as output,
        open_records(tasks, Task, output, progress, counted=False) as records,
        ExitStack() as stack,
    ):
        for path, _ in files:
            output.refuse_own(path)
        stages = {task.task_id: len(task.stages) for task in records}
        reader = _Reader(stages, stack)
        candidates = list(_survey(files, reader, output, progress))
        for candidate in _settle(candidates, output):
            output.kept += len(candidate.units)
            output.write(reader.attempt(candidate.units), "attempts")
        if not files:
            output.notes.append("no trajectory files were found")
    return output.summary()


def _files(
    paths: Sequence[Path], source_format: SourceFormat | None
) -> list[tuple[Path, SourceFormat]]:
    """Return every trajectory file once, with its format."""
    found: dict[Path, SourceFormat] = {}
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist; name trajectory files or their folder.")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            is_mini = file.name.endswith(mini_swe_agent.SUFFIX)
            is_lines = file.name.endswith((".jsonl", ".jsonl.zst"))
            if file.is_file() and (is_mini or is_lines or file == path):
                by_name: SourceFormat = "openai-messages" if is_lines else "mini-swe-agent"
                found[file] = source_format or by_name
    return list(found.items())


def _survey(
    files: Sequence[tuple[Path, SourceFormat]],
    reader: _Reader,
    output: StageOutput,
    progress: Progress,
) -> Iterator[_Candidate]:
    """Yield what attempts can be made; set aside the trajectories of which none can."""
    by_stage: dict[tuple[str, int], dict[int, list[Unit]]] = defaultdict(lambda: defaultdict(list))
    for path, source_format in track(files, progress, "read trajectories", len(files)):
        for unit in reader.units(path, source_format):
            output.read += 1
            if unit.length > MAX_LINE_BYTES:
                reason = f"the trajectory is larger than {MAX_LINE_BYTES >> 20} MiB"
                _set_aside([unit], "$", reason, output)
                continue
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
        contents = {reader.sha256(unit): unit for unit in reversed(units)}
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
        offset = unit.offset if unit.line is not None else None
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


class _Reader:
    """Reads trajectories where they stand, and knows the tasks that they may be about."""

    def __init__(self, stages: Mapping[str, int], stack: ExitStack) -> None:
        """Take the number of stages of every task, and what will close the files."""
        self._stages = stages
        self._stack = stack
        self._formats: dict[Path, SourceFormat] = {}
        self._lines: dict[Path, BinaryIO] = {}

    def units(self, path: Path, source_format: SourceFormat) -> Iterator[Unit]:
        """Yield the trajectories of a file."""
        self._formats[path] = source_format
        if source_format == "mini-swe-agent":
            yield Unit(path, None, 0, path.stat().st_size)
            return
        plain = self._stack.enter_context(plain_file(path))
        file = self._lines[path] = self._stack.enter_context(plain.open("rb"))
        for line, (offset, raw) in enumerate(read_lines(file, MAX_LINE_BYTES), start=1):
            if raw is None or raw.strip():
                yield Unit(path, line, offset, MAX_LINE_BYTES + 1 if raw is None else len(raw))

    def _raw(self, unit: Unit) -> bytes:
        if unit.line is None:
            return unit.path.read_bytes()
        file = self._lines[unit.path]
        file.seek(unit.offset)
        return file.read(unit.length)

    def sha256(self, unit: Unit) -> str:
        """Return the digest of a trajectory's bytes."""
        return hashlib.sha256(self._raw(unit)).hexdigest()

    def rollout(self, unit: Unit) -> Rollout:
        """Return a trajectory; raises `TrajectoryError` if it is bad or about no known task."""
        raw = self._raw(unit)
        sha256 = hashlib.sha256(raw).hexdigest()
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise TrajectoryError("$", f"this is not JSON ({error})") from error
        if self._formats[unit.path] == "mini-swe-agent":
            rollout = mini_swe_agent.read_rollout(value, unit.path.name, sha256)
            self._check_task(rollout.task_id, rollout.stage or 1)
            return rollout
        task_id = value.get("task_id") if isinstance(value, Mapping) else None
        count = self._check_task(task_id, 1)
        return openai_messages.read_rollout(value, count, sha256)

    def _check_task(self, task_id: Any, stage: int) -> int:
        count = self._stages.get(task_id) if isinstance(task_id, str) else None
        if count is None:
            named = f"there is no task {str(task_id)[:80]!r}; give the file that has it"
            raise TrajectoryError("$.task_id", named if task_id else "it names no task")
        if not 1 <= stage <= count:
            raise TrajectoryError("$.stage", f"{task_id} has no stage {stage}, only {count}")
        return count

    def attempt(self, units: Sequence[Unit]) -> Attempt:
        """Return the attempt that some trajectories make; `TrajectoryError` if they make none."""
        rollouts = [self.rollout(unit) for unit in units]
        whole = rollouts[0] if rollouts[0].stage is None else join_stages(rollouts)
        try:
            attempt = make_attempt(whole)
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
