"""Every stage in order, skipping what is up to date.

A step's *key* is a digest of its name, of the program's and the schemas' version, of its options
and of what its inputs hold. When a step ends well, the key and the digests of its outputs go into a
stamp beside them; while both still hold, the step is skipped. So a killed run goes on where it was,
and a changed option, input or program redoes exactly what follows from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from davinci_agency.errors import CommandError, RecipeError
from davinci_agency.files import STDIO, atomic_file, digest_file
from davinci_agency.ids import content_digest
from davinci_agency.notices import notices_file
from davinci_agency.progress import SILENT, Progress
from davinci_agency.recipe import Recipe, SourceTable
from davinci_agency.records import SCHEMA_VERSION
from davinci_agency.release import MANIFEST
from davinci_agency.repository.source import Source
from davinci_agency.stage import Summary, side_file
from davinci_agency.version import __version__

if TYPE_CHECKING:
    from davinci_agency.mine import MineOptions
    from davinci_agency.repository.source import Source


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


def run(
    recipe: Recipe, *, workers: int = 1, strict: bool = False, progress: Progress = SILENT
) -> Iterator[Outcome]:
    """Run a recipe's stages in order, yielding each one's outcome when it is there.

    With several workers the calling script needs the usual ``if __name__ == "__main__"``.
    """
    for step in _steps(recipe, workers, strict, progress):
        yield _do(step, strict)


def mine(
    sources: Sequence[Path],
    options: MineOptions,
    out: Path,
    cache: Path,
    *,
    workers: int = 1,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Mine repositories into one file, unless it is up to date."""
    from davinci_agency.mine import locate, mine_pulls

    located = [locate(source, options, cache, progress) for source in sources]
    if out == STDIO:
        summary = mine_pulls(
            located, out, cache=cache, workers=workers, strict=strict, progress=progress
        )
        return Outcome("mine", summary, skipped=False)
    return _do(_mine_step("mine", located, out, cache, workers, strict, progress), strict)


def open_clones(names: Sequence[str]) -> dict[str, Source]:
    """Return the repositories at some paths, by owner/name.

    A path may have its name before it, as in ``owner/name=path``; else its origin tells. Raises
    `CommandError` if it doesn't.
    """
    from davinci_agency.mine import MineOptions, hosted_at, identify, read_source

    clones: dict[str, Source] = {}
    for name in names:
        repo, is_named, path = name.partition("=")
        if not (path if is_named else repo):
            raise CommandError("--clone '' names no repository; name its path.")
        source = read_source(Path(path if is_named else name))
        if not is_named and hosted_at(source.origin) is None:
            raise CommandError(
                f"{name} does not say which repository it is; name it OWNER/NAME={name}."
            )
        options = identify(source, MineOptions(repo=repo if is_named else None))[1]
        if options.repo in clones:
            raise CommandError(f"{name} is a second clone of {options.repo}; name one of them.")
        clones[options.repo or ""] = source
    return clones


def _do(step: Step, strict: bool) -> Outcome:
    key = content_digest(
        [step.name, __version__, SCHEMA_VERSION, step.options, _digests(step.inputs)]
    )
    stamp = None if step.asks_a_remote else _read_stamp(step.stamp)
    if stamp is not None and stamp.key == key and stamp.outputs == _digests(step.outputs):
        strict_failure = strict and stamp.summary.quarantined > 0
        if not strict_failure:
            return Outcome(step.name, stamp.summary, skipped=True)
    summary = step.action()
    done = Stamp(key, _digests(step.outputs), summary)
    with atomic_file(step.stamp) as file:
        file.write(msgspec.json.encode(done))
    return Outcome(step.name, summary, skipped=False)


def _digests(paths: Sequence[Path]) -> dict[str, str]:
    """Return the digest of every file, and of every file in the folders.

    They go by the place of the path in the list and the name below it, so that moving a dataset's
    folder as a whole redoes nothing.
    """
    digests: dict[str, str] = {}
    for place, path in enumerate(paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                digests[f"{place}/{path.name}/{file.relative_to(path)}"] = digest_file(file)
    return digests


def _read_stamp(path: Path) -> Stamp | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Stamp)
    except (FileNotFoundError, msgspec.DecodeError):
        # No stamp, or one of another version of this program: do the step again.
        return None


