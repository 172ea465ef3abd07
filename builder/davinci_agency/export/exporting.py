"""From a release to a folder in another form: the stage's main sentence."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal, get_args

import orjson

from davinci_agency.errors import CommandError, ReleaseError
from davinci_agency.export.forms import Written
from davinci_agency.export.harbor import HarborOptions
from davinci_agency.export.harbor_folders import write_harbor
from davinci_agency.export.lines import write_lines
from davinci_agency.export.portable_files import write_portable
from davinci_agency.files import atomic_file, atomic_folder, digest_file
from davinci_agency.progress import SILENT, Progress
from davinci_agency.release import MANIFEST, Manifest, read_manifest
from davinci_agency.stage import Summary

ExportFormat = Literal["portable", "sharegpt", "slime", "swe-bench", "harbor"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
MARKER = "export.json"
"""Says what an export was made from."""


def export_release(
    release: Path,
    out: Path,
    form: ExportFormat = "portable",
    harbor: HarborOptions | None = None,
    *,
    progress: Progress = SILENT,
) -> Summary:
    """Write the configs of a release that a form is made of.

    Counted are their rows; those that have no place in the form are told in the notes, and in the
    folder's ``export.json``. Held in memory: a row group. Raises `ReleaseError` if the release
    can't be read, and `CommandError` if it would be written over.
    """
    begun = time.monotonic()
    manifest = read_manifest(release)
    here, there = release.resolve(), out.resolve()
    if there in (here, *here.parents) or here in there.parents:
        raise CommandError(f"{out} holds the release itself; choose another --out.")
    _check_shards(release, manifest)
    with atomic_folder(out, MARKER) as folder:
        written = _write(release, folder, form, harbor, manifest, progress)
        about = {
            "form": form,
            "name": manifest.name,
            "version": manifest.version,
            "manifest_sha256": digest_file(release / MANIFEST),
            "rows": dict(written.rows),
            "left_out": dict(written.left_out),
        }
        with atomic_file(folder / MARKER) as file:
            file.write(orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    total, unfit = written.rows.total(), written.left_out.total()
    notes = tuple(f"{count:,} left out: {why}" for why, count in written.left_out.items())
    seconds = round(time.monotonic() - begun, 3)
    return Summary(
        "export", total + unfit, total, 0, unfit, seconds, dict(written.rows), notes=notes
    )


def _check_shards(release: Path, manifest: Manifest) -> None:
    for shard in manifest.shards:
        path = release / shard.path
        if not path.is_file() or digest_file(path) != shard.sha256:
            raise ReleaseError(
                f"{shard.path} is not the file that the manifest describes; build the release "
                "again."
            )


def _write(
    release: Path,
    folder: Path,
    form: ExportFormat,
    harbor: HarborOptions | None,
    manifest: Manifest,
    progress: Progress,
) -> Written:
    if form == "portable":
        return write_portable(release, folder, manifest, progress)
    if form == "harbor":
        if harbor is None:
            raise CommandError("a Harbor task has a container and tests; say which.")
        return write_harbor(harbor, release, folder, manifest, progress)
    return write_lines(form, release, folder, manifest, progress)
