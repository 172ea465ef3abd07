"""``davinci-agency query``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import IN_FILE, Terminal, common_options, out_option, strict_option


@click.command("query")
@click.argument("chains", nargs=-1, required=True, type=IN_FILE)
@out_option("tasks")
@strict_option
@common_options
def command(chains: tuple[Path, ...], out: Path, strict: bool, terminal: Terminal) -> None:
    """Write a query for each stage of the chains in the files CHAINS, offline.

    \b
    Example:
      davinci-agency query chains.jsonl --out tasks.jsonl
    """
    from davinci_agency.query import write_queries

    terminal.show(write_queries(chains, out, strict=strict, progress=terminal.progress))
