"""What a release must pass before anything of it leaves this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from davinci_agency.progress import Progress, track
from davinci_agency.release import CONFIGS, Manifest, check_release, read_batches
from davinci_agency.schema import load_schema
from davinci_agency.schema.arrow import dataset_rows
from davinci_agency.secrets import find_secrets
from davinci_agency.spdx import is_allowed

UNKNOWN = "unknown"


def check_gates(
    folder: Path,
    manifest: Manifest,
    *,
    is_card_true: Callable[[Path], bool],
    licenses: frozenset[str],
    progress: Progress,
) -> Iterator[str]:
    """Yield everything that keeps a release from being published.

    Every digest and every row is checked against manifest and schema, every text is searched for
    secrets, and every row's licence must be one of ``licenses``.
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
                if licensed and not is_allowed(license_name, licenses):
                    refused[shard.config, license_name] += 1
                for path, rule in _secrets(row, "$"):
                    yield f"{shard.path}: row {number}: {path} holds what looks like a {rule}"
                number += 1
    for (config, name), rows in sorted(refused.items()):
        yield (
            f"{config} has {rows:,} rows under the licence {name}, which is not allowed; "
            f"leave them out with [filter] licenses, or allow it with --allow-license {name}"
        )


def _secrets(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the place and the kind of every secret in a JSON value, names of keys included."""
    if isinstance(value, str):
        for rule in _kinds_of_secrets(value):
            yield path, rule
    elif isinstance(value, dict):
        for key, inner in value.items():
            for rule in _kinds_of_secrets(key):
                yield path, rule
            yield from _secrets(inner, f"{path}.{key[:40]}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _secrets(inner, f"{path}[{number}]")


def _kinds_of_secrets(text: str) -> Iterator[str]:
    found = find_secrets(text.encode("utf-8", "surrogatepass"))
    return (secret.rule for secret in found if secret.kind == "secret")
