"""The line as a whole: the stages in order, skipping what is up to date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from davinci_agency.errors import CommandError
from davinci_agency.files import STDIO
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress
from davinci_agency.repository.source import Source
from davinci_agency.step import Outcome, do_step
from davinci_agency.steps import mine_step, steps_of

if TYPE_CHECKING:
    from davinci_agency.mine import MineOptions
    from davinci_agency.recipe import Recipe  # imports the options of all stages


def run(
    recipe: Recipe, *, engine: Engine = HERE, strict: bool = False, progress: Progress = SILENT
) -> Iterator[Outcome]:
    """Run a recipe's stages in order, yielding each one's outcome when it is there.

    If the engine has several workers, the calling script needs the usual
    ``if __name__ == "__main__"``.
    """
    for step in steps_of(recipe, engine, strict, progress):
        yield do_step(step, strict)


def mine(
    sources: Sequence[Path],
    options: MineOptions,
    out: Path,
    cache: Path,
    *,
    engine: Engine = HERE,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Outcome:
    """Mine repositories into one file, unless it is up to date."""
    from davinci_agency.mine import locate, mine_pulls

    located = [locate(source, options, cache, progress) for source in sources]
    if out == STDIO:
        summary = mine_pulls(
            located, out, cache=cache, engine=engine, strict=strict, progress=progress
        )
        return Outcome("mine", summary, skipped=False)
    return do_step(mine_step("mine", located, out, cache, engine, strict, progress), strict)


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
