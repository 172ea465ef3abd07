"""A release's rows as JSON Lines, one file for each config and split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson

from davinci_agency.export import sharegpt, slime, swe_bench
from davinci_agency.export.forms import UnfitError, Written
from davinci_agency.files import atomic_file
from davinci_agency.progress import Progress
from davinci_agency.records import JsonObject
from davinci_agency.release import Manifest, Shard, read_rows

_SAMPLES = ("single-pr", "temporal-chain", "semantic-chain")
_LINE_OF: dict[str, tuple[tuple[str, ...], Callable[[JsonObject], JsonObject]]] = {
    "sharegpt": (_SAMPLES, sharegpt.conversation_of),
    "slime": (_SAMPLES, slime.line_of),
    "swe-bench": (("tasks",), swe_bench.instance_of),
}
"""Of which configs each form is made, and a row's line."""


def write_lines(
    form: str, release: Path, folder: Path, manifest: Manifest, progress: Progress
) -> Written:
    """Write the rows that a form is made of; held in memory are some rows."""
    configs, line_of = _LINE_OF[form]
    written = Written()
    files: dict[str, str] = {}
    places: dict[tuple[str, str], list[Shard]] = {}
    for shard in (shard for config in configs for shard in manifest.shards_of(config)):
        places.setdefault((shard.config, shard.split), []).append(shard)
    progress.start("export shards", sum(map(len, places.values())))
    for (config, split), shards in places.items():
        path = folder / config / f"{split}.jsonl"
        path.parent.mkdir(exist_ok=True)
        files[f"{manifest.name}_{config}_{split}"] = path.relative_to(folder).as_posix()
        with atomic_file(path) as file:
            for shard in shards:
                for row in read_rows(release, shard):
                    try:
                        line = line_of(row)
                    except UnfitError as error:
                        written.left_out[str(error)] += 1
                        continue
                    file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                    written.rows[config] += 1
                progress.advance()
    if form == "sharegpt":
        with atomic_file(folder / "dataset_info.json") as file:
            file.write(sharegpt.info_bytes(files))
    return written
