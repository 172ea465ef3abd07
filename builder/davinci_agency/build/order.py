"""One order of rows for good: as they were first published, and new ones behind them.

To sort anew sends almost everything again: what was a shard's content stands elsewhere then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from davinci_agency.build.rows import RowSource
from davinci_agency.release import CONFIGS, read_batches, read_manifest
from davinci_agency.schema import load_schema

Places = Mapping[str, int]
"""The place of each row of a config, by `row_key`."""


def row_key(record: str, row: Mapping[str, Any]) -> str:
    """Return what tells a row from the others of its config, whatever its version.

    >>> row_key("pull-request", {"repo": "numpy/numpy", "number": 9998})
    'numpy/numpy#9998'
    """
    return "#".join(str(row[name]) for name in load_schema(record).document["x-identity"])


def published_places(release: Path) -> Mapping[str, Places]:
    """Return the places of a release's rows, by config.

    Held in memory: a key for each row. Raises `ReleaseError` if it can't be read.
    """
    manifest = read_manifest(release)
    places: dict[str, dict[str, int]] = {}
    for shard in manifest.shards:
        record = CONFIGS[shard.config]
        columns = load_schema(record).document["x-identity"]
        known = places.setdefault(shard.config, {})
        for batch in read_batches(release, shard, columns):
            for row in batch.to_pylist():
                known.setdefault(row_key(record, row), len(known))
    return places


def in_published_order(rows: Sequence[RowSource], places: Places) -> list[RowSource]:
    """Return rows in the order of an earlier release; new ones follow as they stand."""
    return sorted(rows, key=lambda row: places.get(row.key, len(places)))
