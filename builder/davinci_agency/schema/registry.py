"""The schemas that were released, by record and version, with their references followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from davinci_agency.errors import SchemaError
from davinci_agency.shipped import shipped

CURRENT_VERSION = "1.0.0"
"""The version that new records follow."""

RECORDS = ("pull-request", "pr-chain", "task", "attempt", "removal", "sample")
"""The names of all records, in the order in which they come to be."""

JsonSchema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """One record's schema in one version.

    Attributes:
        record: the record's name, such as ``pull-request``.
        version: the version, such as ``1.0.0``.
        document: the JSON Schema as it was released.
        siblings: every schema of the same version by its ``$id``, for references.
    """

    record: str
    version: str
    document: JsonSchema
    siblings: Mapping[str, JsonSchema]

    @property
    def name(self) -> str:
        """The record with its version: ``task@1.0.0``."""
        return f"{self.record}@{self.version}"

    def follow(self, node: JsonSchema) -> JsonSchema:
        """Return a node with its ``$ref`` replaced by what it names; its own keywords win.

        Raises `SchemaError` if the reference names nothing.
        """
        if "$ref" not in node:
            return node
        document_id, _, pointer = node["$ref"].partition("#")
        target: Any = self.siblings.get(document_id) if document_id else self.document
        try:
            for key in pointer.strip("/").split("/"):
                target = target[key]
        except (KeyError, TypeError):
            raise SchemaError(f"{self.name}: {node['$ref']} names nothing.") from None
        own = {key: value for key, value in node.items() if key != "$ref"}
        return {**self.follow(target), **own}


def versions() -> list[str]:
    """Return every released version, oldest first."""
    folders = [path.name for path in shipped("schemas").iterdir() if path.is_dir()]
    return sorted(folders, key=lambda version: [int(part) for part in version.split(".")])


@cache
def load_schema(record: str, version: str = CURRENT_VERSION) -> Schema:
    """Return a record's schema.

    Raises `SchemaError` if there is no such record or version.
    """
    if record not in RECORDS:
        raise SchemaError(f"There is no record {record[:40]!r}; there are {', '.join(RECORDS)}.")
    if version not in versions():
        raise SchemaError(
            f"There is no schema version {version[:40]!r}; "
            f"this program knows {', '.join(versions())}. "
            "Update davinci-agency, or make the data again."
        )
    documents = _documents(shipped("schemas") / version)
    siblings = {document["$id"]: document for document in documents.values()}
    return Schema(record, version, documents[record], siblings)


@cache
def _documents(folder: Path) -> dict[str, JsonSchema]:
    return {
        record: orjson.loads((folder / f"{record}.schema.json").read_bytes()) for record in RECORDS
    }
