"""``davinci-agency build``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.options import (
    FILE,
    FOLDER,
    Share,
    Terminal,
    common_options,
    engine_options,
    strict_option,
)
from davinci_agency.cli.places import Release

if TYPE_CHECKING:
    from davinci_agency.parallel import Engine
    from davinci_agency.release import ShardFormat


@click.command("build")
@click.option("--pulls", type=FILE, multiple=True, help="A file of pull requests.")
@click.option("--tasks", type=FILE, multiple=True, help="A file of tasks.")
@click.option("--attempts", type=FILE, multiple=True, help="A file of attempts.")
@click.option("--removals", type=FILE, multiple=True, help="A file of receipts to publish too.")
@click.option(
    "--notices", type=FILE, multiple=True, help="A file of licences and notices, as mine left it."
)
@click.option("--curated", type=FOLDER, help="What curate made: its records, receipts and account.")
@click.option("--out", type=FOLDER, required=True, help="The release: a folder to make.")
@click.option(
    "--after",
    type=Release(),
    metavar="RELEASE",
    help="The release before, a folder, its URL or ORG/NAME@REVISION: its rows keep their order.",
)
@click.option("--name", default="davinci-agency", show_default=True, help="The dataset's name.")
@click.option(
    "--threshold",
    type=Share(),
    default=0.8,
    show_default=True,
    help="The least score of a sample.",
)
@click.option(
    "--format",
    "shard_format",
    type=click.Choice(["parquet", "arrow"]),
    default="parquet",
    show_default=True,
    help="The format of the shards.",
)
@engine_options
@strict_option
@common_options
def command(
    pulls: tuple[Path, ...],
    tasks: tuple[Path, ...],
    attempts: tuple[Path, ...],
    removals: tuple[Path, ...],
    notices: tuple[Path, ...],
    curated: Path | None,
    out: Path,
    after: str | Path | None,
    name: str,
    threshold: float,
    shard_format: ShardFormat,
    engine: Engine,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Build a release: shards of every config that has rows, a manifest and a card.

    Each option that names a file may be given several times. A release that is there already, of
    the same files by the same programs, stays as it is.

    \b
    Example:
      davinci-agency build --curated curated --notices pulls.notices.jsonl --out release \\
        --after org/davinci-agency@v1.0.0
    """
    from davinci_agency.build import BuildInputs, BuildOptions
    from davinci_agency.parallel import use_arrow_alone
    from davinci_agency.release_step import build_step, stamp_of
    from davinci_agency.step import do_step

    use_arrow_alone()
    before = None
    if after is not None:
        from davinci_agency.publish import release_folder

        before = release_folder(str(after))
    account = None
    if curated is not None:
        from davinci_agency.curate import CURATION, FILES
        from davinci_agency.stage import side_file

        of_pulls, of_tasks, of_attempts = (curated / name for name in FILES.values())
        pulls, tasks, attempts = (*pulls, of_pulls), (*tasks, of_tasks), (*attempts, of_attempts)
        removals = (*removals, side_file(curated, "removed"))
        account = curated / CURATION
    inputs = BuildInputs(pulls, tasks, attempts, removals, notices, account, before)
    options = BuildOptions(name, threshold, shard_format)
    step = build_step(inputs, out, options, stamp_of(out), engine, strict, terminal.progress)
    outcome = do_step(step, strict)
    terminal.show(outcome.summary, skipped=outcome.skipped)
