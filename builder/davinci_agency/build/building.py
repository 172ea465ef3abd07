"""From records to a release: the stage's main sentence."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path

import msgspec

from davinci_agency.build.order import Rows, open_rows, row_key
from davinci_agency.build.rows import RowSource, write_sources
from davinci_agency.build.samples import Candidate, candidate_of, refusal, sample_id
from davinci_agency.build.shards import PARTIAL, ShardPlan, cut_shards, write_shard
from davinci_agency.errors import CommandError, DataError
from davinci_agency.files import STDIO, atomic_folder, digest_file
from davinci_agency.jsonl import InspectedFiles, open_inspected
from davinci_agency.ledger import Key
from davinci_agency.notices import NOTICES, notices_text, read_notices
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import (
    SCHEMA_VERSION,
    Attempt,
    Kind,
    PullRequest,
    Removal,
    Split,
    Task,
    to_json,
    to_row,
)
from davinci_agency.release import (
    CONFIGS,
    MANIFEST,
    NAME,
    InputFile,
    Manifest,
    Shard,
    ShardFormat,
    write_manifest,
    write_schemas,
)
from davinci_agency.spooling import open_spool
from davinci_agency.stage import StageOutput, Summary, stage_output
from davinci_agency.surveying import Seen
from davinci_agency.version import __version__


@dataclass(frozen=True, slots=True)
class BuildInputs:
    """The files that a release is made from, by what they hold.

    ``curation`` is the account of the records' curation, if there was one. ``after`` is the release
    before, if there is one: its rows keep their order, and what is sent again is little.
    """

    pulls: tuple[Path, ...] = ()
    tasks: tuple[Path, ...] = ()
    attempts: tuple[Path, ...] = ()
    removals: tuple[Path, ...] = ()
    notices: tuple[Path, ...] = ()
    curation: Path | None = None
    after: Path | None = None

    def by_record(self) -> Mapping[str, tuple[Path, ...]]:
        """Return the files by the name of their record."""
        return {
            PullRequest.RECORD: self.pulls,
            Task.RECORD: self.tasks,
            Attempt.RECORD: self.attempts,
            Removal.RECORD: self.removals,
            "notice": self.notices,
            "curation": () if self.curation is None else (self.curation,),
        }


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to make a release.

    Attributes:
        name: the dataset's name.
        threshold: the least score of a sample.
        shard_format: ``parquet``, or ``arrow`` for memory-mapped reading.
    """

    name: str = "davinci-agency"
    threshold: float = 0.8
    shard_format: ShardFormat = "parquet"


