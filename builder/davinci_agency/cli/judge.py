"""``davinci-agency judge``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.judging import judge_options, sandbox_options
from davinci_agency.cli.options import (
    IN_FILE,
    Terminal,
    cache_folder,
    common_options,
    out_option,
    strict_option,
    workers_option,
)
from davinci_agency.errors import CommandError
from davinci_agency.files import STDIO

if TYPE_CHECKING:
    from davinci_agency.evaluate import Calibration, JudgeOptions
    from davinci_agency.sandbox import SandboxOptions


@click.command("judge")
@click.argument("files", nargs=-1, required=True, type=IN_FILE)
@out_option("judged attempts, or the report")
@click.option(
    "--tasks",
    multiple=True,
    type=IN_FILE,
    help="The tasks of the attempts; may be given several times.",
)
@click.option("--calibrate", is_flag=True, help="Try the judge on known goods and bads instead.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=25,
    show_default=True,
    help="The most stages to calibrate with; each makes up to eight cases.",
)
@judge_options()
@click.option(
    "--clone",
    "clones",
    multiple=True,
    metavar="[OWNER/NAME=]PATH",
    help="A repository to run the tests in; may be given several times.",
)
@sandbox_options
@workers_option
@strict_option
@common_options
def command(
    files: tuple[Path, ...],
    out: Path,
    tasks: tuple[Path, ...],
    calibrate: bool,
    limit: int,
    judge: JudgeOptions,
    clones: tuple[str, ...],
    sandbox: SandboxOptions,
    workers: int,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Judge the attempts in FILES, made anywhere, by what their tasks ask for.

    With --calibrate, FILES are tasks: the judge decides about their true patches, as they are,
    reformatted and split, and about empty ones, halves, comments, deleted tests and other pull
    requests' patches, and its error rates are shown.

    \b
    Examples:
      davinci-agency judge attempts.jsonl --tasks tasks.jsonl --out judged.jsonl \\
        --llm http://localhost:8000/v1 --model glm-4.6
      davinci-agency judge --calibrate tasks.jsonl --out report.json \\
        --llm http://localhost:8000/v1 --model glm-4.6
    """
    from davinci_agency import evaluate
    from davinci_agency.crews import AGENT_KEY, JUDGE_KEY, open_acceptance
    from davinci_agency.pipeline import open_clones

    if judge.test_command and not clones:
        raise CommandError("--test-command runs in a repository; name it with --clone.")
    key = os.environ.get(JUDGE_KEY) or os.environ.get(AGENT_KEY)
    acceptance = open_acceptance(judge, sandbox, cache_folder(), key)
    if calibrate:
        if tasks or out == STDIO:
            raise CommandError("--calibrate takes tasks as FILES, no --tasks, and a file as --out.")
        calibration = evaluate.calibrate(
            files,
            out,
            acceptance,
            clones=open_clones(clones),
            limit=limit,
            workers=workers,
            progress=terminal.progress,
        )
        _show(calibration, terminal)
        return
    if not tasks:
        raise CommandError("attempts are judged by their tasks; name those with --tasks.")
    summary = evaluate.judge_attempts(
        files,
        tasks,
        out,
        acceptance,
        clones=open_clones(clones),
        workers=workers,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)


def _show(calibration: Calibration, terminal: Terminal) -> None:
    """Print a table of the kinds, and the two error rates."""
    if terminal.as_json:
        terminal.show_json(calibration.to_json())
        return
    if terminal.quiet:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(title=Text(f"{calibration.judge}, accepted from {calibration.threshold:g} on"))
    for heading in ("kind", "must be", "cases", "accepted", "errors", "wrong", "mean score"):
        is_word = heading in ("kind", "must be")
        table.add_column(heading, justify="left" if is_word else "right")
    for tally in calibration.tallies:
        table.add_row(
            tally.kind,
            "accepted" if tally.is_good else "rejected",
            f"{tally.cases:,}",
            f"{tally.accepted:,}",
            f"{tally.errors:,}",
            f"{tally.wrong / tally.judged:.0%}" if tally.judged else "",
            "" if tally.scores is None else f"{tally.scores:.2f}",
        )
    console.print(table)
    for what, is_good in (("goods rejected", True), ("bads accepted", False)):
        wrong, of = calibration.wrong(is_good=is_good)
        rate = f" ({wrong / of:.1%})" if of else ""
        console.print(Text(f"{what}: {wrong:,} of {of:,}{rate}"))
