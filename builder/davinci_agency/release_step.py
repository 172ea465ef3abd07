"""The step that writes a release, apart: `build` needs nothing of the other steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from davinci_agency.parallel import Engine
from davinci_agency.progress import Progress
from davinci_agency.stage import side_file
from davinci_agency.step import Step

if TYPE_CHECKING:
    from davinci_agency.build import BuildInputs, BuildOptions


def build_step(
    inputs: BuildInputs,
    out: Path,
    options: BuildOptions,
    stamp: Path,
    engine: Engine,
    strict: bool,
    progress: Progress,
) -> Step:
    """Return the step that writes a release and its card."""
    from davinci_agency.build import made_with, write_release
    from davinci_agency.card import write_card
    from davinci_agency.release import MANIFEST

    named = inputs.by_record()
    files = (path for paths in named.values() for path in paths)
    before = () if inputs.after is None else (inputs.after / MANIFEST,)
    return Step(
        name="build",
        options={
            **msgspec.to_builtins(options),
            "made_with": made_with(),
            "files": {record: len(paths) for record, paths in named.items()},
        },
        inputs=(*files, *before),
        outputs=outputs_of(out),
        stamp=stamp,
        action=lambda: write_release(
            inputs,
            out,
            options,
            finish=write_card,
            engine=engine,
            strict=strict,
            progress=progress,
        ),
    )


def stamp_of(out: Path) -> Path:
    """Return where the stamp of an output is kept."""
    return out.with_name(f".{out.name}.stamp")


def outputs_of(out: Path) -> tuple[Path, ...]:
    """Return what a stage makes: its output and the files beside it."""
    return (out, side_file(out, "removed"), side_file(out, "quarantine"))
