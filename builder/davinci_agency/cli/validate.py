"""``davinci-agency validate``."""

from __future__ import annotations

from pathlib import Path

import click

from davinci_agency.cli.options import IN_FILE, Terminal, common_options
from davinci_agency.errors import DataError

_SHOWN = 20


@click.command("validate")
@click.argument("target", type=IN_FILE, metavar="FILE_OR_RELEASE")
@click.option("--schema", "name", metavar="RECORD", help="What a line of the file is: task, …")
@common_options
def command(target: Path, name: str | None, terminal: Terminal) -> None:
    """Check every record of a file, or every digest, column and row of a release.

    Without --schema, the file's first good line tells what its records are.

    \b
    Examples:
      davinci-agency validate tasks.jsonl
      davinci-agency validate release
    """
    from davinci_agency.checking import check_file
    from davinci_agency.release import check_release

    if target.is_dir():
        what, faults = "release", list(check_release(target))
    else:
        what, faults = check_file(target, name, terminal.progress)
    if terminal.as_json:
        terminal.show_json({"target": str(target), "record": what, "faults": faults})
    else:
        for fault in faults[:_SHOWN]:
            click.echo(fault)
        if len(faults) > _SHOWN:
            click.echo(f"… and {len(faults) - _SHOWN:,} more; see them all with --json")
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
        raise DataError(f"{target} has {count}.")
    if not (terminal.quiet or terminal.as_json):
        kind = what if target.is_dir() else f"file of {what} records"
        click.echo(f"{target} is a good {kind}.", err=True)
