"""``davinci-agency schema``."""

from __future__ import annotations

import click
import orjson

from davinci_agency.cli.options import Terminal, common_options


@click.group("schema")
def command() -> None:
    """List and show the schemas that records follow."""


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
