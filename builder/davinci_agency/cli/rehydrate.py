"""``davinci-agency rehydrate``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import (
    Terminal,
    common_options,
    out_option,
    strict_option,
    workers_option,
)
from davinci_agency.errors import DataError

_CONFIGS = ("tasks", "pull-requests", "single-pr", "temporal-chain", "semantic-chain")


@click.command("rehydrate")
@click.argument("target", type=click.Path(path_type=Path))
@out_option("records")
@click.option(
    "--clone",
    "clones",
    multiple=True,
    required=True,
    metavar="[OWNER/NAME=]PATH",
    help="Your own clone of a repository; may be given several times.",
)
@click.option(
    "--config",
    type=click.Choice(_CONFIGS),
    default="tasks",
    show_default=True,
    help="What to take, if TARGET is a release.",
)
@workers_option
@strict_option
@common_options
def command(
    target: Path,
    out: Path,
    clones: tuple[str, ...],
    config: str,
    workers: int,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Make the patches again that were withheld from TARGET, a file of records or a release.

    Git makes them in your own clone, and each must have the digest that its record names; else the
    record is quarantined.

    \b
    Example:
      davinci-agency rehydrate release --config tasks --clone redis.git --out tasks.jsonl
    """
    from davinci_agency.checking import record_of
    from davinci_agency.mine import rehydrate_records
    from davinci_agency.pipeline import open_clones
    from davinci_agency.release import CONFIGS, config_lines, read_manifest

    opened = open_clones(clones)
    if target.is_dir() and not read_manifest(target).rows.get(config):
        raise DataError(f"{target} has no rows in {config}; choose another --config.")
    name = CONFIGS[config] if target.is_dir() else record_of(target)
    with config_lines(target, config) as path:
        summary = rehydrate_records(
            [path],
            name,
            out,
            opened,
            workers=workers,
            strict=strict,
            progress=terminal.progress,
        )
    terminal.show(summary, name="rehydrate")
