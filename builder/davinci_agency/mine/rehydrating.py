"""Patches that were withheld, made again from a clone and held against their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path
from typing import TypeVar

from davinci_agency.errors import CommandError
from davinci_agency.jsonl import RecordFiles, open_records
from davinci_agency.mine.attributes import Attributes, open_attributes, read_attributes
from davinci_agency.mine.diffs import Diff
from davinci_agency.mine.patches import Patches
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import PullRequest, Sample, SampleStage, Task, TaskStage
from davinci_agency.repository.overlay import Overlay, Pair, open_overlay
from davinci_agency.repository.source import Source
from davinci_agency.stage import StageOutput, Summary, stage_output

R = TypeVar("R", PullRequest, Task, Sample)
S = TypeVar("S", PullRequest, TaskStage, SampleStage)

_BATCH = 200
"""Records whose patches are made at once, and held."""


class _OtherPatchError(Exception):
    """A patch that was made again is not the one that was withheld."""


def rehydrate_records(
    paths: Sequence[Path],
    record: str,
    out: Path,
    clones: Mapping[str, Source],
    *,
    workers: int = 1,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write the records of some files, of one kind, with the patches that were withheld.

    ``clones`` gives their repositories by owner/name. A record is quarantined if its clone was not
    given, or makes another patch. Held in memory: the patches of some hundred records.

    Raises `CommandError` if there is no patch in such a record.
    """
    if record == PullRequest.RECORD:
        return _rehydrate_files(paths, PullRequest, out, clones, workers, strict, progress)
    if record == Task.RECORD:
        return _rehydrate_files(paths, Task, out, clones, workers, strict, progress)
    if record == Sample.RECORD:
        return _rehydrate_files(paths, Sample, out, clones, workers, strict, progress)
    raise CommandError(f"A {record} has no patches that could be withheld.")


def _rehydrate_files(
    paths: Sequence[Path],
    record_type: type[R],
    out: Path,
    clones: Mapping[str, Source],
    workers: int,
    strict: bool,
    progress: Progress,
) -> Summary:
    with (
        stage_output("mine", out, strict=strict) as output,
        open_records(paths, record_type, output, progress) as records,
    ):
        places = track(range(len(records)), progress, "make patches again", len(records))
        by_repo = groupby(places, key=lambda place: records.read(place).repo)
        for repo, group in by_repo:
            _rehydrate(records, list(group), clones.get(repo), output, workers)
    return output.summary()


def _rehydrate(
    records: RecordFiles[R],
    places: Sequence[int],
    clone: Source | None,
    output: StageOutput,
    workers: int,
) -> None:
    with ExitStack() as stack:
        overlay = stack.enter_context(open_overlay(clone)) if clone is not None else None
        generated = _generated(overlay, clone, stack) if overlay and clone else None
        remaining = iter(places)
        while batch := list(islice(remaining, _BATCH)):
            read = {place: records.read(place) for place in batch}
            pairs = sorted({pair for record in read.values() for pair in _pairs(record)})
            diffs: dict[Pair, Diff] = {}
            if overlay is not None and pairs:
                patches = Patches(overlay, pairs, generated.is_generated if generated else None)
                made = patches.each(
                    pairs, lambda pair: pair, lambda pair, diff: (pair, diff), workers
                )
                diffs.update(made)
            for place, record in read.items():
                try:
                    output.write(_whole(record, diffs), record.RECORD)
                    output.kept += 1
                except _OtherPatchError as error:
                    output.quarantine(records.note(place, "$.withheld", str(error)))


def _generated(overlay: Overlay, clone: Source, stack: ExitStack) -> Attributes | None:
    """Return who tells generated files, as in mining: they are left out of patches."""
    if not read_attributes(overlay, clone.branches[0].tip):
        return None
    return stack.enter_context(open_attributes(overlay))


def _stages(record: PullRequest | Task | Sample) -> Sequence[PullRequest | TaskStage]:
    return [record] if isinstance(record, PullRequest) else record.stages


def _pairs(record: PullRequest | Task | Sample) -> Iterator[Pair]:
    for stage in _stages(record):
        if stage.withheld is not None:
            yield stage.merge_commit, stage.base_commit


def _whole(record: R, diffs: Mapping[Pair, Diff]) -> R:
    """Return a record with its patches. Raises `_OtherPatchError` if one is another."""
    if isinstance(record, PullRequest):
        return _with_patches(record, diffs)
    if isinstance(record, Task):
        stages = tuple(_with_patches(stage, diffs) for stage in record.stages)
        only = stages[0] if record.patch is not None else None
        return replace(
            record,
            stages=stages,
            patch=only.patch if only else None,
            test_patch=only.test_patch if only else None,
        )
    return replace(record, stages=tuple(_with_patches(stage, diffs) for stage in record.stages))


def _with_patches(stage: S, diffs: Mapping[Pair, Diff]) -> S:
    if stage.withheld is None:
        return stage
    diff = diffs.get((stage.merge_commit, stage.base_commit))
    if diff is None:
        raise _OtherPatchError("no clone of its repository was given; name it with --clone.")
    found = (_sha256(diff.patch), _sha256(diff.test_patch))
    if found != (stage.withheld.patch_sha256, stage.withheld.test_patch_sha256):
        raise _OtherPatchError(
            f"the clone makes another patch of {stage.base_commit}..{stage.merge_commit}; "
            "is it complete, and the same repository?"
        )
    return replace(stage, patch=diff.patch, test_patch=diff.test_patch, withheld=None)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
