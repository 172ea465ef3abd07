"""``davinci-agency yank``."""

from __future__ import annotations

import click

from davinci_agency.cli.options import Terminal, common_options
from davinci_agency.errors import CommandError


@click.command("yank")
@click.argument("target", metavar="ORG/NAME@TAG")
@click.option("--why", required=True, help="Why; it will stand in the card and the changelog.")
@common_options
def command(target: str, why: str, terminal: Terminal) -> None:
    """Take a published release back: main shows the one before, and says why.

    Nothing is deleted: the tag stays, and gives the same bytes as before.

    \b
    Example:
      davinci-agency yank org/davinci-agency@v1.2.0 --why "test tasks were among the rows"
    """
    from davinci_agency.publish import HubRepository, yank_release

    name, _, tag = target.partition("@")
    if not tag:
        raise CommandError(f"name the release too: {name}@v1.2.0.")
    found = yank_release(HubRepository(name), tag, why, terminal.progress)
    if terminal.as_json:
        terminal.show_json(
            {"yanked": str(found.version), "shows": str(found.shows), "commit": found.commit}
        )
    elif not terminal.quiet:
        click.echo(
            f"{found.version.tag} is marked as withdrawn; main shows {found.shows.tag}.", err=True
        )
