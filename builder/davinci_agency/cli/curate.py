"""``davinci-agency curate``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from davinci_agency.cli.options import (
    FILE,
    FOLDER,
    OUT_FILE,
    Share,
    Terminal,
    common_options,
    engine_options,
    strict_option,
)
from davinci_agency.cli.places import Release
from davinci_agency.errors import CommandError
from davinci_agency.parallel import Engine
from davinci_agency.printable import printable

_COUNT = click.IntRange(0)


@click.group("curate", invoke_without_command=True)
@click.option("--pulls", type=FILE, multiple=True, help="A file of pull requests.")
@click.option("--tasks", type=FILE, multiple=True, help="A file of tasks.")
@click.option("--attempts", type=FILE, multiple=True, help="A file of attempts.")
@click.option("--out", type=FOLDER, help="A folder to make, for what stays.")
@click.option("--only", multiple=True, metavar="RULE", help="Only this rule; may be repeated.")
@click.option("--off", multiple=True, metavar="RULE", help="All rules but this one.")
@click.option("--mark", multiple=True, metavar="RULE", help="Keep what breaks it, and say so.")
@click.option(
    "--license", "licenses", multiple=True, metavar="SPDX",
    help="A licence to allow, instead of the permissive ones.",
)  # fmt: skip
@click.option("--withhold-patches", is_flag=True, help="Keep other licences' rows without code.")
@click.option("--opt-out", "opted_out", multiple=True, metavar="PSEUDONYM", help="An author's.")
@click.option("--logins", is_flag=True, help="Make accounts that texts mention pseudonyms.")
@click.option("--deny-list", "deny_lists", type=FILE, multiple=True, help="A list of a benchmark.")
@click.option("--whole-repositories", is_flag=True, help="Leave out all of a benchmark's.")
@click.option(
    "--benchmark", "benchmarks", type=FILE, multiple=True,
    help="Texts (Parquet or JSON Lines) that no record may hold runs of words of.",
)  # fmt: skip
@click.option("--min-score", type=Share(), help="The least score of a judged attempt.")
@click.option("--max-refinements", type=_COUNT, help="The most refinements of an attempt.")
@click.option("--max-tokens", type=_COUNT, help="The most tokens of an attempt.")
@click.option("--validation", type=Share(), default=0.0, help="The share for validation.")
@click.option("--test", type=Share(), default=0.0, help="The share for testing.")
@click.option("--by-repository", is_flag=True, help="Never divide a repository.")
@click.option("--hold-out", "held_out", multiple=True, metavar="OWNER/NAME", help="For testing.")
@click.option(
    "--hold-out-since", "held_out_since", type=click.DateTime(["%Y-%m-%d"]),
    help="What began on this day or later is for testing.",
)  # fmt: skip
@click.option(
    "--after", type=Release(), metavar="RELEASE",
    help="The release before, a folder, its URL or ORG/NAME@REVISION: its rows keep their splits.",
)  # fmt: skip
@click.option("--report", is_flag=True, help="Show what each rule took out, by repository.")
@engine_options
@strict_option
@common_options
def command(
    pulls: tuple[Path, ...],
    tasks: tuple[Path, ...],
    attempts: tuple[Path, ...],
    out: Path | None,
    held_out_since: datetime | None,
    after: str | Path | None,
    report: bool,
    engine: Engine,
    strict: bool,
    terminal: Terminal,
    **chosen: Any,
) -> None:
    """Take out what nobody should train on, each with a receipt.

    Duplicates, benchmarks' tasks, secrets, bad trajectories, code that may not be published. What
    stays goes into the folder OUT: pulls.jsonl, tasks.jsonl, attempts.jsonl, and curation.json with
    the account. davinci-agency curate rules lists every rule.

    \b
    Example:
      davinci-agency curate --pulls pulls.jsonl --tasks tasks.jsonl --attempts attempts.jsonl \\
        --out curated --report
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    if out is None:
        raise click.UsageError("Missing option '--out'.")
    if not (pulls or tasks or attempts):
        raise click.UsageError("There is nothing to curate; name files with --tasks, --attempts.")
    from davinci_agency.curate import CurateInputs, CurateOptions, select_samples

    before = None
    if after is not None:
        from davinci_agency.publish import release_folder

        before = release_folder(str(after))
    since = held_out_since.date() if held_out_since is not None else None
    files = {name: [str(path) for path in chosen[name]] for name in ("deny_lists", "benchmarks")}
    try:
        options = msgspec.convert({**chosen, **files, "held_out_since": since}, CurateOptions)
    except msgspec.ValidationError as error:
        raise CommandError(f"{error}; see davinci-agency curate --help.") from error
    summary = select_samples(
        CurateInputs(pulls, tasks, attempts, before),
        out,
        options,
        engine=engine,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)
    if report:
        _show_report(out, terminal)


