"""``davinci-agency diff``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.options import Terminal, common_options
from davinci_agency.cli.places import Release

if TYPE_CHECKING:
    from davinci_agency.publish import ReleaseDiff


@click.command("diff")
@click.argument("before", type=Release(), metavar="A")
@click.argument("after", type=Release(), metavar="B")
@common_options
def command(before: str | Path, after: str | Path, terminal: Terminal) -> None:
    """Show how release B differs from release A.

    Each is a folder, its URL, or ORG/NAME@REVISION on the Hub.

    \b
    Examples:
      davinci-agency diff org/davinci-agency@v1.0.0 release
      davinci-agency diff org/davinci-agency@v1.0.0 org/davinci-agency@v1.1.0
    """
    from davinci_agency.publish import diff_releases, release_folder

    found = diff_releases(
        release_folder(str(before)), release_folder(str(after)), terminal.progress
    )
    if terminal.as_json:
        terminal.show_json({"same": found.is_empty, **asdict(found)})
    else:
        _show(found)


def _show(found: ReleaseDiff) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if found.is_empty:
        console.print("Every row and column is the same.")
        return
    table = Table()
    for heading in ("config", "rows before", "rows after", "added", "removed", "changed"):
        table.add_column(heading, justify="left" if heading == "config" else "right")
    for config in found.configs:
        figures = (*config.rows, config.added, config.removed, config.changed)
        table.add_row(config.config, *(f"{figure:,}" for figure in figures))
    console.print(table)
    if found.schema[0] != found.schema[1]:
        console.print(Text(f"schemas: {found.schema[0]} → {found.schema[1]}"))
    for config in found.configs:
        for change in config.columns:
            console.print(Text(f"{config.config}: column {change}"))
        for column, changes in config.counts.items():
            said = ", ".join(f"{value} {change:+,}" for value, change in changes.items())
            console.print(Text(f"{config.config} by {column}: {said}"))
