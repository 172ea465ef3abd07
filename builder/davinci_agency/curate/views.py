"""What curation sees of a record, so that it need not be held or read again; pure.

A view is some kilobytes: what rules about single records say, what duplicates are found by, and
what splits are tied by. It is made of the record as it will be written, without its secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import xxhash

from davinci_agency.curate.hunks import changed_lines
from davinci_agency.curate.patch_ids import patch_id
from davinci_agency.curate.sketches import Sketch, sketch
from davinci_agency.curate.words import Hashes, read_words, word_hashes
from davinci_agency.records import Attempt, Kind, PullRequest, Split, Stage, Task, to_json
from davinci_agency.texts import Texts

Reason = tuple[str, str, float | None]
"""A rule, the reason for a person, and the measure if there is one."""

_REMOVED = np.uint64(0xA5A5A5A5A5A5A5A5)
"""Tells words of removed lines from those of added ones: a revert is no copy of what it reverts."""
_LEAST_WORDS = 16
"""Fewer words of a query say too little to tell it from others."""


@dataclass(frozen=True, slots=True, eq=False)
class PullView:
    """What is seen of a pull request.

    Attributes:
        reasons: the rules that it breaks by itself.
        redacted: replaced secrets by rule.
        issues: the issues that it closes, ``owner/name#number``.
        patch_id: of its patch, or of its test patch where there is no other; ``None`` without both.
        words: the hashes of the words of its texts and patches, if a benchmark's are looked for.
    """

    key: str
    repo: str
    number: int
    merged_at: datetime
    backport_of: int | None
    stacked_on: int | None
    gaps: int
    issues: tuple[str, ...]
    patch_id: str | None
    sketch: Sketch
    grams: tuple[int, ...]
    digest: bytes
    split: Split | None
    reasons: tuple[Reason, ...]
    redacted: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class TaskView:
    """What is seen of a task.

    Attributes:
        members: the keys of its pull requests, in order.
        outline: the task without its patches and texts, for the rules about attempts; as JSON,
            since hardly anybody reads it.
    """

    key: str
    repo: str
    kind: Kind
    members: tuple[str, ...]
    merged_at: datetime
    patch_ids: tuple[str | None, ...]
    patches: Sketch
    queries: Sketch | None
    grams: tuple[int, ...]
    digest: bytes
    split: Split | None
    split_group: str
    outline: bytes
    reasons: tuple[Reason, ...]
    redacted: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class AttemptView:
    """What is seen of an attempt.

    Attributes:
        digest: of what was said, by whom and in which order.
        skeleton: of the same without times and temporary names.
        rank: what is better comes first: score, tests, stages.
    """

    key: str
    task_id: str
    digest: bytes
    skeleton: bytes
    sketch: Sketch
    rank: tuple[float, ...]
    split: Split | None
    reasons: tuple[Reason, ...]
    redacted: Mapping[str, int]


def changes(patches: Sequence[str]) -> Hashes:
    """Return the hashes of the words on changed lines, those of removed lines as others."""
    lines = [changed_lines(patch.encode()) for patch in patches]
    added, removed = (b"".join(part) for part in zip(*lines, strict=True))
    return np.concatenate([word_hashes(added), word_hashes(removed) ^ _REMOVED])


def stage_patch_id(stage: PullRequest | Stage) -> str | None:
    """Return the identity of a change, by which its copies are known."""
    return patch_id(stage.patch) or patch_id(stage.test_patch)


def digest(strings: Sequence[str]) -> bytes:
    """Return a digest of some strings in order."""
    hasher = xxhash.xxh3_128()
    for string in strings:
        raw = string.encode()
        hasher.update(len(raw).to_bytes(8, "little"))
        hasher.update(raw)
    return hasher.digest()


def pull_key(repo: str, number: int) -> str:
    """Return what a pull request is called: ``owner/name#number``."""
    return f"{repo}#{number}"


def view_pull(
    pull: PullRequest,
    grams: tuple[int, ...],
    reasons: tuple[Reason, ...],
    redacted: Mapping[str, int],
) -> PullView:
    """Return what is seen of a pull request."""
    return PullView(
        key=pull.identity,
        repo=pull.repo,
        number=pull.number,
        merged_at=pull.merged_at,
        backport_of=pull.backport_of,
        stacked_on=pull.stacked_on,
        gaps=len(pull.gaps),
        issues=tuple(pull_key(issue.repo, issue.number) for issue in pull.closes),
        patch_id=stage_patch_id(pull),
        sketch=sketch(changes([pull.patch, pull.test_patch])),
        grams=grams,
        digest=digest([pull.patch, pull.test_patch]),
        split=pull.split,
        reasons=reasons,
        redacted=redacted,
    )


def view_task(
    task: Task,
    grams: tuple[int, ...],
    reasons: tuple[Reason, ...],
    redacted: Mapping[str, int],
) -> TaskView:
    """Return what is seen of a task."""
    patches = [patch for stage in task.stages for patch in (stage.patch, stage.test_patch)]
    queries = [stage.query for stage in task.stages]
    words = word_hashes("\n".join(queries).encode())
    return TaskView(
        key=task.task_id,
        repo=task.repo,
        kind=task.kind,
        members=tuple(pull_key(task.repo, stage.number) for stage in task.stages),
        merged_at=max(stage.merged_at for stage in task.stages),
        patch_ids=tuple(stage_patch_id(stage) for stage in task.stages),
        patches=sketch(changes(patches)),
        queries=sketch(words) if np.unique(words).size >= _LEAST_WORDS else None,
        grams=grams,
        digest=digest([*queries, *patches, *(str(stage.withheld) for stage in task.stages)]),
        split=task.split,
        split_group=task.split_group,
        outline=to_json(_outline(task)),
        reasons=reasons,
        redacted=redacted,
    )


def _outline(task: Task) -> Task:
    stages = tuple(replace(stage, patch="", test_patch="", query="") for stage in task.stages)
    return replace(
        task, stages=stages, edges=(), patch=None, test_patch=None, problem_statement=None
    )


def view_attempt(
    attempt: Attempt,
    texts: Texts,
    reasons: tuple[Reason, ...],
    redacted: Mapping[str, int],
) -> AttemptView:
    """Return what is seen of an attempt, given its texts."""
    text = texts.beginning()
    words = read_words(text)
    # The lengths too: a NUL may be anybody's.
    lengths = np.fromiter(map(len, texts.parts), np.uint64, texts.said)
    hasher = xxhash.xxh3_128(lengths.tobytes())
    hasher.update(text)
    return AttemptView(
        key=attempt.attempt_id,
        task_id=attempt.task_id,
        digest=hasher.digest(),
        skeleton=words.skeleton.to_bytes(16, "little"),
        sketch=sketch(words.hashes),
        rank=(
            -1.0 if attempt.score is None else attempt.score,
            {True: 1.0, None: 0.5, False: 0.0}[attempt.resolved],
            float(len(attempt.stages)),
        ),
        split=attempt.split,
        reasons=reasons,
        redacted=redacted,
    )
