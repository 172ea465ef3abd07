"""``davinci-agency stats``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import FOLDER, Terminal, common_options, engine_options
from davinci_agency.parallel import Engine

_SHOWN = 12


@click.command("stats")
@click.argument("release", type=FOLDER)
@engine_options
@common_options
def command(release: Path, engine: Engine, terminal: Terminal) -> None:
    """Show what is in a RELEASE, counted from its shards.

    \b
    Example:
      davinci-agency stats release
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from davinci_agency.card import measure_release

    stats = measure_release(release, engine)
    if terminal.as_json:
        terminal.show_json(stats.to_json())
        return
    console = Console()
    table = Table(title=Text(f"{stats.manifest.name}, schemas {stats.manifest.schema_version}"))
    for heading in ("config", "rows", "shards", "MB", "stages", "turns", "tool calls", "score"):
        table.add_column(heading, justify="left" if heading == "config" else "right")
    for config in stats.configs.values():
        means = [config.measures.get(name) for name in ("num_turns", "num_tool_calls", "score")]
        chained = sum(count * rows for count, rows in config.stages.items())
        table.add_row(
            config.config,
            f"{config.rows:,}",
            f"{config.shards:,}",
            f"{config.bytes / 1e6:,.1f}",
            f"{chained / config.rows:.2f}" if config.stages else "",
            *("" if m is None or m.mean is None else f"{m.mean:,.2f}" for m in means),
        )
    console.print(table)
    console.print("Stages, turns, tool calls and score are means over the rows.")
    for column, name in (("repo", "tasks"), ("language", "tasks"), ("rule", "removals")):
        if name in stats.configs:
            counts = stats.configs[name].counts[column]
            common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
            said = ", ".join(f"{value} {rows:,}" for value, rows in common)
            console.print(Text(f"{name} by {column}: {said}"))