def _steps(recipe: Recipe, workers: int, strict: bool, progress: Progress) -> Iterator[Step]:
    # Each stage is imported when its turn comes: they are heavy, and many runs skip most of them.
    dataset = recipe.tables.dataset
    work, release = recipe.resolve(dataset.work), recipe.resolve(dataset.release)
    pulls: list[Path] = []
    clones: dict[str, Source] = {}
    for table in recipe.tables.source:
        step, clone = _mine(recipe, table, work, workers, strict, progress)
        clones |= clone
        if step.outputs[0] in pulls:
            raise RecipeError(
                f"two sources are one repository: {table.path or table.repo} is there already."
            )
        pulls.append(step.outputs[0])
        yield step
    chains, tasks, attempts = (work / f"{name}.jsonl" for name in ("chains", "tasks", "attempts"))
    yield _chain(recipe, tuple(pulls), clones, chains, workers, strict, progress)
    yield _query(recipe, chains, clones, tasks, strict, progress)
    yield _ingest(recipe, tasks, attempts, strict, progress)
    curated = work / "curated"
    after = recipe.tables.build.after
    before = None if after is None else _release_before(recipe, after)
    yield _curate(
        recipe, (tuple(pulls), (tasks,), (attempts,)), before, curated, workers, strict, progress
    )
    made = (*pulls, chains, tasks, attempts, curated)
    yield _build(recipe, curated, before, pulls, made, release, workers, strict, progress)


def _stamp(out: Path) -> Path:
    return out.with_name(f".{out.name}.stamp")


def _outputs(out: Path) -> tuple[Path, ...]:
    return (out, side_file(out, "removed"), side_file(out, "quarantine"))


def _mine(
    recipe: Recipe,
    table: SourceTable,
    work: Path,
    workers: int,
    strict: bool,
    progress: Progress,
) -> tuple[Step, dict[str, Source]]:
    """Return the step that mines a source, and the repository by its name."""
    from davinci_agency.mine import MineOptions, github_access, identify, locate, read_source

    github = github_access(os.environ, table.base_url, table.host) if table.github else None
    options = MineOptions(
        repo=table.repo,
        host=table.host,
        license=table.license,
        since=table.since,
        limit=table.limit,
        github=github,
        filters=recipe.tables.filter,
    )
    cache = work / "cache"
    path = recipe.resolve(table.path) if table.path is not None else Path(table.repo or "")
    path, options = locate(path, options, cache, progress)
    source = read_source(path)
    repo = identify(source, options)[1].repo or ""
    out = work / f"pulls.{repo.replace('/', '__')}.jsonl"
    step = _mine_step(f"mine {repo}", [(path, options)], out, cache, workers, strict, progress)
    return step, {repo: source}


