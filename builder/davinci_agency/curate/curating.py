"""From records to curated records: the stage's main sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from davinci_agency.curate.benchmarks import read_benchmark_texts
from davinci_agency.curate.deciding import decide
from davinci_agency.curate.deny_index import DenyIndex
from davinci_agency.curate.deny_list import load_shipped, read_list
from davinci_agency.curate.entering import enter_attempts, enter_pulls, enter_tasks
from davinci_agency.curate.grams import GramList
from davinci_agency.curate.inspecting import (
    AttemptInspector,
    PullInspector,
    TaskInspector,
)
from davinci_agency.curate.options import CurateOptions
from davinci_agency.curate.outlines import write_outlines
from davinci_agency.curate.published import published_splits
from davinci_agency.curate.register import Register, Verdict, open_register
from davinci_agency.curate.reporting import CURATION, Account, write_account
from davinci_agency.curate.standards import Standards
from davinci_agency.errors import CommandError
from davinci_agency.files import STDIO, atomic_file, atomic_folder
from davinci_agency.jsonl import InspectedFiles, open_inspected
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import Attempt, PullRequest, RecordName, Task, to_json
from davinci_agency.stage import Quarantined, StageOutput, Summary, stage_output
from davinci_agency.surveying import Seen

R = TypeVar("R", PullRequest, Task, Attempt)
T = TypeVar("T")

FILES: dict[RecordName, str] = {
    PullRequest.RECORD: "pulls.jsonl",
    Task.RECORD: "tasks.jsonl",
    Attempt.RECORD: "attempts.jsonl",
}
"""The files of curated records, by what they hold."""


@dataclass(frozen=True, slots=True)
class CurateInputs:
    """The files to curate, by what they hold; ``after`` is the release before, if there is one."""

    pulls: tuple[Path, ...] = ()
    tasks: tuple[Path, ...] = ()
    attempts: tuple[Path, ...] = ()
    after: Path | None = None


def select_samples(
    inputs: CurateInputs,
    out: Path,
    options: CurateOptions | None = None,
    *,
    engine: Engine = HERE,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write what stays of pull requests, tasks and attempts into a folder, and the account.

    Counted are the records of all three. What is seen of them lies on disk. If the engine has
    several workers, the calling script needs the usual ``if __name__ == "__main__"``.

    Raises `OutputError` if ``out`` holds something else.
    """
    options = options or CurateOptions()
    paths = (*inputs.pulls, *inputs.tasks, *inputs.attempts)
    if STDIO in paths or out == STDIO:
        raise CommandError("curate reads and writes several files; name them instead of -.")
    if options.validation + options.test > 1:
        raise CommandError("validation and test are more than everything; their sum is at most 1.")
    standards = _standards(options)
    with (
        ExitStack() as stack,
        TemporaryDirectory(prefix="davinci-agency-", dir=engine.scratch) as scratch,
        open_register(Path(scratch)) as register,
        atomic_folder(out, CURATION) as folder,
        stage_output("curate", out, strict=strict, records=False) as output,
    ):
        if inputs.after is not None:
            register.publish(published_splits(inputs.after))

        def inspected(
            files: Sequence[Path], record_type: type[R], inspect: Callable[[R], Seen[T]]
        ) -> InspectedFiles[R, T]:
            return stack.enter_context(
                open_inspected(files, record_type, inspect, output, progress, engine=engine)
            )

        pulls = inspected(inputs.pulls, PullRequest, PullInspector(standards))
        with ThreadPoolExecutor(1) as beside:
            # Meanwhile the workers look at tasks.
            entered = beside.submit(_enter, register, pulls, PullRequest, enter_pulls)
            tasks = inspected(inputs.tasks, Task, TaskInspector(standards))
            entered.result()
        _enter(register, tasks, Task, enter_tasks)
        # Many lines have no attempts yet.
        has_attempts = any(not path.is_file() or path.stat().st_size for path in inputs.attempts)
        outlines = write_outlines(
            Path(scratch) / "outlines.sqlite",
            ((view.key, view.outline) for view in (tasks.seen() if has_attempts else ())),
        )
        attempts = inspected(inputs.attempts, Attempt, AttemptInspector(standards, outlines))
        _enter(register, attempts, Attempt, enter_attempts)
        progress.start("decide", None)
        decide(register, options.choice, options.most_common, options.splits)
        _write(folder, pulls, PullRequest, register, output, progress)
        _write(folder, tasks, Task, register, output, progress)
        _write(folder, attempts, Attempt, register, output, progress)
        account = Account.of(register, output.quarantine_count)
        write_account(folder, account, options.choice)
        output.funnel = account.funnel()
    return output.summary()


def _enter(
    register: Register,
    records: InspectedFiles[R, T],
    record_type: type[R],
    enter: Callable[[Register, Iterator[T]], None],
) -> None:
    """Enter what was seen of records into the register; copies are counted only."""
    register.add_copies(record_type.RECORD, records.copies())
    enter(register, records.seen())


def _standards(options: CurateOptions) -> Standards:
    lists = [*load_shipped(), *(read_list(Path(path)) for path in options.deny_lists)]
    texts = [text for path in options.benchmarks for text in read_benchmark_texts(Path(path))]
    return Standards(
        choice=options.choice,
        licenses=options.allowed,
        withhold=options.withhold_patches,
        opted_out=frozenset(options.opted_out),
        logins=options.logins,
        denied=DenyIndex(lists),
        whole_repositories=options.whole_repositories,
        grams=GramList(texts) if texts else None,
        limits=options.limits,
    )


def _write(
    folder: Path,
    records: InspectedFiles[R, Any],
    record_type: type[R],
    register: Register,
    output: StageOutput,
    progress: Progress,
) -> None:
    """Write what stays of one kind of record, and a receipt for everything else.

    Of an attempt at a task that there isn't the register knows nothing; it is set aside.
    """
    name = record_type.RECORD
    verdicts = register.verdicts(name)
    verdict = next(verdicts, None)
    with atomic_file(folder / FILES[name]) as file:
        for index in track(range(len(records)), progress, f"write {name}s", len(records)):
            if verdict is None or verdict.place != index:
                output.quarantine(_without_task(records, index))
                continue
            if verdict.struck is not None:
                gone = verdict.struck
                output.remove(
                    name, verdict.key, gone.rule, gone.reason, measure=gone.measure,
                    kept_id=gone.kept,
                )  # fmt: skip
            else:
                line = records.line(index)
                if verdict.split or verdict.split_group or verdict.marks:
                    line = to_json(_settled(records.read(index), verdict))
                file.write(line + b"\n")
                output.kept += 1
                output.written[name] += 1
            verdict = next(verdicts, None)


def _without_task(records: InspectedFiles[R, Any], index: int) -> Quarantined:
    task_id = getattr(records.read(index), "task_id", None)
    reason = f"there is no task {task_id}; give the file that has it."
    return records.note(index, "$.task_id", reason)


def _settled(record: R, verdict: Verdict) -> R:
    """Return a record with its split and the marks of the rules that it broke."""
    change: dict[str, Any] = {"marks": tuple(sorted({*record.marks, *verdict.marks}))}
    if verdict.split is not None:
        change["split"] = verdict.split
    if isinstance(record, Task) and verdict.split_group is not None:
        change["split_group"] = verdict.split_group
    return replace(record, **change)
