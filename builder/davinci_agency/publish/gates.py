"""What a release must pass before anything of it leaves this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from davinci_agency.progress import Progress, track
from davinci_agency.records import JsonObject
from davinci_agency.release import CONFIGS, Manifest, check_release, read_batches
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import dataset_rows
from davinci_agency.secrets import find_secrets
from davinci_agency.secrets.rule import Kind
from davinci_agency.spdx import is_allowed
from davinci_agency.texts import texts_of

UNKNOWN = "unknown"


def check_gates(
    folder: Path,
    manifest: Manifest,
    *,
    is_card_true: Callable[[Path], bool],
    licenses: frozenset[str],
    kinds: frozenset[Kind],
    progress: Progress,
) -> Iterator[str]:
    """Yield everything that keeps a release from being published.

    Every digest and every row is checked against manifest and schema, every text is searched for
    ``kinds`` of secrets, as curation searches them, and every row's licence must be one of
    ``licenses``, or its code withheld.
    """
    faults = list(track(check_release(folder), progress, "check the release", None))
    yield from faults
    if faults:
        return
    if not is_card_true(folder):
        yield "the card is not what the shards say; write it again with davinci-agency card"
    refused: Counter[tuple[str, str]] = Counter()
    for shard in track(manifest.shards, progress, "look for secrets", len(manifest.shards)):
        licensed = "license" in load_schema(CONFIGS[shard.config]).document["properties"]
        number = 0
        for batch in read_batches(folder, shard):
            for row in dataset_rows(batch):
                license_name = str(row["license"] or UNKNOWN) if licensed else ""
                if licensed and not (is_allowed(license_name, licenses) or _is_withheld(row)):
                    refused[shard.config, license_name] += 1
                for path, rule in _secrets(row, kinds):
                    yield f"{shard.path}: row {number}: {path} holds what looks like a {rule}"
                number += 1
    for (config, name), rows in sorted(refused.items()):
        yield (
            f"{config} has {rows:,} rows under the licence {name}, which is not allowed; "
            f"leave them out with davinci-agency curate, or allow it with --allow-license {name}"
        )


def _is_withheld(row: JsonObject) -> bool:
    """Tell whether there is none of the code in a row: only how to make it again."""
    stages = row.get("stages", [row])
    code = [part.get(name) for part in (row, *stages) for name in ("patch", "test_patch")]
    is_told = all(stage.get("withheld") for stage in stages)
    return "messages" not in row and is_told and not any(code)


def _secrets(row: JsonObject, kinds: frozenset[Kind]) -> Iterator[tuple[str, str]]:
    """Yield the column and the kind of every secret in a row."""
    if any(secret.kind in kinds for secret in find_secrets(texts_of(row).buffer)):
        for column, value in row.items():
            for secret in find_secrets(texts_of({column: value}).buffer):
                if secret.kind in kinds:
                    yield f"$.{column}", secret.rule
