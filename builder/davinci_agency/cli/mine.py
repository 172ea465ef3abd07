"""``davinci-agency mine``."""

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


@click.command("mine")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@out_option("pull requests")
@click.option("--repo", metavar="OWNER/NAME", help="The repository; else taken from its origin.")
@click.option("--host", metavar="HOST", help="Where its pull requests' pages are: github.com.")
@click.option("--license", "license_", metavar="SPDX", help="Its licence, if you know it.")
@workers_option
@strict_option
@common_options
def command(
    sources: tuple[Path, ...],
    out: Path,
    repo: str | None,
    host: str | None,
    license_: str | None,
    workers: int,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Mine merged pull requests from SOURCES, clones or bare repositories, offline.

    \b
    A clone that has the pull heads gives more, and verified, pull requests:
      git fetch origin '+refs/pull/*/head:refs/pull/*/head'

    \b
    Example:
      davinci-agency mine numpy.git --repo numpy/numpy --host github.com --out pulls.jsonl
    """
    from davinci_agency.mine import MineOptions, mine_pulls

    if repo is not None and len(sources) > 1:
        raise click.UsageError("--repo names one repository; mine several with one command each.")
    options = MineOptions(repo, host, license_)
    summary = mine_pulls(
        [(source, options) for source in sources],
        out,
        workers=workers,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)
