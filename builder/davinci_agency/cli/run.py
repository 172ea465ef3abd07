"""``davinci-agency run``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import Terminal, common_options, engine_options, strict_option
from davinci_agency.parallel import Engine


@click.command("run")
@click.argument("recipe", type=click.Path(path_type=Path, dir_okay=False))
@engine_options
@strict_option
@common_options
def command(recipe: Path, engine: Engine, strict: bool, terminal: Terminal) -> None:
    """Run every stage of a RECIPE (dataset.toml), skipping what is up to date.

    \b
    Example:
      davinci-agency run dataset.toml --workers 2
    """
    from davinci_agency.pipeline import run
    from davinci_agency.recipe import Recipe

    checked = Recipe.read(recipe)
    for outcome in run(checked, engine=engine, strict=strict, progress=terminal.progress):
        terminal.show(outcome.summary, name=outcome.name, skipped=outcome.skipped)
    if not (terminal.quiet or terminal.as_json):
        release = checked.resolve(checked.tables.dataset.release)
        click.echo(f"The release is in {release}; its card is {release / 'README.md'}.", err=True)
