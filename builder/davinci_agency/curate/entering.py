"""What was seen of records, entered into the register: in the order of the records."""

from __future__ import annotations

from collections.abc import Iterable

import xxhash

from davinci_agency.curate.register import Register, Sketched, micros
from davinci_agency.curate.sketches import Sketch
from davinci_agency.curate.views import AttemptView, PullView, TaskView, digest, pull_key
from davinci_agency.ledger import Key, ordered
from davinci_agency.records import Attempt, PullRequest, RecordName, Split, Task


def enter_pulls(register: Register, views: Iterable[PullView]) -> None:
    """Enter pull requests."""
    for place, view in enumerate(views):
        others = [n for n in (view.backport_of, view.stacked_on) if n is not None]
        backport_of = view.backport_of
        merged_at = micros(view.merged_at)
        own = _enter(
            register, PullRequest.RECORD, place, view, view.repo,
            split=view.split,
            merged_at=merged_at,
            original=None if backport_of is None else pull_key(view.repo, backport_of),
            # Better is an original, with fewer gaps, older.
            rank=(backport_of is not None, view.gaps, merged_at, view.repo, view.number),
            exact=view.digest, loose=view.patch_id,
        )  # fmt: skip
        _tie(register, own, (f"issue:{issue.lower()}" for issue in view.issues))
        _tie(register, own, (pull_key(view.repo, number) for number in others))
        register.insert("gram", ((view.key, gram, own) for gram in view.grams))
        _sketch(register, "sketch", own, view.sketch)


def enter_tasks(register: Register, views: Iterable[TaskView]) -> None:
    """Enter tasks."""
    for place, view in enumerate(views):
        merged_at = micros(view.merged_at)
        ids = [patch_id for patch_id in view.patch_ids if patch_id is not None]
        own = _enter(
            register, Task.RECORD, place, view, view.repo,
            kind=view.kind,
            split=view.split,
            split_group=view.split_group,
            merged_at=merged_at,
            members=len(set(view.members)),
            # Better is longer, older.
            rank=(-len(view.members), merged_at, view.key),
            exact=view.digest, loose=digest(ids) if len(ids) == len(view.patch_ids) else None,
        )  # fmt: skip
        members = ((own, position, pull) for position, pull in enumerate(view.members))
        register.insert("member", members)
        register.insert("gram", ((view.members[0], gram, own) for gram in view.grams))
        _sketch(register, "sketch", own, view.patches)
        if view.queries is not None:
            _sketch(register, "query_sketch", own, view.queries)


def enter_attempts(register: Register, views: Iterable[AttemptView]) -> None:
    """Enter attempts, behind all tasks; those at none of them are left out."""
    for place, view in enumerate(views):
        tasks = register.rows(
            "SELECT id, repo FROM record WHERE record = ? AND key = ?",
            Task.RECORD, view.task_id,
        )  # fmt: skip
        for task, repo in list(tasks):
            own = _enter(
                register, Attempt.RECORD, place, view, repo,
                task=task,
                split=view.split,
                # Better is a higher score, passed tests, more stages.
                rank=(*(-value for value in view.rank), view.key),
                exact=view.digest, loose=view.task_id.encode() + view.skeleton,
            )  # fmt: skip
            _sketch(register, "sketch", own, view.sketch)


def _enter(
    register: Register,
    record: RecordName,
    place: int,
    view: PullView | TaskView | AttemptView,
    repo: str,
    *,
    rank: Key,
    exact: bytes,
    loose: str | bytes | None,
    kind: str | None = None,
    task: int | None = None,
    split: Split | None = None,
    split_group: str | None = None,
    merged_at: int | None = None,
    members: int | None = None,
    original: str | None = None,
) -> int:
    """Enter a record, and return its number; they ascend."""
    own = register.add(
        record, place, view.key, repo, kind, task, split, split_group, merged_at, members,
        original, ordered(rank), exact, loose,
    )  # fmt: skip
    register.insert("reason", ((own, *reason) for reason in view.reasons))
    register.replaced.update(view.redacted)
    return own


def _tie(register: Register, own: int, names: Iterable[str]) -> None:
    register.insert("tie", ((own, name) for name in names))


def _sketch(register: Register, table: Sketched, own: int, sketch: Sketch) -> None:
    words, words_rate, pairs, pairs_rate = stored = sketch.stored
    count = sketch.words.values.size
    least = min(count, sketch.pairs.values.size)
    sizes = b"%d %d %d " % (words_rate, pairs_rate, count)
    content = xxhash.xxh3_128_digest(sizes + words + pairs)
    register.insert(table, [(own, *stored, least, content)])
