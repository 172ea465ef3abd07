"""``davinci-agency schema``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from davinci_agency.cli.options import FOLDER, IN_FILE, OUT_FILE, Terminal, common_options

if TYPE_CHECKING:
    from davinci_agency.schema import Schema


@click.group("schema")
def command() -> None:
    """List, show, check, compare and migrate the schemas that records follow."""


@command.command("list")
@common_options
def list_schemas(terminal: Terminal) -> None:
    """List every record and version.

    \b
    Example:
      davinci-agency schema list
    """
    from davinci_agency.schema import RECORDS, load_schema, versions

    schemas = [load_schema(record, version) for version in versions() for record in RECORDS]
    if terminal.as_json:
        terminal.show_json([{"record": s.record, "version": s.version} for s in schemas])
        return
    for schema in schemas:
        click.echo(f"{schema.name:24} {schema.document['title']}")


@command.command("show")
@click.argument("name", metavar="RECORD[@VERSION]")
@click.option("--arrow", is_flag=True, help="Show the Arrow schema that follows from it.")
def show_schema(name: str, arrow: bool) -> None:
    """Show a schema as JSON Schema.

    \b
    Example:
      davinci-agency schema show task@1.0.0
    """
    from davinci_agency.schema import CURRENT_VERSION, load_schema
    from davinci_agency.schema.arrow import arrow_schema

    record, _, version = name.partition("@")
    schema = load_schema(record, version or CURRENT_VERSION)
    if arrow:
        click.echo(arrow_schema(schema).to_string(truncate_metadata=False))
    else:
        click.echo(orjson.dumps(schema.document, option=orjson.OPT_INDENT_2))


_folder_option = click.option(
    "--schemas", "folder", type=FOLDER, help="A folder of versions; this program's, if left out."
)


@command.command("check")
@_folder_option
@click.option("--changelog", type=IN_FILE, help="A changelog that must tell of every version.")
@click.option("--released", metavar="X.Y.Z", help="Fail too if this version is not locked.")
@click.option("--lock", metavar="X.Y.Z", help="Lock a version, if everything is right.")
@common_options
def check(
    folder: Path | None,
    changelog: Path | None,
    released: str | None,
    lock: str | None,
    terminal: Terminal,
) -> None:
    """Check that schemas are fit to be released.

    Metaschema, Arrow columns, examples and counter-examples, released versions unchanged, numbers
    that fit their changes, records that migrate, and a word in the changelog.

    \b
    Example:
      davinci-agency schema check --schemas schemas --changelog CHANGELOG.md
    """
    from davinci_agency.errors import SchemaError
    from davinci_agency.schema.checking import check_schemas, is_released, lock_version
    from davinci_agency.shipped import shipped

    where = folder or shipped("schemas")
    faults = list(check_schemas(where, changelog))
    if released is not None and not is_released(where, released):
        faults.append(f"{released} is not released; lock it with schema check --lock {released}")
    if terminal.as_json:
        terminal.show_json({"schemas": str(where), "faults": faults})
    else:
        for fault in faults:
            click.echo(fault)
    if faults:
        raise SchemaError(f"{where} is not fit to be released.")
    if lock is not None:
        lock_version(where, lock)
    if not (terminal.quiet or terminal.as_json):
        click.echo(f"{where} is fit to be released.", err=True)


@command.command("diff")
@click.argument("before", metavar="X.Y.Z")
@click.argument("after", metavar="X.Y.Z")
@_folder_option
@common_options
def diff(before: str, after: str, folder: Path | None, terminal: Terminal) -> None:
    """Say in words what differs between two versions, and what that asks of the number.

    \b
    Example:
      davinci-agency schema diff 1.0.0 1.1.0
    """
    from davinci_agency.schema.compatibility import find_differences

    found = find_differences(_schemas(before, folder), _schemas(after, folder))
    if terminal.as_json:
        terminal.show_json(
            [
                {
                    "record": each.record,
                    "path": each.path,
                    "words": each.words,
                    "impact": each.impact.name.lower(),
                }
                for each in found
            ]
        )
        return
    for each in found:
        click.echo(str(each))
    if not found:
        click.echo("Nothing differs.")


@command.command("migrate")
@click.argument("file", type=IN_FILE)
@click.option("--record", required=True, help="What a line is: task, attempt, …")
@click.option("--out", type=OUT_FILE, required=True, help="The file to write; - is stdout.")
@click.option("--to", metavar="X.Y.Z", help="The version to reach; the newest, if left out.")
@_folder_option
@common_options
def migrate(
    file: Path, record: str, out: Path, to: str | None, folder: Path | None, terminal: Terminal
) -> None:
    """Write the records of a FILE as those of a newer version; each is checked there.

    \b
    Example:
      davinci-agency schema migrate tasks.jsonl --record task --out newer.jsonl
    """
    from davinci_agency.schema.rewriting import migrate_file

    summary = migrate_file(file, out, record, to, folder, terminal.progress)
    if terminal.as_json:
        terminal.show_json(summary)
    elif not terminal.quiet:
        click.echo(f"{summary['out']:,} records, now of {summary['version']}", err=True)


def _schemas(version: str, folder: Path | None) -> dict[str, Schema]:
    from davinci_agency.errors import SchemaError
    from davinci_agency.schema import versions
    from davinci_agency.schema.registry import read_schemas
    from davinci_agency.shipped import shipped

    where = folder or shipped("schemas")
    if version not in versions(where):
        known = ", ".join(versions(where))
        raise SchemaError(f"There is no version {version[:40]!r} in {where}; there are {known}.")
    return read_schemas(where, version)
