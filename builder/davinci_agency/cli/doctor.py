"""``davinci-agency doctor``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from davinci_agency.cli.options import Terminal, common_options
from davinci_agency.errors import CommandError

_MARKS = {"ok": "[green]ok[/]", "missing": "[yellow]missing[/]", "bad": "[red]bad[/]"}


@click.command("doctor")
@common_options
def command(terminal: Terminal) -> None:
    """Check versions, tokens, git and disk, and say what to do.

    \b
    Example:
      davinci-agency doctor
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from davinci_agency.doctor import examine

    findings = list(examine(Path.cwd()))
    if terminal.as_json:
        terminal.show_json([asdict(finding) for finding in findings])
    else:
        table = Table("what", "state", "found", "what to do")
        for finding in findings:
            table.add_row(
                finding.what, _MARKS[finding.state], Text(finding.found), Text(finding.advice)
            )
        Console().print(table)
    bad = [finding.what for finding in findings if finding.state == "bad"]
    if bad:
        raise CommandError(f"Nothing will work before this is mended: {', '.join(bad)}.")
