"""``davinci-agency card``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import Terminal, common_options, engine_options
from davinci_agency.errors import ReleaseError
from davinci_agency.parallel import Engine


@click.command("card")
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option("--check", is_flag=True, help="Only tell whether the card is true to the shards.")
@engine_options
@common_options
def command(release: Path, check: bool, engine: Engine, terminal: Terminal) -> None:
    """Write the dataset card (README.md) of a RELEASE from its shards.

    \b
    Example:
      davinci-agency card release --check
    """
    from davinci_agency.card import card_is_true, write_card

    if check:
        if not card_is_true(release, engine):
            raise ReleaseError(
                f"{release / 'README.md'} is not what the shards say; "
                f"write it again with davinci-agency card {release}."
            )
    else:
        write_card(release, engine)
    if terminal.as_json:
        terminal.show_json({"card": str(release / "README.md"), "true": True})
    elif not terminal.quiet:
        said = "is true to the shards" if check else "is written"
        click.echo(f"{release / 'README.md'} {said}.", err=True)
