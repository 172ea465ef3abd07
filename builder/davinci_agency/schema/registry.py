"""The schemas that were released, by record and version, with their references followed."""

from __future__ import annotations

import re
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

_SUFFIX = ".schema.json"
_NUMBER = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}", re.ASCII)


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


def versions(folder: Path | None = None) -> list[str]:
    """Return every version that a folder of schemas holds, oldest first; by default our own."""
    folders = [
        path.name
        for path in (folder or shipped("schemas")).iterdir()
        if path.is_dir() and _NUMBER.fullmatch(path.name)
    ]
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
    return _our_schemas(version)[record]


@cache
def _our_schemas(version: str) -> dict[str, Schema]:
    return read_schemas(shipped("schemas"), version)


def schema_files(version: str) -> dict[str, bytes]:
    """Return the files of a version of the schemas, by ``<version>/<record>.schema.json``.

    Raises `SchemaError` if there is no such version.
    """
    load_schema(RECORDS[0], version)
    folder = shipped("schemas")
    paths = sorted((folder / version).glob(f"*{_SUFFIX}"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def read_schemas(folder: Path, version: str) -> dict[str, Schema]:
    """Return the schemas of one version in a folder, by record.

    Raises `SchemaError` if a file is no JSON object with an ``$id``.
    """
    documents: dict[str, JsonSchema] = {}
    for path in sorted((folder / version).glob(f"*{_SUFFIX}")):
        try:
            document = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise SchemaError(f"{path} is no JSON: {error}.") from error
        if not isinstance(document, dict) or "$id" not in document:
            raise SchemaError(f"{path} is no schema: it has no $id.")
        documents[path.name.removesuffix(_SUFFIX)] = document
    siblings = {document["$id"]: document for document in documents.values()}
    return {
        record: Schema(record, version, document, siblings)
        for record, document in documents.items()
    }