def _mine_step(
    name: str,
    sources: Sequence[tuple[Path, MineOptions]],
    out: Path,
    cache: Path,
    workers: int,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.mine import identify, mine_pulls, read_source

    named = [identify(read_source(path), options) for path, options in sources]
    return Step(
        name=name,
        options={
            options.repo or "": [options.to_json(), content_digest(source.fingerprint)]
            for source, options in named
        },
        inputs=(),
        outputs=(*_outputs(out), notices_file(out)),
        stamp=_stamp(out),
        action=lambda: mine_pulls(
            sources, out, cache=cache, workers=workers, strict=strict, progress=progress
        ),
        asks_a_remote=any(options.asks_github for _, options in named),
    )


def _chain(
    recipe: Recipe,
    pulls: tuple[Path, ...],
    clones: Mapping[str, Source],
    out: Path,
    workers: int,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.chain import ChainOptions, find_chains, open_judge

    table = recipe.tables.chain
    chosen = msgspec.structs.asdict(table)
    judge = open_judge(chosen.pop("llm"), chosen.pop("model"), out.parent / "cache" / "verdicts")
    options = ChainOptions(**chosen)
    return Step(
        name="chain",
        options=msgspec.to_builtins(table),
        inputs=pulls,
        outputs=_outputs(out),
        stamp=_stamp(out),
        action=lambda: find_chains(
            pulls,
            out,
            options,
            clones=clones,
            judge=judge,
            workers=workers,
            strict=strict,
            progress=progress,
        ),
    )


def _query(
    recipe: Recipe,
    chains: Path,
    clones: Mapping[str, Source],
    out: Path,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.llm import Sampling, open_model
    from davinci_agency.query import ModelWriter, write_queries

    table = recipe.tables.query
    sampling = Sampling(table.temperature, max_tokens=table.max_tokens, seed=table.seed)
    answers = out.parent / "cache" / "answers"
    asked = open_model(table.llm, table.model, answers, sampling)
    return Step(
        name="query",
        options=msgspec.to_builtins(table),
        inputs=(chains,),
        outputs=_outputs(out),
        stamp=_stamp(out),
        action=lambda: write_queries(
            [chains],
            out,
            ModelWriter(asked) if asked else None,
            clones=clones,
            concurrency=table.concurrency if asked else 1,
            strict=strict,
            progress=progress,
        ),
    )


def _ingest(recipe: Recipe, tasks: Path, out: Path, strict: bool, progress: Progress) -> Step:
    from davinci_agency.ingest import ingest_trajectories

    paths = [recipe.resolve(path) for path in recipe.tables.dataset.trajectories]
    return Step(
        name="ingest",
        options={"trajectories": list(recipe.tables.dataset.trajectories)},
        inputs=(*paths, tasks),
        outputs=_outputs(out),
        stamp=_stamp(out),
        action=lambda: ingest_trajectories(paths, [tasks], out, strict=strict, progress=progress),
    )


def _curate(
    recipe: Recipe,
    records: tuple[tuple[Path, ...], tuple[Path, ...], tuple[Path, ...]],
    before: Path | None,
    out: Path,
    workers: int,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.curate import CurateInputs, select_samples

    table = recipe.tables.curate
    lists, benchmarks = (
        tuple(str(recipe.resolve(path)) for path in paths)
        for paths in (table.deny_lists, table.benchmarks)
    )
    options = msgspec.structs.replace(table, deny_lists=lists, benchmarks=benchmarks)
    return Step(
        name="curate",
        options=msgspec.to_builtins(table),
        inputs=(
            *(path for paths in records for path in paths),
            *map(Path, (*lists, *benchmarks)),
            *([before / MANIFEST] if before else []),
        ),
        outputs=_outputs(out),
        stamp=_stamp(out),
        action=lambda: select_samples(
            CurateInputs(*records, before),
            out,
            options,
            workers=workers,
            strict=strict,
            progress=progress,
        ),
    )


def _build(
    recipe: Recipe,
    curated: Path,
    before: Path | None,
    mined: Sequence[Path],
    made: tuple[Path, ...],
    release: Path,
    workers: int,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.build import BuildInputs, BuildOptions, write_release
    from davinci_agency.card import write_card
    from davinci_agency.curate import CURATION, FILES

    table = recipe.tables.build
    pulls, tasks, attempts = (curated / name for name in FILES.values())
    options = BuildOptions(recipe.tables.dataset.name, table.threshold, table.format)
    removals = tuple(side_file(path, "removed") for path in made)
    notices = tuple(map(notices_file, mined))
    inputs = BuildInputs(
        (pulls,), (tasks,), (attempts,), removals, notices, curated / CURATION, before
    )
    return Step(
        name="build",
        options=msgspec.to_builtins(options),
        inputs=(
            *(pulls, tasks, attempts, curated / CURATION),
            *removals,
            *notices,
            *([before / MANIFEST] if before else []),
        ),
        outputs=_outputs(release),
        stamp=recipe.resolve(recipe.tables.dataset.work) / ".release.stamp",
        action=lambda: write_release(
            inputs,
            release,
            options,
            finish=write_card,
            workers=workers,
            strict=strict,
            progress=progress,
        ),
    )


def _release_before(recipe: Recipe, target: str) -> Path:
    """Return the folder of a release that is one beside the recipe, or on the Hub."""
    folder = recipe.resolve(target)
    if folder.is_dir():
        return folder
    from davinci_agency.publish import release_folder

    return release_folder(target)
