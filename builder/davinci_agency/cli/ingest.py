"""``davinci-agency ingest``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import IN_FILE, Terminal, common_options, out_option, strict_option
from davinci_agency.records import SourceFormat


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--tasks", type=IN_FILE, multiple=True, required=True, help="A file of tasks; may be repeated."
)
@out_option("attempts")
@click.option(
    "--format",
    "source_format",
    type=click.Choice(["mini-swe-agent", "openai-messages"]),
    help="The format of the trajectories; else known by the files' names.",
)
@strict_option
@common_options
def command(
    paths: tuple[Path, ...],
    tasks: tuple[Path, ...],
    out: Path,
    source_format: SourceFormat | None,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Join the trajectories in the files and folders PATHS to the tasks that they name.

    *.traj.json are mini-swe-agent's, *.jsonl hold OpenAI-style messages, one conversation a line
    with its task_id.

    \b
    Example:
      davinci-agency ingest trajectories/ --tasks tasks.jsonl --out attempts.jsonl
    """
    from davinci_agency.collect import ingest_trajectories

    summary = ingest_trajectories(
        paths,
        tasks,
        out,
        source_format=source_format,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)
