"""From records to a release: the stage's main sentence."""

from __future__ import annotations

import platform
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path

import msgspec

from davinci_agency.build.order import in_published_order, published_places, row_key
from davinci_agency.build.rows import RowSource, pack
from davinci_agency.build.samples import Candidate, candidate_of, refusal, sample_id
from davinci_agency.build.shards import PARTIAL, ShardPlan, plan_shards, write_shard
from davinci_agency.errors import CommandError, DataError
from davinci_agency.files import STDIO, atomic_folder, digest_file
from davinci_agency.jsonl import InspectedFiles, RecordFiles, open_inspected, open_records
from davinci_agency.notices import NOTICES, notices_text, read_notices
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import (
    SCHEMA_VERSION,
    Attempt,
    Kind,
    PullRequest,
    R,
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
from davinci_agency.spooling import Location
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
    Counted are the attempts: out are those that became samples. Held in memory: the location of
    every record, and some 64 MB of rows for each worker of the engine. With several of them the
    calling script needs the usual ``if __name__ == "__main__"``.

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
        open_records(inputs.removals, Removal, output, progress, counted=False) as removals,
    ):
        files = beside.submit(_input_files, inputs)
        rows, refused = _rows(pulls, tasks, attempts, options, output)
        with _receipts(refused, removals, engine.scratch) as receipts:
            rows["removals"] = receipts
            _keep_order(rows, inputs.after)
            shards = _write_shards(folder, rows, options, engine, progress)
        for shard in shards:
            output.written[shard.config] += shard.rows
        write_schemas(folder, SCHEMA_VERSION)
        homes = (*pulls.seen, *(home for home, _, _ in tasks.seen))
        held = frozenset((repo, license_) for _, repo, license_ in homes)
        notices = _write_notices(folder, inputs.notices, held)
        write_manifest(folder, _manifest(inputs, files.result(), options, shards, notices))
        if finish is not None:
            finish(folder, engine)
    return output.summary()


def _rows(
    pulls: InspectedFiles[PullRequest, Home],
    tasks: InspectedFiles[Task, TaskHome],
    attempts: InspectedFiles[Attempt, Candidate],
    options: BuildOptions,
    output: StageOutput,
) -> tuple[dict[str, list[RowSource]], list[Removal]]:
    """Return where the rows of every config come from, in order, and receipts for the refused."""
    receipts: list[Removal] = []
    rows: dict[str, list[RowSource]] = defaultdict(list)
    rows["pull-requests"] = _own_rows(pulls, [split for split, _, _ in pulls.seen])
    rows["tasks"] = _own_rows(tasks, [split for (split, _, _), _, _ in tasks.seen])
    index = {task_id: (n, place) for n, (task_id, place) in enumerate(tasks.locations())}
    samples: list[tuple[int, str, str, RowSource]] = []
    seen = zip(attempts.seen, attempts.locations(), strict=True)
    for order, (candidate, (name, place)) in enumerate(seen):
        if candidate.task_id not in index:
            reason = f"there is no task {candidate.task_id}; give the file that has it."
            output.quarantine(attempts.note(order, "$.task_id", reason))
            continue
        number, task_place = index[candidate.task_id]
        (split, _, _), kind, stages = tasks.seen[number]
        rows["attempts"].append(RowSource(name, (place,), candidate.split))
        refused = refusal(candidate, stages, options.threshold)
        if refused is None:
            output.kept += 1
            source = RowSource(sample_id(candidate.task_id, name), (task_place, place), split)
            samples.append((number, name, kind, source))
        else:
            rule, reason, measure = refused
            receipts.append(output.remove(Attempt.RECORD, name, rule, reason, measure=measure))
    for _, _, config, source in sorted(samples, key=lambda sample: sample[:2]):
        rows[config].append(source)
    return rows, receipts


Home = tuple[Split, str, str]
"""Where a record belongs: its split, its repository, its licence."""
TaskHome = tuple[Home, Kind, int]
"""Where a task belongs, its kind, and how many stages it has."""


def _home(record: PullRequest | Task) -> Seen[Home]:
    return Seen((record.split, record.repo, record.license or ""))


def _home_of_task(task: Task) -> Seen[TaskHome]:
    return Seen((_home(task).what, task.kind, len(task.stages)))


def _candidate(attempt: Attempt) -> Seen[Candidate]:
    return Seen(candidate_of(attempt), pack(attempt))


def _own_rows(records: RecordFiles[R], splits: Sequence[Split]) -> list[RowSource]:
    """Return the rows that are records as they stand."""
    return [
        RowSource(name, (place,), split)
        for split, (name, place) in zip(splits, records.locations(), strict=True)
    ]


@contextmanager
def _receipts(
    own: Sequence[Removal], others: RecordFiles[Removal], scratch: Path | None
) -> Iterator[list[RowSource]]:
    """Give the rows of the removals: the receipts of earlier stages and of this one."""
    with tempfile.NamedTemporaryFile(
        prefix="davinci-agency-", suffix=".jsonl", dir=scratch
    ) as file:
        rows = [
            (removal.sort_key, RowSource(_removal_key(removal), (place,)))
            for removal, (_, place) in zip(others, others.locations(), strict=True)
        ]
        for removal in own:
            line = to_json(removal) + b"\n"
            location = Location(Path(file.name), file.tell(), len(line))
            file.write(line)
            rows.append((removal.sort_key, RowSource(_removal_key(removal), (location,))))
        file.flush()
        yield [source for _, source in sorted(rows, key=lambda row: row[0])]


def _removal_key(removal: Removal) -> str:
    return row_key(Removal.RECORD, to_row(removal))


def _keep_order(rows: dict[str, list[RowSource]], after: Path | None) -> None:
    """Put the rows of every config into the order of the release before."""
    for config, places in published_places(after).items() if after else ():
        rows[config] = in_published_order(rows.get(config, ()), places)


def _write_shards(
    folder: Path,
    rows: Mapping[str, Sequence[RowSource]],
    options: BuildOptions,
    engine: Engine,
    progress: Progress,
) -> list[Shard]:
    plans: list[ShardPlan] = []
    folder = folder.absolute()  # workers may stand elsewhere
    for config in CONFIGS:
        source = rows.get(config, ())
        plans += plan_shards(folder, config, source, options.shard_format, options.threshold)
    # The largest first, so that none of them keeps everybody waiting at the end.
    order = sorted(range(len(plans)), key=lambda place: -plans[place].size)
    written = engine.map(write_shard, (plans[place] for place in order))
    found = zip(order, track(written, progress, "write shards", len(plans)), strict=True)
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
