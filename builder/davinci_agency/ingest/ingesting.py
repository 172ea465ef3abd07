"""From trajectory files to attempts: the stage's main sentence.

Every trajectory is read once, by any worker, and what it makes is kept in a temporary folder until
all are known, so that the output is sorted and no attempt is held in memory.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from davinci_agency.ingest.reading import Bad, Made, Reading, Stage, Tasks, batches
from davinci_agency.ingest.units import Found, Unit, Units
from davinci_agency.jsonl import open_records
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import SourceFormat, Task
from davinci_agency.spooling import LineReader
from davinci_agency.stage import Quarantined, StageOutput, Summary, stage_output
from davinci_agency.tokens import DEFAULT_TOKENIZER, open_counter

_MOST_LISTED = 5
"""Kinds of things left behind that a summary names; each record lists all of its own."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An attempt and the trajectories that make it, one for each stage or one for all."""

    made: Made
    units: tuple[Unit, ...]


def ingest_trajectories(
    paths: Sequence[Path],
    tasks: Sequence[Path],
    out: Path,
    *,
    source_format: SourceFormat | None = None,
    tokenizer: str = DEFAULT_TOKENIZER,
    engine: Engine = HERE,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write an attempt for each trajectory in some files and folders.

    Formats are told by what the files hold; ``source_format`` forces one of them. Counted are the
    trajectories: files, lines, rows, folders of events; of formats that have a file for a stage, a
    task of several stages has several. Tokens are counted by ``tokenizer`` (see `open_counter`).
    If the engine has several workers, the calling script needs the usual
    ``if __name__ == "__main__"``.

    Raises `CommandError` if a path does not exist.
    """
    open_counter(tokenizer)  # fails here, if it does
    with (
        stage_output("ingest", out, strict=strict) as output,
        open_records(tasks, Task, output, progress, counted=False, engine=engine) as records,
        ExitStack() as stack,
    ):
        units = Units(stack, engine.scratch)
        files = units.find(paths, source_format)
        for file in files:
            output.refuse_own(file.path)
        made = tempfile.TemporaryDirectory(prefix="davinci-agency-", dir=engine.scratch)
        reading = Reading(Tasks(records), tokenizer, Path(stack.enter_context(made)))
        read = track(files, progress, "read trajectories", len(files))
        found = (unit for file in read if file.form for unit in units.units(file.path, file.form))
        candidates = list(_survey(found, reading, engine, output))
        left = Counter[str]()
        reader = stack.enter_context(LineReader())
        for candidate in _settle(candidates, output):
            output.kept += len(candidate.units)
            left.update(dict(candidate.made.left))
            output.write_line(reader.read(candidate.made.line), "attempts")
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
    found: Iterable[Unit], reading: Reading, engine: Engine, output: StageOutput
) -> Iterator[_Candidate]:
    """Yield what attempts can be made; set aside the trajectories of which none can."""
    by_stage: dict[tuple[str, int], dict[int, list[tuple[Unit, str]]]]
    by_stage = defaultdict(lambda: defaultdict(list))
    sent: deque[list[Unit]] = deque()
    for looked in engine.map(reading.look, _noted(batches(found), sent)):
        for unit, what in zip(sent.popleft(), looked, strict=True):
            output.read += 1
            if isinstance(what, Stage):
                by_stage[what.task_id, what.attempt][what.stage].append((unit, what.sha256))
            else:
                yield from _candidate(what, [unit], output)
    groups = [
        group
        for (task_id, attempt), stages in sorted(by_stage.items())
        if (group := _one_each(task_id, attempt, stages, output))
    ]
    for group, what in zip(groups, engine.map(reading.join, groups), strict=True):
        yield from _candidate(what, group, output)


def _noted(batches: Iterable[list[Unit]], sent: deque[list[Unit]]) -> Iterator[list[Unit]]:
    """Yield batches, and note each one until its results are there."""
    for batch in batches:
        sent.append(batch)
        yield batch


def _candidate(
    what: Made | Bad, units: Sequence[Unit], output: StageOutput
) -> Iterator[_Candidate]:
    if isinstance(what, Bad):
        _set_aside(units, what.json_path, what.reason, output)
    else:
        yield _Candidate(what, tuple(units))


def _one_each(
    task_id: str,
    attempt: int,
    stages: Mapping[int, Sequence[tuple[Unit, str]]],
    output: StageOutput,
) -> list[Unit]:
    """Return one trajectory for each stage, from the first on; empty if the stages don't add up."""
    chosen: list[Unit] = []
    for number, units in sorted(stages.items()):
        contents = {sha256 for _, sha256 in units}
        if len(contents) > 1 or number != len(chosen) + 1:
            wrong = f"stage {number} is there {len(contents)} times with different contents"
            missing = f"stage {len(chosen) + 1} is missing"
            reason = wrong if len(contents) > 1 else missing
            everything = [unit for units in stages.values() for unit, _ in units]
            _set_aside(everything, "$.stage", f"attempt {attempt} at {task_id}: {reason}", output)
            return []
        chosen.append(units[0][0])
    for number, units in sorted(stages.items()):
        for _ in units[1:]:
            kept = f"{task_id} attempt {attempt} stage {number}"
            output.remove("attempt", kept, "exact-copy", "another file says the same", kept_id=kept)
    return chosen


def _set_aside(units: Sequence[Unit], path: str, reason: str, output: StageOutput) -> None:
    for unit in units:
        offset = unit.offset if unit.form.unit == "line" else None
        output.quarantine(Quarantined(str(unit.path), unit.line, path, reason, offset))


def _settle(candidates: Sequence[_Candidate], output: StageOutput) -> Iterator[_Candidate]:
    """Yield each attempt once, sorted; of one id with different contents none."""
    digests: dict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        digests[candidate.made.attempt_id].add(candidate.made.digest)
    seen: set[str] = set()
    for candidate in sorted(candidates, key=_order):
        name = candidate.made.attempt_id
        if len(digests[name]) > 1:
            several = f"{name} is there with {len(digests[name])} different verdicts"
            _set_aside(candidate.units, "$", f"{several}; keep the right one.", output)
        elif name in seen:
            for _ in candidate.units:
                output.remove(
                    "attempt", name, "exact-copy", "another trajectory says the same", kept_id=name
                )
        else:
            seen.add(name)
            yield candidate


def _order(candidate: _Candidate) -> tuple[str, str, str]:
    return candidate.made.task_id, candidate.made.attempt_id, candidate.made.digest
