"""``davinci-agency mine``."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from davinci_agency.cli.options import (
    Terminal,
    cache_folder,
    common_options,
    engine_options,
    out_option,
    strict_option,
)
from davinci_agency.parallel import Engine


@click.command("mine")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@out_option("pull requests")
@click.option("--repo", metavar="OWNER/NAME", help="The repository; else taken from its origin.")
@click.option("--host", metavar="HOST", help="Where its pull requests' pages are: github.com.")
@click.option("--license", "license_", metavar="SPDX", help="Its licence, if you know it.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only what was merged since.")
@click.option("--limit", type=click.IntRange(1), help="Only so many, the newest.")
@click.option("--github", is_flag=True, help="Ask GitHub too, with the tokens in GITHUB_TOKEN.")
@click.option("--base-url", metavar="URL", help="Of GitHub Enterprise: https://HOST/api/v3.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where mirrors are and what was mined before.  [default: ~/.cache/davinci-agency]",
)
@engine_options
@strict_option
@common_options
def command(
    sources: tuple[Path, ...],
    out: Path,
    repo: str | None,
    host: str | None,
    license_: str | None,
    since: datetime | None,
    limit: int | None,
    github: bool,
    base_url: str | None,
    cache: Path | None,
    engine: Engine,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Mine merged pull requests from SOURCES: clones, bare repositories, or owner/name.

    Of owner/name a mirror is made, with plain git and without a token. Git knows the code; with
    --github GitHub is asked for labels, discussions and links. A second run reads only what is new.

    \b
    A clone that has the pull heads gives more, and verified, pull requests:
      git fetch origin '+refs/pull/*/head:refs/pull/*/head'

    \b
    Examples:
      davinci-agency mine numpy.git --repo numpy/numpy --host github.com --out pulls.jsonl
      davinci-agency mine numpy/numpy encode/httpx --github --workers 2 --out pulls.jsonl
    """
    from davinci_agency.mine import MineOptions, github_access
    from davinci_agency.pipeline import mine

    if repo is not None and len(sources) > 1:
        raise click.UsageError("--repo names one repository; mine several with one command each.")
    options = MineOptions(
        repo=repo,
        host=host,
        license=license_,
        since=since.date() if since else None,
        limit=limit,
        github=github_access(os.environ, base_url, host) if github else None,
    )
    outcome = mine(
        sources,
        options,
        out,
        cache or cache_folder(),
        engine=engine,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(outcome.summary, skipped=outcome.skipped)
