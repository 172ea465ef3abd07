"""From records to curated records: the stage's main sentence."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from davinci_agency.curate.benchmarks import read_benchmark_texts
from davinci_agency.curate.deciding import Decision, Views, decide
from davinci_agency.curate.deny_index import DenyIndex
from davinci_agency.curate.deny_list import load_shipped, read_list
from davinci_agency.curate.grams import GramList
from davinci_agency.curate.inspecting import (
    AttemptInspector,
    PullInspector,
    TaskInspector,
)
from davinci_agency.curate.options import CurateOptions
from davinci_agency.curate.published import published_splits
from davinci_agency.curate.reporting import CURATION, Account, write_account
from davinci_agency.curate.standards import Standards
from davinci_agency.curate.views import AttemptView, PullView, TaskView
from davinci_agency.errors import CommandError
from davinci_agency.files import STDIO, atomic_file, atomic_folder
from davinci_agency.jsonl import InspectedFiles, open_inspected
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import Attempt, PullRequest, RecordName, Split, Task, to_json
from davinci_agency.stage import StageOutput, Summary, stage_output

R = TypeVar("R", PullRequest, Task, Attempt)

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

    Counted are the records of all three. Held in memory: some kilobytes of each. If the
    engine has several workers, the calling script needs the usual
    ``if __name__ == "__main__"``.

    Raises `OutputError` if ``out`` holds something else.
    """
    options = options or CurateOptions()
    paths = (*inputs.pulls, *inputs.tasks, *inputs.attempts)
    if STDIO in paths or out == STDIO:
        raise CommandError("curate reads and writes several files; name them instead of -.")
    if options.validation + options.test > 1:
        raise CommandError("validation and test are more than everything; their sum is at most 1.")
    published = published_splits(inputs.after) if inputs.after is not None else {}
    standards = _standards(options)
    with (
        ExitStack() as stack,
        atomic_folder(out, CURATION) as folder,
        stage_output("curate", out, strict=strict, records=False) as output,
    ):
        pulls = stack.enter_context(
            open_inspected(
                inputs.pulls, PullRequest, PullInspector(standards), output, progress,
                engine=engine,
            )
        )  # fmt: skip
        tasks = stack.enter_context(
            open_inspected(
                inputs.tasks, Task, TaskInspector(standards), output, progress, engine=engine
            )
        )
        known = {view.key: view.outline for view in tasks.seen()}
        attempts = stack.enter_context(
            open_inspected(
                inputs.attempts, Attempt, AttemptInspector(standards, known), output, progress,
                engine=engine,
            )
        )  # fmt: skip
        at_known = [view for view in attempts.seen() if view.task_id in known]
        views = Views(list(pulls.seen()), list(tasks.seen()), at_known)
        progress.start("decide", None)
        decision = decide(views, options.choice, options.most_common, published, options.splits)
        _write(folder, pulls, PullRequest, decision, output, progress)
        _write(folder, tasks, Task, decision, output, progress)
        _write(folder, attempts, Attempt, decision, output, progress, known)
        account = Account.of(views, decision, output)
        write_account(folder, account, options.choice)
        output.funnel = account.funnel()
    return output.summary()


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
    decision: Decision,
    output: StageOutput,
    progress: Progress,
    tasks: Mapping[str, Task] | None = None,
) -> None:
    """Write what stays of one kind of record, and a receipt for everything else.

    ``tasks`` are those that attempts may be at; one at none of them is set aside.
    """
    name = record_type.RECORD
    struck, marks = decision.struck.get(name, {}), decision.marks.get(name, {})
    with atomic_file(folder / FILES[name]) as file:
        seen = zip(records.locations(), records.seen(), strict=True)
        tracked = track(seen, progress, f"write {name}s", len(records))
        for index, ((key, _), view) in enumerate(tracked):
            task_id = _task_of(view)
            if tasks is not None and task_id not in tasks:
                reason = f"there is no task {task_id}; give the file that has it."
                output.quarantine(records.note(index, "$.task_id", reason))
            elif key in struck:
                gone = struck[key]
                output.remove(
                    name, key, gone.rule, gone.reason, measure=gone.measure, kept_id=gone.kept
                )
            else:
                line = records.line(index)
                split = decision.splits.split.get(task_id or key)
                if split is None and tasks is not None and task_id is not None:
                    split = tasks[task_id].split
                if split is not None or key in marks:
                    group = decision.splits.group.get(task_id or key)
                    record = _settled(records.read(index), split, group, marks.get(key, set()))
                    line = to_json(record)
                file.write(line + b"\n")
                output.kept += 1
                output.written[name] += 1


def _task_of(view: PullView | TaskView | AttemptView) -> str | None:
    return view.task_id if isinstance(view, AttemptView) else None


def _settled(record: R, split: Split | None, group: str | None, marks: set[str]) -> R:
    """Return a record with its split and the marks of the rules that it broke."""
    change: dict[str, Any] = {"marks": tuple(sorted({*record.marks, *marks}))}
    if split is not None:
        change["split"] = split
    if isinstance(record, Task) and group is not None:
        change["split_group"] = group
    return replace(record, **change)
