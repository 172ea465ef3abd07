"""``davinci-agency export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.options import FOLDER, Terminal, common_options
from davinci_agency.cli.places import Release

if TYPE_CHECKING:
    from davinci_agency.export import ExportFormat


@click.command("export")
@click.argument("release", type=Release())
@click.option(
    "--format",
    "form",
    type=click.Choice(["portable", "sharegpt", "slime", "swe-bench", "harbor"]),
    default="portable",
    show_default=True,
    help="The form; see below.",
)
@click.option("--out", type=FOLDER, required=True, help="The folder to make.")
@click.option("--image", help="Of harbor: the image with git and what the project needs.")
@click.option(
    "--test-command",
    metavar="WORDS",
    help="Of harbor: how tests are run; {tests} stands for the files of a change's tests.",
)
@common_options
def command(
    release: str | Path,
    form: ExportFormat,
    out: Path,
    image: str | None,
    test_command: str | None,
    terminal: Terminal,
) -> None:
    """Write a RELEASE in another form, for older clients, other trainers, and harnesses.

    RELEASE is a folder, its URL, or ORG/NAME@REVISION on the Hub.

    \b
    portable   the same rows without JSON values, as Parquet (datasets before 4.7)
    sharegpt   conversations, with dataset_info.json, as LLaMA-Factory takes them
    slime      JSON Lines of messages, tools and metadata
    swe-bench  JSON Lines of instances, from tasks of one pull request
    harbor     a folder for each task, with container, solution and tests

    \b
    Examples:
      davinci-agency export release --format sharegpt --out sharegpt
      davinci-agency export release --format harbor --out tasks \\
        --image python:3.12 --test-command 'python -m pytest -q {tests}'
    """
    from davinci_agency.export import checked, export_release
    from davinci_agency.publish import release_folder

    harbor = checked(image, test_command) if form == "harbor" else None
    folder = release_folder(str(release))
    summary = export_release(folder, out, form, harbor, progress=terminal.progress)
    terminal.show(summary)