def write_release(
    inputs: BuildInputs,
    out: Path,
    options: BuildOptions | None = None,
    *,
    finish: Callable[[Path, Engine], object] | None = None,
    engine: Engine = HERE,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write a release: every config that has rows, and the manifest.

    ``finish`` is called with the folder and the engine when all this is in it, before the folder
    takes its place: the card is written then, so that no release is ever seen without one.
    Counted are the attempts: out are those that became samples. Held in memory are some 64 MB of
    rows for each worker of the engine; on disk, the attempts once more until all is done. With
    several workers the calling script needs the usual ``if __name__ == "__main__"``.

    Raises `OutputError` if ``out`` holds something that is no release.
    """
    options = options or BuildOptions()
    if not NAME.fullmatch(options.name):
        raise CommandError(f"{options.name[:40]!r} is no name; use letters, digits, '.', '_', '-'.")
    if any(path == STDIO for paths in inputs.by_record().values() for path in paths):
        raise CommandError("build reads its inputs several times; name files instead of -.")
    with (
        atomic_folder(out, MANIFEST) as folder,
        stage_output("build", out, strict=strict, records=False) as output,
        ThreadPoolExecutor(1) as beside,
        open_inspected(
            inputs.pulls, PullRequest, _home, output, progress, counted=False, engine=engine
        ) as pulls,
        open_inspected(
            inputs.tasks, Task, _home_of_task, output, progress, counted=False, engine=engine
        ) as tasks,
        open_inspected(
            inputs.attempts, Attempt, _candidate, output, progress, engine=engine
        ) as attempts,
        open_inspected(
            inputs.removals, Removal, _seen_rank, output, progress, counted=False, engine=engine
        ) as removals,
        tempfile.TemporaryDirectory(prefix="davinci-agency-", dir=engine.scratch) as place,
        open_rows(Path(place)) as rows,
    ):
        files = beside.submit(_input_files, inputs)
        _add_records(rows, pulls, tasks)
        _add_attempts(rows, attempts, tasks, options, output, Path(place))
        _add_receipts(rows, removals)
        rows.settle(inputs.after)
        shards = _write_shards(folder, rows, options, Path(place), engine, progress)
        for shard in shards:
            output.written[shard.config] += shard.rows
        write_schemas(folder, SCHEMA_VERSION)
        homes = (*pulls.seen(), *(home for home, _, _ in tasks.seen()))
        held = frozenset((repo, license_) for _, repo, license_ in homes)
        notices = _write_notices(folder, inputs.notices, held)
        write_manifest(folder, _manifest(inputs, files.result(), options, shards, notices))
        if finish is not None:
            finish(folder, engine)
    return output.summary()


def _add_records(
    rows: Rows, pulls: InspectedFiles[PullRequest, Home], tasks: InspectedFiles[Task, TaskHome]
) -> None:
    """Add the rows that are pull requests and tasks as they stand."""
    of_pulls = zip(pulls.locations(), (split for split, _, _ in pulls.seen()), strict=True)
    of_tasks = zip(tasks.locations(), (split for (split, _, _), _, _ in tasks.seen()), strict=True)
    for config, found in (("pull-requests", of_pulls), ("tasks", of_tasks)):
        rows.add(
            config,
            (
                ((number,), RowSource(name, (line,), split))
                for number, ((name, line), split) in enumerate(found)
            ),
        )


def _add_attempts(
    rows: Rows,
    attempts: InspectedFiles[Attempt, Candidate],
    tasks: InspectedFiles[Task, TaskHome],
    options: BuildOptions,
    output: StageOutput,
    folder: Path,
) -> None:
    """Add the rows that are attempts, samples, and receipts for attempts that are none."""
    with open_spool(folder) as spool:
        seen = zip(attempts.seen(), attempts.locations(), strict=True)
        for order, (candidate, (name, line)) in enumerate(seen):
            number = tasks.find(candidate.task_id)
            if number is None:
                reason = f"there is no task {candidate.task_id}; give the file that has it."
                output.quarantine(attempts.note(order, "$.task_id", reason))
                continue
            (split, _, _), kind, stages = tasks.seen_at(number)
            rows.add("attempts", [((order,), RowSource(name, (line,), candidate.split))])
            refused = refusal(candidate, stages, options.threshold)
            if refused is None:
                output.kept += 1
                lines = (tasks.location(number), line)
                source = RowSource(sample_id(candidate.task_id, name), lines, split)
                rows.add(kind, [((number, name), source)])
            else:
                rule, reason, measure = refused
                receipt = output.remove(Attempt.RECORD, name, rule, reason, measure=measure)
                place, key = _rank(receipt)
                rows.add("removals", [(place, RowSource(key, (spool.keep(to_json(receipt)),)))])


def _add_receipts(rows: Rows, removals: InspectedFiles[Removal, Rank]) -> None:
    """Add the rows that are receipts of earlier stages."""
    found = zip(removals.seen(), removals.locations(), strict=True)
    rows.add("removals", ((place, RowSource(key, (line,))) for (place, key), (_, line) in found))


Rank = tuple[Key, str]
"""A receipt's place among those never published, and what tells its row from others."""


def _rank(removal: Removal) -> Rank:
    key = row_key(Removal.RECORD, to_row(removal))
    return (*removal.sort_key, removal.identity), key


def _seen_rank(removal: Removal) -> Seen[Rank]:
    return Seen(_rank(removal))


Home = tuple[Split, str, str]
"""Where a record belongs: its split, its repository, its licence."""
TaskHome = tuple[Home, Kind, int]
"""Where a task belongs, its kind, and how many stages it has."""


def _home(record: PullRequest | Task) -> Seen[Home]:
    return Seen((record.split, record.repo, record.license or ""))


def _home_of_task(task: Task) -> Seen[TaskHome]:
    return Seen((_home(task).what, task.kind, len(task.stages)))


def _candidate(attempt: Attempt) -> Seen[Candidate]:
    return Seen(candidate_of(attempt))


def _write_shards(
    folder: Path, rows: Rows, options: BuildOptions, own: Path, engine: Engine, progress: Progress
) -> list[Shard]:
    folder = folder.absolute()  # workers may stand elsewhere
    cuts = [cut for config in CONFIGS for cut in cut_shards(rows, config, options.shard_format)]
    # The largest first, so that none of them keeps everybody waiting at the end.
    order = sorted(range(len(cuts)), key=lambda place: -cuts[place].size)

    def plan(place: int) -> ShardPlan:
        cut = cuts[place]
        sources = rows.read(cut.config, cut.split, cut.first, cut.count)
        return ShardPlan(
            folder=folder,
            cut=cut,
            sources=write_sources(own / f"shard-{place}", sources),
            shard_format=options.shard_format,
            threshold=options.threshold,
        )

    written = engine.map(write_shard, map(plan, order))
    found = zip(order, track(written, progress, "write shards", len(cuts)), strict=True)
    shards = [shard for _, shard in sorted(found, key=itemgetter(0))]
    for left in folder.rglob(f".*{PARTIAL}"):
        left.unlink()  # by a worker that died
    return shards


def _rules(curation: Path) -> dict[str, tuple[str, ...]]:
    """Return the rules that an account of a curation names."""
    try:
        return msgspec.json.decode(curation.read_bytes(), type=_Curation).rules
    except OSError as error:
        raise CommandError(f"{curation}: {error.strerror}; name a curation.json.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{curation} is no account of a curation ({error}); curate again."
        ) from error


class _Curation(msgspec.Struct, frozen=True):
    rules: dict[str, tuple[str, ...]]


def _write_notices(
    folder: Path, paths: Sequence[Path], held: frozenset[tuple[str, str]]
) -> str | None:
    """Write the notices of what is held, and return their digest; ``None`` without files."""
    if not paths:
        return None
    (folder / NOTICES).write_text(notices_text(read_notices(paths), held), encoding="utf-8")
    return digest_file(folder / NOTICES)


def _input_files(inputs: BuildInputs) -> tuple[InputFile, ...]:
    files = [
        InputFile(record, path.name, digest_file(path), path.stat().st_size)
        for record, paths in inputs.by_record().items()
        for path in paths
    ]
    if inputs.after is not None:
        before = inputs.after / MANIFEST
        files.append(InputFile("release", before.name, digest_file(before), before.stat().st_size))
    return tuple(sorted(files, key=lambda file: (file.record, file.name, file.sha256)))


def _manifest(
    inputs: BuildInputs,
    files: tuple[InputFile, ...],
    options: BuildOptions,
    shards: Sequence[Shard],
    notices: str | None,
) -> Manifest:
    return Manifest(
        name=options.name,
        schema_version=SCHEMA_VERSION,
        shard_format=options.shard_format,
        made_with=made_with(),
        options={"threshold": options.threshold},
        inputs=files,
        rows={
            config: sum(shard.rows for shard in shards if shard.config == config)
            for config in CONFIGS
        },
        shards=tuple(shards),
        notices_sha256=notices,
        curation=None if inputs.curation is None else _rules(inputs.curation),
    )


def made_with() -> dict[str, str]:
    """Return the version of every program that a release's bytes depend on."""
    return {
        "davinci-agency": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in ("orjson", "pyarrow")},
    }
