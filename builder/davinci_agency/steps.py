"""The steps of a recipe: what each one reads, makes and depends on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from davinci_agency.errors import RecipeError
from davinci_agency.ids import content_digest
from davinci_agency.notices import notices_file
from davinci_agency.parallel import Engine
from davinci_agency.progress import Progress
from davinci_agency.release_step import build_step, outputs_of, stamp_of
from davinci_agency.repository.source import Source
from davinci_agency.stage import Summary, side_file
from davinci_agency.step import Step

if TYPE_CHECKING:
    from davinci_agency.mine import MineOptions
    from davinci_agency.recipe import Recipe, SourceTable


def steps_of(recipe: Recipe, engine: Engine, strict: bool, progress: Progress) -> Iterator[Step]:
    """Yield the steps of a recipe, each when the one before it is done."""
    # Each stage is imported when its turn comes: they are heavy, and many runs skip most of them.
    dataset = recipe.tables.dataset
    work, release = recipe.resolve(dataset.work), recipe.resolve(dataset.release)
    pulls: list[Path] = []
    clones: dict[str, Source] = {}
    for table in recipe.tables.source:
        step, clone = _mine(recipe, table, work, engine, strict, progress)
        clones |= clone
        if step.outputs[0] in pulls:
            raise RecipeError(
                f"two sources are one repository: {table.path or table.repo} is there already."
            )
        pulls.append(step.outputs[0])
        yield step
    chains, tasks, attempts = (work / f"{name}.jsonl" for name in ("chains", "tasks", "attempts"))
    yield _chain(recipe, tuple(pulls), clones, chains, engine, strict, progress)
    yield _query(recipe, chains, clones, tasks, engine, strict, progress)
    yield _ingest(recipe, tasks, attempts, engine, strict, progress)
    all_attempts = [attempts]
    if recipe.tables.collect.llm is not None:
        all_attempts.append(work / "collected.jsonl")
        yield _collect(recipe, tasks, clones, all_attempts[-1], engine.workers, strict, progress)
    curated = work / "curated"
    after = recipe.tables.build.after
    before = None if after is None else _release_before(recipe, after)
    yield _curate(
        recipe,
        (tuple(pulls), (tasks,), tuple(all_attempts)),
        before,
        curated,
        engine,
        strict,
        progress,
    )
    made = (*pulls, chains, tasks, *all_attempts, curated)
    yield _build(recipe, curated, before, pulls, made, release, engine, strict, progress)


def _mine(
    recipe: Recipe,
    table: SourceTable,
    work: Path,
    engine: Engine,
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
    step = mine_step(f"mine {repo}", [(path, options)], out, cache, engine, strict, progress)
    return step, {repo: source}


def mine_step(
    name: str,
    sources: Sequence[tuple[Path, MineOptions]],
    out: Path,
    cache: Path,
    engine: Engine,
    strict: bool,
    progress: Progress,
) -> Step:
    """Return the step that mines repositories into one file."""
    from davinci_agency.mine import identify, mine_pulls, read_source

    named = [identify(read_source(path), options) for path, options in sources]
    return Step(
        name=name,
        options={
            options.repo or "": [options.to_json(), content_digest(source.fingerprint)]
            for source, options in named
        },
        inputs=(),
        outputs=(*outputs_of(out), notices_file(out)),
        stamp=stamp_of(out),
        action=lambda: mine_pulls(
            sources, out, cache=cache, engine=engine, strict=strict, progress=progress
        ),
        asks_a_remote=any(options.asks_github for _, options in named),
    )


def _chain(
    recipe: Recipe,
    pulls: tuple[Path, ...],
    clones: Mapping[str, Source],
    out: Path,
    engine: Engine,
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
        outputs=outputs_of(out),
        stamp=stamp_of(out),
        action=lambda: find_chains(
            pulls,
            out,
            options,
            clones=clones,
            mined=True,  # the steps before have just made these files, or found them unchanged
            judge=judge,
            engine=engine,
            strict=strict,
            progress=progress,
        ),
    )


def _query(
    recipe: Recipe,
    chains: Path,
    clones: Mapping[str, Source],
    out: Path,
    engine: Engine,
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
        outputs=outputs_of(out),
        stamp=stamp_of(out),
        action=lambda: write_queries(
            [chains],
            out,
            ModelWriter(asked) if asked else None,
            clones=clones,
            concurrency=table.concurrency if asked else 1,
            engine=engine,
            strict=strict,
            progress=progress,
        ),
    )


def _ingest(
    recipe: Recipe,
    tasks: Path,
    out: Path,
    engine: Engine,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.ingest import ingest_trajectories

    paths = [recipe.resolve(path) for path in recipe.tables.dataset.trajectories]
    return Step(
        name="ingest",
        options={"trajectories": list(recipe.tables.dataset.trajectories)},
        inputs=(*paths, tasks),
        outputs=outputs_of(out),
        stamp=stamp_of(out),
        action=lambda: ingest_trajectories(
            paths, [tasks], out, engine=engine, strict=strict, progress=progress
        ),
    )


def _collect(
    recipe: Recipe,
    tasks: Path,
    clones: Mapping[str, Source],
    out: Path,
    workers: int,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.collect import run_tasks
    from davinci_agency.crews import open_crew
    from davinci_agency.tokens import open_counter

    tables = recipe.tables
    mounts = tuple(str(recipe.resolve(path)) for path in tables.sandbox.mounts)
    sandbox = msgspec.structs.replace(tables.sandbox, mounts=mounts)
    cache = out.parent / "cache"

    def action() -> Summary:
        crew = open_crew(tables.collect, tables.judge, sandbox, cache, os.environ, open_counter())
        return run_tasks(
            [tasks],
            out,
            crew,
            clones,
            out.parent / "runs",
            attempts=tables.collect.attempts,
            workers=workers,
            strict=strict,
            progress=progress,
        )

    return Step(
        name="collect",
        options={},
        inputs=(tasks,),
        outputs=outputs_of(out),
        stamp=stamp_of(out),
        action=action,
        # What could not be had of a model may be had now, and what is done is not done again.
        asks_a_remote=True,
    )


def _curate(
    recipe: Recipe,
    records: tuple[tuple[Path, ...], tuple[Path, ...], tuple[Path, ...]],
    before: Path | None,
    out: Path,
    engine: Engine,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.curate import CurateInputs, select_samples
    from davinci_agency.release import MANIFEST

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
        outputs=outputs_of(out),
        stamp=stamp_of(out),
        action=lambda: select_samples(
            CurateInputs(*records, before),
            out,
            options,
            engine=engine,
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
    engine: Engine,
    strict: bool,
    progress: Progress,
) -> Step:
    from davinci_agency.build import BuildInputs, BuildOptions
    from davinci_agency.curate import CURATION, FILES

    table = recipe.tables.build
    pulls, tasks, attempts = (curated / name for name in FILES.values())
    options = BuildOptions(recipe.tables.dataset.name, table.threshold, table.format)
    removals = tuple(side_file(path, "removed") for path in made)
    notices = tuple(map(notices_file, mined))
    inputs = BuildInputs(
        (pulls,), (tasks,), (attempts,), removals, notices, curated / CURATION, before
    )
    stamp = recipe.resolve(recipe.tables.dataset.work) / ".release.stamp"
    return build_step(inputs, release, options, stamp, engine, strict, progress)


def _release_before(recipe: Recipe, target: str) -> Path:
    """Return the folder of a release that is one beside the recipe, or on the Hub."""
    folder = recipe.resolve(target)
    if folder.is_dir():
        return folder
    from davinci_agency.publish import release_folder

    return release_folder(target)
