"""``davinci-agency chain``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import IN_FILE, Terminal, common_options, out_option, strict_option
from davinci_agency.records import KINDS, Kind


@click.command("chain")
@click.argument("pulls", nargs=-1, required=True, type=IN_FILE)
@out_option("chains")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    default=KINDS,
    show_default=True,
    help="A kind of chains to make; may be given several times.",
)
@click.option(
    "--max-length",
    type=click.IntRange(2, 100),
    default=5,
    show_default=True,
    help="The most pull requests in a chain.",
)
@strict_option
@common_options
def command(
    pulls: tuple[Path, ...],
    out: Path,
    kinds: tuple[Kind, ...],
    max_length: int,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Tie the pull requests in the files PULLS into chains.

    \b
    Example:
      davinci-agency chain pulls.jsonl --out chains.jsonl --kind semantic-chain
    """
    from davinci_agency.chain import ChainOptions, find_chains

    options = ChainOptions(kinds, max_length)
    terminal.show(find_chains(pulls, out, options, strict=strict, progress=terminal.progress))
