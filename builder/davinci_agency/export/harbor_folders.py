"""A release's tasks as Harbor's folders."""

from __future__ import annotations

from pathlib import Path

from davinci_agency.export.forms import UnfitError, Written
from davinci_agency.export.harbor import HarborOptions, folders_of
from davinci_agency.progress import Progress, track
from davinci_agency.release import Manifest, read_rows

_CONFIG = "tasks"


def write_harbor(
    options: HarborOptions, release: Path, folder: Path, manifest: Manifest, progress: Progress
) -> Written:
    """Write a folder for each task; held in memory are some rows."""
    written = Written()
    rows = manifest.rows.get(_CONFIG, 0)
    all_rows = (row for shard in manifest.shards_of(_CONFIG) for row in read_rows(release, shard))
    for row in track(all_rows, progress, "export tasks", rows):
        try:
            folders = dict(folders_of(row, options))
        except UnfitError as error:
            written.left_out[str(error)] += 1
            continue
        written.rows[_CONFIG] += 1
        for name, files in folders.items():
            for path, content in files.items():
                # The folder as a whole appears at once, in the end.
                file = folder / name / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                if path.endswith(".sh"):
                    file.chmod(0o755)
    return written
