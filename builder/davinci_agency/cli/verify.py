"""``davinci-agency verify``."""

from __future__ import annotations

from dataclasses import asdict

import click

from davinci_agency.cli.options import Terminal, common_options


@click.command("verify")
@click.argument("target", metavar="ORG/NAME[@REVISION]")
@common_options
def command(target: str, terminal: Terminal) -> None:
    """Read a release back from the Hub, and hold it against its own manifest.

    \b
    Example:
      davinci-agency verify org/davinci-agency@v1.0.0
    """
    from davinci_agency.publish import HubRepository, verify_release

    name, _, revision = target.partition("@")
    found = verify_release(HubRepository(name), revision or "main", terminal.progress)
    if terminal.as_json:
        terminal.show_json(asdict(found))
    elif not terminal.quiet:
        rows = ", ".join(f"{config} {count:,}" for config, count in found.rows.items())
        click.echo(f"{target} is whole: version {found.version}, commit {found.commit}", err=True)
        click.echo(f"  rows {rows}", err=True)
