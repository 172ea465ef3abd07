"""``davinci-agency export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.options import FOLDER, Terminal, common_options

if TYPE_CHECKING:
    from davinci_agency.export.exporting import ExportFormat


@click.command("export")
@click.argument("release")
@click.option(
    "--format",
    "form",
    type=click.Choice(["portable"]),
    default="portable",
    show_default=True,
    help="The form: portable has text where a release has JSON values.",
)
@click.option("--out", type=FOLDER, required=True, help="The folder to make.")
@common_options
def command(release: str, form: ExportFormat, out: Path, terminal: Terminal) -> None:
    """Write a RELEASE in another form, for older clients and other trainers.

    RELEASE is a folder, or ORG/NAME@REVISION on the Hub.

    \b
    Example:
      davinci-agency export release --format portable --out portable
    """
    from davinci_agency.export import export_release
    from davinci_agency.publish import release_folder

    summary = export_release(release_folder(release), out, form, progress=terminal.progress)
    terminal.show(summary)
