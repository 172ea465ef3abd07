"""``davinci-agency publish``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.options import FOLDER, Terminal, common_options

if TYPE_CHECKING:
    from davinci_agency.publish import Plan

_SHOWN = 12


@click.command("publish")
@click.argument("release", type=FOLDER)
@click.argument("repository", metavar="ORG/NAME")
@click.option("--tag", metavar="vX.Y.Z", help="The version; the one that follows, if left out.")
@click.option("--private", is_flag=True, help="Make the repository private, if it is new.")
@click.option("--create-pr", is_flag=True, help="Open a pull request; publish again to tag it.")
@click.option("--branch", default="main", show_default=True, help="The branch to change.")
@click.option("--allow-license", multiple=True, metavar="SPDX", help="A licence to allow too.")
@click.option("--allow-people", is_flag=True, help="Allow e-mail addresses and home directories.")
@click.option("--dry-run", is_flag=True, help="Only show the plan, and what keeps it back.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@common_options
def command(
    release: Path,
    repository: str,
    tag: str | None,
    private: bool,
    create_pr: bool,
    branch: str,
    allow_license: tuple[str, ...],
    allow_people: bool,
    dry_run: bool,
    yes: bool,
    terminal: Terminal,
) -> None:
    """Publish a RELEASE as the dataset ORG/NAME on the Hub.

    The release is checked first: digests, rows, card, secrets, licences. Then everything goes into
    one commit, is read back, and tagged. Publishing the same release again changes nothing, and a
    killed run is finished by the next. The token is that of hf auth login, or HF_TOKEN.

    \b
    Example:
      davinci-agency publish release org/davinci-agency --dry-run
    """
    from davinci_agency.card import measure_release, render_card
    from davinci_agency.publish import HubRepository, PublishOptions, Version, publish_release
    from davinci_agency.release import CARD, Manifest
    from davinci_agency.spdx import PERMISSIVE

    stats = measure_release(release)

    def render(manifest: Manifest) -> str:
        return render_card(replace(stats, manifest=manifest))

    def is_card_true(folder: Path) -> bool:
        card = folder / CARD
        return card.is_file() and card.read_bytes() == render(stats.manifest).encode()

    def confirm(plan: Plan) -> bool:
        if terminal.as_json:
            terminal.show_json({"plan": plan.to_json()})
        elif not terminal.quiet:
            _show(plan)
        if dry_run or plan.is_empty:
            return not dry_run
        return yes or click.confirm(f"Publish it as {plan.version.tag}?", err=True)

    outcome = publish_release(
        release,
        HubRepository(repository),
        PublishOptions(
            version=None if tag is None else Version.parse(tag),
            branch=branch,
            private=private,
            as_pull_request=create_pr,
            licenses=PERMISSIVE | frozenset(allow_license),
            people=allow_people,
        ),
        render=render,
        is_card_true=is_card_true,
        confirm=confirm,
        progress=terminal.progress,
    )
    said = outcome.to_json()
    if terminal.as_json:
        terminal.show_json(said)
    elif not terminal.quiet:
        click.echo(outcome.words(), err=True)


def _show(plan: Plan) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True)
    title = f"{plan.repository}: {plan.before or 'nothing yet'} → {plan.version}"
    table = Table(title=Text(title), title_justify="left")
    for heading in ("config", "rows before", "rows after"):
        table.add_column(heading, justify="left" if heading == "config" else "right")
    for config, rows in plan.rows.items():
        table.add_row(config, *(f"{count:,}" for count in rows))
    console.print(table)
    for what, files in (("new", plan.new), ("changed", plan.changed)):
        for file in files[:_SHOWN]:
            console.print(Text(f"  {what:8} {file.path}  {file.bytes:,} bytes"))
        if len(files) > _SHOWN:
            console.print(Text(f"  … and {len(files) - _SHOWN:,} more {what} ones"))
    for path in plan.deleted[:_SHOWN]:
        console.print(Text(f"  deleted  {path}"))
    before, after = plan.schema
    schemas = after if before in (None, after) else f"{before} → {after}"
    console.print(
        Text(
            f"{len(plan.sends)} files to send, {plan.bytes:,} bytes at most; "
            f"{len(plan.unchanged)} are there already. Schemas {schemas}."
        )
    )
