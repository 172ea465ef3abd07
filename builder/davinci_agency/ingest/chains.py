"""From chain files and mined pull requests to tasks: the stage's main sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from davinci_agency.errors import CommandError
from davinci_agency.ingest.chain_files import ChainFile, ChainFileError, read_chain_file
from davinci_agency.jsonl import RecordFiles, open_records
from davinci_agency.leaks import Secrets, find_leaks
from davinci_agency.parsing import MAX_LINE_BYTES
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import (
    SCHEMA_VERSION,
    Chain,
    ChainScores,
    ChainStage,
    Kind,
    PullRequest,
    QueryWriter,
    Task,
    as_stage,
    chain_id,
)
from davinci_agency.stage import Quarantined, StageOutput, Summary, stage_output
from davinci_agency.tasks import make_task

LEAK = "leak"
"""The mark of a task whose queries give something of the true change away."""
_NO_SCORES = ChainScores(None, None, None, None, None, 0.0, 0, 0)


def ingest_chains(
    paths: Sequence[Path],
    pulls: Sequence[Path],
    out: Path,
    *,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write a task for each chain file in some files and folders.

    What the files don't say comes from the pull requests in ``pulls``. Nothing in them proves that
    their pull requests belong together, so a chain of several is a temporal one. A query that gives
    something away is kept as it is, and the task marked. Counted are the files.

    Raises `CommandError` if a path does not exist.
    """
    files = sorted(set(_files(paths)))
    with (
        stage_output("ingest", out, strict=strict) as output,
        open_records(pulls, PullRequest, output, progress, counted=False) as records,
    ):
        leaking = 0
        seen: set[str] = set()
        for file in track(files, progress, "read chains", len(files)):
            output.refuse_own(file)
            output.read += 1
            raw = file.read_bytes() if file.stat().st_size <= MAX_LINE_BYTES else b""
            try:
                task = _task(read_chain_file(raw), records)
                if task.task_id in seen:
                    raise ChainFileError("another file holds the same task")
            except ChainFileError as error:
                output.quarantine(_note(file, raw, str(error)))
                continue
            seen.add(task.task_id)
            leaking += LEAK in task.marks
            output.kept += 1
            output.write(task, task.kind)
        _add_notes(output, leaking)
    return output.summary()


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist; name chain files or their folder.")
        yield from sorted(path.rglob("*.json")) if path.is_dir() else [path]


def _task(chain: ChainFile, records: RecordFiles[PullRequest]) -> Task:
    pulls: list[PullRequest] = []
    for stage in chain.stages:
        name = f"{chain.repo}#{stage.number}"
        place = records.find(name)
        if place is None:
            raise ChainFileError(f"{name} is not among the pull requests")
        pull = records.read(place)
        own = {path for file in pull.files for path in (file.path, file.old_path)}
        # Its patches begin where the branch did, so they may hold what others merged meanwhile.
        if stage.paths and own.isdisjoint(stage.paths):
            path = min(stage.paths)[:100]
            raise ChainFileError(f"its #{stage.number} changes {path}, the pull request does not")
        pulls.append(pull)
    if any(later.merged_at < earlier.merged_at for earlier, later in pairwise(pulls)):
        raise ChainFileError("its pull requests were not merged in this order")
    made = _chain(pulls)
    queries = [stage.query for stage in chain.stages]
    task = make_task(made, queries, QueryWriter("agencybench", chain.version))
    leaks = [leak for query in queries for leak in find_leaks(query, Secrets(made.stages))]
    return replace(task, marks=(LEAK,)) if leaks else task


def _chain(pulls: Sequence[PullRequest]) -> Chain:
    first = pulls[0]
    kind: Kind = "single-pr" if len(pulls) == 1 else "temporal-chain"
    members = [(pull.number, pull.merge_commit) for pull in pulls]
    return Chain(
        schema_version=SCHEMA_VERSION,
        chain_id=chain_id(kind, first.repo, members),
        kind=kind,
        repo=first.repo,
        license=first.license,
        language=first.language,
        split_group=first.repo,
        stages=tuple(
            as_stage(
                pull,
                ChainStage,
                state_policy="historical-base",
                apply_status="unproven",
                base_tree=None,
                result_tree=None,
            )
            for pull in pulls
        ),
        edges=(),
        scores=_NO_SCORES,
        verdict=None,
        left_out=(),
    )


def _note(file: Path, raw: bytes, reason: str) -> Quarantined:
    return Quarantined(str(file), None, "$", reason, None, hashlib.sha256(raw).hexdigest())


def _add_notes(output: StageOutput, leaking: int) -> None:
    if leaking:
        output.notes.append(f"{leaking} tasks give something of the true change away; marked")