def _show_report(out: Path, terminal: Terminal) -> None:
    """Print the account: for every repository what came in, what each rule took, what stays."""
    from davinci_agency.curate import read_account

    account = read_account(out)
    if terminal.as_json:
        terminal.show_json(account)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text("What each rule took out"))
    for heading in ("repository", "record", "rule", "records"):
        table.add_column(heading, justify="right" if heading == "records" else "left")
    for repo, records in account["repositories"].items():
        for record, counts in records.items():
            table.add_row(Text(repo), record, "in", f"{counts['in']:,}")
            for rule, count in counts["removed"].items():
                table.add_row("", "", Text(f"- {rule}"), f"{count:,}")
            table.add_row("", "", "out", f"{counts['out']:,}", end_section=True)
    console = Console()
    console.print(table)
    for what in ("marked", "replaced"):
        if account[what]:
            console.print(Text(f"{what}: {_said(account[what])}"))
    if account["quarantined"]:
        console.print(f"quarantined: {account['quarantined']:,}")


def _said(counts: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:,}" if isinstance(value, int) else f"{name} ({_said(value)})"
        for name, value in counts.items()
    )


@command.command("rules")
@common_options
def list_rules(terminal: Terminal) -> None:
    """List every rule, and what it takes out.

    \b
    Example:
      davinci-agency curate rules
    """
    from davinci_agency.curate import RULES

    if terminal.as_json:
        rules = [{"rule": r.name, "records": r.records, "takes": r.text} for r in RULES]
        terminal.show_json(rules)
        return
    width = max(len(rule.name) for rule in RULES)
    for rule in RULES:
        click.echo(f"{rule.name.ljust(width)}  {rule.text} ({', '.join(rule.records)})")


@command.group("deny-list")
def deny_list() -> None:
    """Lists of what stands in benchmarks."""


@deny_list.command("list")
@common_options
def list_deny_lists(terminal: Terminal) -> None:
    """List the lists that come with this program, with their sources and dates.

    \b
    Example:
      davinci-agency curate deny-list list
    """
    from davinci_agency.curate import load_shipped

    lists = load_shipped()
    if terminal.as_json:
        terminal.show_json(
            [
                {
                    "name": each.name,
                    "title": each.title,
                    "tasks": len(each.tasks),
                    "published": each.published,
                    "as_of": each.as_of,
                    "source": each.source,
                    "note": each.note,
                }
                for each in lists
            ]
        )
        return
    for each in lists:
        of = f" of {each.published:,}" if each.published else ""
        click.echo(f"{each.name}: {len(each.tasks):,}{of} tasks, as of {each.as_of}")
        click.echo(f"  {each.source}")
        if each.note:
            click.echo(f"  {each.note}")


@deny_list.command("import")
@click.argument("file", type=FILE)
@click.option("--name", required=True, help="A short name, for receipts: my-benchmark.")
@click.option("--title", help="The benchmark's own name; the short one, if left out.")
@click.option("--source", required=True, help="Where the file comes from.")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day it was taken there."
)
@click.option("--out", type=OUT_FILE, required=True, help="The list to write.")
@common_options
def import_deny_list(
    file: Path,
    name: str,
    title: str | None,
    source: str,
    as_of: datetime,
    out: Path,
    terminal: Terminal,
) -> None:
    """Make a list of a benchmark's own FILE: Parquet, or JSON Lines.

    Repositories, numbers, commits and the ids of patches are kept, and no text. SWE-bench's columns
    are known, Multi-SWE-bench's, and plain repo and number.

    \b
    Example:
      davinci-agency curate deny-list import test.parquet --name my-benchmark \\
        --source https://example.org/my-benchmark --as-of 2026-01-31 --out my-benchmark.json
    """
    from davinci_agency.curate import import_list, render_list
    from davinci_agency.files import atomic_file

    if out.resolve() == file.resolve():
        raise CommandError(f"{out} is the input, and would be written over; choose another --out.")
    for text in (source, title or name):
        if not text.isprintable() or not text.isascii():
            raise CommandError(f"{text[:40]!r} is no plain text; give one in ASCII.")
    imported = import_list(
        file, name=name, title=title or name, source=source, as_of=f"{as_of:%Y-%m-%d}"
    )
    with atomic_file(out) as target:
        target.write(render_list(imported.deny_list))
    if terminal.as_json:
        terminal.show_json(
            {
                "in": imported.rows,
                "out": len(imported.deny_list.tasks),
                "removed": imported.repeated,
                "quarantined": len(imported.unusable),
                "unusable": [{"row": row.row, "reason": row.reason} for row in imported.unusable],
            }
        )
    elif not terminal.quiet:
        for row in imported.unusable:
            click.echo(f"row {row.row}: {printable(row.reason)[:200]}", err=True)
        click.echo(
            f"{imported.rows:,} rows, {len(imported.deny_list.tasks):,} tasks, "
            f"{imported.repeated:,} repeated, {len(imported.unusable):,} unusable",
            err=True,
        )
