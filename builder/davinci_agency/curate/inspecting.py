"""One record at a time: its secrets replaced, rules about it asked, and a view of it kept; pure.

The inspectors run in several processes, so they hold everything that they need to know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from davinci_agency.curate.finding import Run
from davinci_agency.curate.gathering import attempt_texts
from davinci_agency.curate.outlines import Outlines
from davinci_agency.curate.redaction import redact, without_logins
from davinci_agency.curate.standards import Standards
from davinci_agency.curate.trajectories import ATTEMPT_RULES
from davinci_agency.curate.views import (
    AttemptView,
    PullView,
    Reason,
    TaskView,
    view_attempt,
    view_pull,
    view_task,
)
from davinci_agency.parsing import find_faults
from davinci_agency.records import (
    Attempt,
    PullRequest,
    Record,
    Stage,
    Task,
    TaskStage,
    Withheld,
    to_json,
    to_row,
)
from davinci_agency.secrets import Secret
from davinci_agency.surveying import Seen
from davinci_agency.texts import Texts, texts_of

R = TypeVar("R", PullRequest, Task, Attempt)
S = TypeVar("S", PullRequest, TaskStage)


@dataclass(frozen=True, slots=True)
class PullInspector:
    """Looks at a pull request."""

    standards: Standards

    def __call__(self, pull: PullRequest) -> Seen[PullView]:
        """Return what is seen of it, and its line if it changed."""
        new, _, counts, broken = _without_secrets(pull, self.standards, texts_of)
        people = {pull.author_id, pull.login_id, *(c.author_id for c in pull.commits)}
        reasons: list[Reason] = []
        if not people.isdisjoint(self.standards.opted_out):
            reasons.append(("opted-out", "an author wants no part in it", None))
        if not self.standards.withhold:
            reasons += self.standards.license_reasons(pull.license)
        reasons += [*self.standards.benchmark_reasons(pull.repo, [pull]), *broken]
        last = without_patches(new, pull) if self.standards.withholds(pull.license) else new
        grams = self.standards.grams_in([last.title, last.body, last.patch, last.test_patch])
        return Seen(view_pull(new, grams, tuple(reasons), counts), _line(pull, last))


@dataclass(frozen=True, slots=True)
class TaskInspector:
    """Looks at a task."""

    standards: Standards

    def __call__(self, task: Task) -> Seen[TaskView]:
        """Return what is seen of it, and its line if it changed."""
        new, _, counts, broken = _without_secrets(task, self.standards, texts_of)
        reasons: list[Reason] = []
        if not self.standards.withhold:
            reasons += self.standards.license_reasons(task.license)
        reasons += [*self.standards.benchmark_reasons(task.repo, task.stages), *broken]
        last = _withheld(new, task) if self.standards.withholds(task.license) else new
        texts = [
            text for stage in last.stages for text in (stage.query, stage.patch, stage.test_patch)
        ]
        view = view_task(new, self.standards.grams_in(texts), tuple(reasons), counts)
        return Seen(view, _line(task, last))


def _withheld(task: Task, whole: Task) -> Task:
    """Return a task without the code of its stages."""
    stages = tuple(
        without_patches(stage, old) for stage, old in zip(task.stages, whole.stages, strict=True)
    )
    gone = None if task.patch is None else ""
    return replace(task, stages=stages, patch=gone, test_patch=gone)


@dataclass(frozen=True, slots=True)
class AttemptInspector:
    """Looks at an attempt; ``tasks`` are those that there may be attempts at."""

    standards: Standards
    tasks: Outlines

    def __call__(self, attempt: Attempt) -> Seen[AttemptView]:
        """Return what is seen of it, and its line if it changed."""
        new, texts, counts, broken = _without_secrets(attempt, self.standards, attempt_texts)
        reasons: list[Reason] = []
        task = self.tasks.get(attempt.task_id)
        if task is not None:
            if self.standards.withholds(task.license):
                reasons += self.standards.license_reasons(task.license)
            reasons += broken
            # Of what is written, so that nothing is quoted that was taken out.
            reasons += self._quality(new, task)
        return Seen(view_attempt(new, texts, tuple(reasons), counts), _line(attempt, new))

    def _quality(self, attempt: Attempt, task: Task) -> Iterator[Reason]:
        run = Run(attempt, task, self.standards.limits)
        for name, rule in ATTEMPT_RULES.items():
            if name in self.standards.choice.on:
                finding = rule(run)
                if finding is not None:
                    yield name, *finding


def _without_secrets(
    record: R, standards: Standards, gather: Callable[[R], Texts]
) -> tuple[R, Texts, Mapping[str, int], tuple[Reason, ...]]:
    """Return a record without secrets: its strings, what was replaced, the reason if it broke.

    A record whose own name holds one, or that is none any more without it, stays as it is: it goes.
    """
    redacted = redact(record, gather, standards.kinds)
    new, texts, broken = redacted.record, redacted.texts, redacted.broken
    if new is not record and (
        new.sort_key != record.sort_key
        or new.identity != record.identity
        or find_faults(to_row(new), record.RECORD)
    ):
        new, texts, broken = record, gather(record), broken or redacted.last
    if standards.logins:
        new = _without_logins(new)
    return new, texts, redacted.counts, _broken(broken)


def _broken(secret: Secret | None) -> tuple[Reason, ...]:
    if secret is None:
        return ()
    rule = "secrets" if secret.kind == "secret" else "people"
    return ((rule, f"a patch can't do without what looks like a value of {secret.rule}", None),)


def _without_logins(record: R) -> R:
    """Return a record whose prose mentions no accounts; code may mean something else by an @."""
    if isinstance(record, PullRequest):
        return replace(
            record,
            title=without_logins(record.title),
            body=without_logins(record.body),
            commits=tuple(
                replace(commit, message=without_logins(commit.message)) for commit in record.commits
            ),
            closes=tuple(
                replace(issue, title=without_logins(issue.title), body=without_logins(issue.body))
                for issue in record.closes
            ),
            discussion=tuple(
                replace(remark, body=without_logins(remark.body)) for remark in record.discussion
            ),
        )
    if isinstance(record, Task):
        stages = tuple(
            replace(stage, title=without_logins(stage.title), query=without_logins(stage.query))
            for stage in record.stages
        )
        return replace(record, stages=stages)
    return record


def without_patches(stage: S, whole: PullRequest | Stage) -> S:
    """Return a stage without its patches, but with the digests of those of the ``whole`` one."""
    withheld = whole.withheld or Withheld(_sha256(whole.patch), _sha256(whole.test_patch))
    return replace(stage, patch="", test_patch="", withheld=withheld)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _line(old: Record, new: Record) -> bytes | None:
    return None if new is old else to_json(new)
