"""The tests of a pull request, run: on what was before it, on what it made, on what an agent made.

They prove something only if they fail before and pass after, so both are tried first, and all are
run twice: what says now this and now that says nothing. The agent never sees them: they are laid
over what it made, in place of its own versions. What was found is kept by what it depends on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from davinci_agency.errors import DataError
from davinci_agency.evaluation import Submission, Tree, is_cumulative, true_stages
from davinci_agency.files import atomic_file
from davinci_agency.ids import content_digest
from davinci_agency.paths import paths_of_tests, runnable_tests
from davinci_agency.records import ExecutionStatus
from davinci_agency.repository.carrying import true_states
from davinci_agency.repository.worktree import scratch_worktree
from davinci_agency.sandbox import Ended, Job, Limits, Mount, Sandbox

TESTS = "{tests}"
"""The word of a command that stands for the files of a pull request's tests."""
_WORKSPACE = "/workspace"
_RUNS = 2
_TOLD = 4_000
"""Characters of output that are kept."""


@dataclass(frozen=True, slots=True)
class TestCommand:
    """How a project's tests are run.

    Attributes:
        words: the command, read by no shell; ``{tests}`` stands for the pull request's files.
        sandbox, limits: what shuts it in.
        mounts: what of this machine it sees, such as the project's dependencies.
        environment: variables that it gets.
        kept: the folder that keeps what was found.
    """

    __test__ = False  # Says to pytest that this is none of its classes.

    words: tuple[str, ...]
    sandbox: Sandbox
    kept: Path
    limits: Limits = field(default_factory=Limits)
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Executed:
    """What the tests say, and why."""

    status: ExecutionStatus
    reason: str


class _Ran(msgspec.Struct, frozen=True):
    """One run: whether it passed, how it ended, and the end of what it printed."""

    passed: bool
    ended: str
    output: str


def execute(command: TestCommand, submission: Submission, made: Tree) -> Executed:
    """Return what the stage's own tests say of what an agent made."""
    stage, states = submission.stage, made.states
    tests = runnable_tests(stage.files)
    if TESTS in command.words and not tests:
        return Executed("not-runnable", "the pull request has no tests")
    truth = true_stages(submission.task)[: submission.place + 1]
    paths = paths_of_tests(stage.files)
    try:
        true = true_states(states, truth, cumulative=is_cumulative(submission.task))
        before = states.with_files(true.before, true.after, paths)
        work = states.with_files(made.name, true.after, paths)
    except DataError as error:
        return Executed("not-runnable", str(error))
    commit = submission.task.stages[0].base_commit
    for tree, should_pass, what in (
        (true.after, True, "with the true change"),
        (before, False, "without any change"),
    ):
        ran = _steady(command, Tree(states, tree), commit, tests, is_truth=should_pass)
        if ran is None:
            return Executed("not-runnable", f"its tests say now this, now that {what}")
        if ran.passed != should_pass:
            found = "pass" if ran.passed else f"do not pass ({ran.ended})"
            return Executed("not-runnable", f"its tests {found} {what}")
    ran = _steady(command, Tree(states, work), commit, tests)
    if ran is None:
        return Executed("failed", "its tests say now this, now that")
    if ran.passed:
        return Executed("passed", "its tests fail before, and pass")
    return Executed("failed", f"its tests do not pass ({ran.ended})")


def _steady(
    command: TestCommand, tree: Tree, commit: str, tests: Sequence[str], *, is_truth: bool = False
) -> _Ran | None:
    """Return how the tests end on a tree; ``None`` if not always the same."""
    runs = [_run_once(command, tree, commit, tests, number, is_truth) for number in range(_RUNS)]
    return runs[0] if len({run.passed for run in runs}) == 1 else None


def _run_once(
    command: TestCommand, tree: Tree, commit: str, tests: Sequence[str], number: int, is_truth: bool
) -> _Ran:
    key = content_digest(
        [
            [*command.words, *tests],
            [command.sandbox.name, sorted(command.environment.items())],
            [[str(mount.source), mount.target] for mount in command.mounts],
            [command.limits.seconds, command.limits.memory],
            [tree.name, number],
        ]
    )
    kept = command.kept / f"{key[:32]}.json"
    if kept.is_file():
        return msgspec.json.decode(kept.read_bytes(), type=_Ran)
    ran = _run(command, tree, commit, tests)
    if ran.passed or not is_truth:
        # Where the truth fails, what it is run with may be mended, so that is tried again.
        kept.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(kept) as file:
            file.write(msgspec.json.encode(ran))
    return ran


def _run(command: TestCommand, tree: Tree, commit: str, tests: Sequence[str]) -> _Ran:
    words = [part for word in command.words for part in (tests if word == TESTS else (word,))]
    with scratch_worktree(tree.states.overlay, commit, tree.name) as folder:
        inside = str(folder) if command.sandbox.name == "local" else _WORKSPACE
        ended = command.sandbox.run(
            Job(
                command=tuple(words),
                cwd=inside,
                mounts=(*command.mounts, Mount(folder, inside, writable=True)),
                environment={"LANG": "C.UTF-8", **command.environment},
            ),
            command.limits,
        )
    printed = (ended.stdout + ended.stderr).decode(errors="replace")
    return _Ran(ended.reason == "exited" and ended.status == 0, _told(ended), printed[-_TOLD:])


def _told(ended: Ended) -> str:
    return f"status {ended.status}" if ended.reason == "exited" else ended.reason
