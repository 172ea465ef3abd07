"""A pull request's own tests, run for real: they count only if they fail before and pass after."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from davinci_agency.evaluate import TestCommand
from davinci_agency.evaluate.execution import Executed, execute
from davinci_agency.evaluation import Submission, Tree
from davinci_agency.paths import runnable_tests
from davinci_agency.records import ChangedFile, TaskStage
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import read_source
from davinci_agency.repository.states import States
from davinci_agency.sandbox import Ended, Job, Limits, Mount, open_sandbox
from tests.evaluate.support import asked, task_of
from tests.repositories import Repository

pytestmark = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")

ADD = "def add(a, b):\n    return a + b\n"
TEST = "import unittest\n\nfrom code_here import add\n\n\nclass Adding(unittest.TestCase):\n{}"
OLD_CASE = "    def test_old(self):\n        self.assertTrue(add)\n"
CASE = "    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n"
WRONG = {"code_here.py": "add = None\n", "tests/test_add.py": TEST.format(OLD_CASE)}
TRUE = {"code_here.py": ADD, "tests/test_add.py": TEST.format(CASE), "tests/data.json": "{}\n"}


class Project:
    """A repository with one pull request, and what runs its tests."""

    def __init__(self, folder: Path, states: States, repository: Repository) -> None:
        self.folder = folder
        self.states = states
        self.repository = repository
        self.base = repository.sha()

    def stage(self, files: dict[str, str]) -> TaskStage:
        """Return a pull request that changes files, as a stage."""
        merge = self.repository.commit("Change", files)
        patches = [
            self.repository.git("diff", "--binary", "--full-index", self.base, merge, "--", *paths)
            for paths in (["code_here.py"], ["tests"])
        ]
        patch, test_patch = (f"{text}\n" if text else "" for text in patches)
        changed = tuple(
            ChangedFile(path, None, "modified", 1, 1, path.startswith("tests"), None)
            for path in files
        )
        return replace(
            asked(), base_commit=self.base, patch=patch, test_patch=test_patch, files=changed
        )

    def made(self, files: dict[str, str | None]) -> Tree:
        """Return what an agent made of the base."""
        self.repository.git("checkout", "-q", "-B", "agent", self.base)
        commit = self.repository.commit("Work", files)
        return Tree(self.states, self.states.tree_of(commit))

    def command(self, *words: str, seconds: float = 20.0) -> TestCommand:
        """Return how its tests are run: by this Python, where the machine's own is not enough."""
        words = words or (sys.executable, "-m", "unittest", "{tests}")
        seen = {Path(sys.prefix), Path(sys.base_prefix)}
        mounts = tuple(Mount(path, str(path)) for path in sorted(seen))
        return TestCommand(
            words, open_sandbox(), self.folder / "kept", Limits(seconds=seconds), mounts
        )


@contextmanager
def project(folder: Path) -> Iterator[Project]:
    repository = Repository.init(folder / "source")
    repository.commit("Begin", WRONG)
    with open_overlay(read_source(repository.folder)) as overlay:
        yield Project(folder, States(overlay), repository)


def executed(made: Project, stage: TaskStage, tree: Tree, command: TestCommand) -> Executed:
    return execute(command, Submission(task_of(stage), 0, ""), tree)


def test_work_is_held_against_the_true_tests_whatever_it_did_to_its_own(tmp_path: Path) -> None:
    with project(tmp_path) as made:
        stage = made.stage(TRUE)
        command = made.command()
        good = made.made({"code_here.py": "def add(*numbers):\n    return sum(numbers)\n"})
        tried = executed(made, stage, good, command)
        assert tried.status == "passed", tried.reason
        # A test that always passes, or none at all, is of no help.
        for test in ("import unittest\n", None):
            cheat = made.made({"tests/test_add.py": test, "other.py": f"x = {test!r}\n"})
            tried = executed(made, stage, cheat, command)
            assert (tried.status, tried.reason) == (
                "failed",
                "its tests do not pass (status 1)",
            )


def test_what_was_run_is_not_run_again(tmp_path: Path) -> None:
    with project(tmp_path) as made:
        stage, tree, command = made.stage(TRUE), made.made({"code_here.py": ADD}), made.command()
        first = executed(made, stage, tree, command)
        kept = sorted(command.kept.iterdir())
        # What it made is, with the true tests, the true state: so two runs for each of two trees.
        assert len(kept) == 4
        without = replace(command, sandbox=_Refuses())
        assert executed(made, stage, tree, without) == first


def test_what_was_not_there_to_run_them_with_is_tried_again(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    with project(tmp_path) as made:
        stage, tree = made.stage(TRUE), made.made({"code_here.py": ADD})
        command = made.command("/tools/run", "{tests}")
        command = replace(command, mounts=(*command.mounts, Mount(tools, "/tools")))
        assert executed(made, stage, tree, command).status == "not-runnable"
        program = tools / "run"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m unittest "$@"\n')
        program.chmod(0o755)
        assert executed(made, stage, tree, command).status == "passed"


class _Refuses:
    """A sandbox that may not be used."""

    name = "bubblewrap"

    def run(
        self, job: Job, limits: Limits, should_stop: Callable[[], bool] = lambda: False
    ) -> Ended:
        raise AssertionError("it was run again")


@pytest.mark.parametrize(
    ("change", "words", "reason"),
    [
        ({"code_here.py": ADD}, (), "the pull request has no tests"),
        ({**TRUE, "code_here.py": "add = 3\n"}, (), "do not pass (status 1) with the true change"),
        ({**TRUE, "tests/test_add.py": "x = 1\n"}, ("true",), "its tests pass without any change"),
        (TRUE, ("not-a-program",), "with the true change"),
        (TRUE, ("sleep", "30"), "do not pass (timed-out) with the true change"),
    ],
)
def test_tests_that_prove_nothing_say_nothing(
    change: dict[str, str], words: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    with project(tmp_path) as made:
        command = made.command(*words, seconds=2.0)
        tried = executed(made, made.stage(change), made.made({"x": "y\n"}), command)
        assert tried.status == "not-runnable"
        assert reason in tried.reason


def test_tests_that_say_now_this_now_that_say_nothing(tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.mkdir()
    (count / "n").write_text("0")
    script = "n=$(cat /count/n); echo $((n + 1)) > /count/n; test $((n % 2)) = 0"
    with project(tmp_path) as made:
        command = made.command("sh", "-c", script)
        command = replace(command, mounts=(Mount(count, "/count", writable=True),))
        tried = executed(made, made.stage(TRUE), made.made({"x": "y\n"}), command)
        assert tried == Executed(
            "not-runnable", "its tests say now this, now that with the true change"
        )


def test_files_that_are_no_programs_are_not_named_and_none_is_an_option() -> None:
    files = (
        ChangedFile("tests/data.json", None, "added", 1, 0, True, None),
        ChangedFile("-rm/tests/test_a.py", None, "added", 1, 0, True, None),
        ChangedFile("tests/test_gone.py", None, "deleted", 0, 1, True, None),
        ChangedFile("code.py", None, "modified", 1, 0, False, None),
    )
    assert runnable_tests(files) == ["./-rm/tests/test_a.py"]
