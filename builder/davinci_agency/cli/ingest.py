"""``davinci-agency ingest``."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from davinci_agency.cli.options import (
    IN_FILE,
    Terminal,
    common_options,
    engine_options,
    out_option,
    strict_option,
    tokenizer_option,
)
from davinci_agency.cli.places import Place
from davinci_agency.errors import CommandError
from davinci_agency.parallel import Engine
from davinci_agency.records import SourceFormat


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, type=Place())
@click.option("--tasks", type=IN_FILE, multiple=True, help="A file of tasks; may be repeated.")
@click.option(
    "--pulls",
    type=IN_FILE,
    multiple=True,
    help="A file of pull requests, to make tasks of chain files instead; may be repeated.",
)
@out_option("attempts, or tasks")
@click.option(
    "--format",
    "source_format",
    type=click.Choice(get_args(SourceFormat)),
    help="The format of the trajectories; else told by what the files hold.",
)
@tokenizer_option
@engine_options
@strict_option
@common_options
def command(
    paths: tuple[Path, ...],
    tasks: tuple[Path, ...],
    pulls: tuple[Path, ...],
    out: Path,
    source_format: SourceFormat | None,
    tokenizer: str,
    engine: Engine,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Join the trajectories in the files and folders PATHS to the tasks that they name.

    Formats are told by what the files hold. A trajectory names its task itself, or its file or
    folder is called TASK[.attempt-A][.stage-N] with any suffix, TASK being an id or SWE-bench's
    instance id.

    With --pulls instead of --tasks, PATHS are chain files of AgencyBench, and become tasks.

    \b
    Examples:
      davinci-agency ingest trajectories/ --tasks tasks.jsonl --out attempts.jsonl
      davinci-agency ingest chains/ --pulls pulls.jsonl --out tasks.jsonl
    """
    from davinci_agency.ingest import ingest_chains, ingest_trajectories

    if bool(tasks) == bool(pulls):
        raise CommandError("name --tasks for trajectories, or --pulls for chain files.")
    if pulls:
        progress = terminal.progress
        terminal.show(ingest_chains(paths, pulls, out, strict=strict, progress=progress))
        return
    summary = ingest_trajectories(
        paths,
        tasks,
        out,
        source_format=source_format,
        tokenizer=tokenizer,
        engine=engine,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)
