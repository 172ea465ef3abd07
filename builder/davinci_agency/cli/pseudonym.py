"""``davinci-agency pseudonym``."""

from __future__ import annotations

import click


@click.command("pseudonym")
@click.argument("names", nargs=-1, required=True)
def command(names: tuple[str, ...]) -> None:
    """Show the pseudonyms of GitHub accounts or e-mail addresses, for a recipe's opted_out.

    \b
    Example:
      davinci-agency pseudonym octocat grace@example.org
    """
    from davinci_agency.ids import author_id, login_id

    for name in names:
        pseudonym = author_id(name.encode()) if "@" in name else login_id(name)
        click.echo(f"{pseudonym}  {name}")
