"""Scaffolds that misbehave: shut in, recorded, and the run goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.collect import Budget, Crew, Session, Upstream, run_tasks
from davinci_agency.evaluation import Evaluation, Submission
from davinci_agency.records import SourceFormat
from davinci_agency.repository.source import read_source
from davinci_agency.sandbox import Limits, open_sandbox
from davinci_agency.stage import Summary
from tests.repositories import Repository
from tests.samples import read_lines, task, write_lines

pytestmark = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")

BEGIN = """
import json, os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
request = json.loads((folder / "request.json").read_text())

def leave():
    turns = [{"role": "user", "content": request["query"]}, {"role": "assistant", "content": "So."}]
    value = {"trajectory_format": "mini-swe-agent-1.1", "messages": turns,
             "info": {"exit_status": "Submitted", "mini_version": "0"}}
    (folder / "trajectory.traj.json").write_text(json.dumps(value))

pathlib.Path("made.txt").write_text("made")
if "good" in request["query"]:
    leave()
    sys.exit(0)
"""


@dataclass(frozen=True)
class Misbehaving:
    """A scaffold that does what a script says, but for queries with ``good`` in them."""

    driver: Path
    name: str = "misbehaving"
    version: str = "1"
    source_format: SourceFormat = "mini-swe-agent"
    trajectory: str = "trajectory.traj.json"
    pins: tuple[str, ...] = ()


@dataclass
class Accepts:
    """Takes everything that is handed in, and remembers it."""

    seen: list[Submission] = field(default_factory=list)

    def evaluate(self, submission: Submission) -> Evaluation:
        self.seen.append(submission)
        is_accepted = submission.exit_status == "Submitted" and bool(submission.patch)
        return Evaluation(is_accepted, float(is_accepted), "test", "So.", "No.")


Run = Callable[[str], tuple[Summary, list[Any], list[Any], Accepts]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-ada")
    repository = Repository.init(tmp_path / "source")
    base = repository.commit("Begin", {"code.py": "a = 1\n"})

    def run(script: str) -> tuple[Summary, list[Any], list[Any], Accepts]:
        driver = tmp_path / "drivers" / "driver.py"
        driver.parent.mkdir(exist_ok=True)
        driver.write_text(BEGIN + script)
        tasks = []
        for name, query in (("task-1", "Be bad."), ("task-2", "Be good.")):
            made = task(name)
            made["stages"][0] |= {
                "base_commit": base,
                "query": query,
                "patch": "",
                "test_patch": "",
            }
            tasks.append(made)
        accepts = Accepts()
        session = Session(
            scaffold=Misbehaving(driver),
            sandbox=open_sandbox(),
            upstream=Upstream("http://127.0.0.1:9", "m", "key-of-ada", patience=0.001),
            budget=Budget(),
            limits=Limits(3.0, 400 << 20, 1 << 20, 8 << 20, 60),
        )
        out = tmp_path / "attempts.jsonl"
        summary = run_tasks(
            [write_lines(tmp_path / "tasks.jsonl", tasks)],
            out,
            Crew(session, accepts, refinements=0),
            {tasks[0]["repo"]: read_source(repository.folder)},
            tmp_path / "runs",
        )
        notes = read_lines(tmp_path / "attempts.quarantine.jsonl")
        return summary, read_lines(out), notes, accepts

    return run


LOST = {
    "hangs": "time.sleep(1000)",
    "forks": "while True: subprocess.Popen(['sleep', '100'])",
    "fills-the-disk": "open('big', 'wb').write(b'x' * (50 << 20))",
    "fills-the-disk-bit-by-bit": "i = 0\nwhile True:\n    i += 1\n"
    "    open(f'f{i}', 'wb').write(b'x' * (1 << 20)); time.sleep(0.02)",
    "prints-without-end": "os.execvp('head', ['head', '-c', '1000000000', '/dev/zero'])",
    "eats-memory": "x = bytearray(900 << 20); time.sleep(9)",
    "exits-oddly": "sys.exit(77)",
    "is-killed": "os.kill(os.getpid(), signal.SIGSEGV)",
    "leaves-rubbish": "(folder / 'trajectory.traj.json').write_text('{')",
    "leaves-a-link": "os.symlink('/etc/passwd', folder / 'trajectory.traj.json')",
    "deletes-the-session": "import shutil; shutil.rmtree(folder, ignore_errors=True)",
}


@pytest.mark.parametrize("name", list(LOST))
def test_it_is_recorded_and_the_run_goes_on(name: str, run: Run) -> None:
    summary, attempts, notes, _ = run(LOST[name])
    assert (summary.read, summary.out, summary.quarantined) == (2, 1, 1)
    assert [attempt["task_id"] for attempt in attempts] == ["task-2"]
    assert "trajectory" in notes[0]["reason"]


def test_what_it_said_last_is_told(run: Run) -> None:
    _, _, notes, _ = run("sys.exit('\\x1b[31mthere is no bridge')")
    assert notes[0]["reason"].endswith(
        "the scaffold left no trajectory: \ufffd[31mthere is no bridge"
    )


def test_what_left_nothing_is_tried_again_once_it_can_work(run: Run) -> None:
    needs = "(pathlib.Path('/usr/share/doc') if %s else pathlib.Path('/nothing'))"
    _, _, notes, _ = run(f"assert {needs % 'False'}.exists()\nleave()")
    assert "AssertionError" in notes[0]["reason"]
    summary, attempts, _, _ = run(f"assert {needs % 'True'}.exists()\nleave()")
    assert (summary.out, len(attempts)) == (2, 2)


KEPT = {
    "deletes-git": "import shutil; shutil.rmtree('.git'); leave()",
    "plants-hooks": "os.makedirs('.git/hooks', exist_ok=True)\n"
    "open('.git/hooks/pre-commit', 'w').write('#!/bin/sh')\n"
    "subprocess.run(['git', 'config', 'core.fsmonitor', 'touch /workspace/ran'])\nleave()",
    "daemonises": "leave(); subprocess.Popen(['setsid', 'sleep', '100'])",
    "writes-elsewhere": "leave()\nfor place in ('/usr/x', '/etc/x', '/x', '/gateway/x', '../x'):\n"
    "    try: open(place, 'w')\n    except OSError: continue\n    else: sys.exit('written')",
    "shuts-its-files": "leave(); os.chmod('made.txt', 0)",
}


@pytest.mark.parametrize("name", list(KEPT))
def test_what_it_did_in_its_worktree_is_handed_in_all_the_same(name: str, run: Run) -> None:
    summary, attempts, _, accepts = run(KEPT[name])
    assert (summary.out, summary.quarantined, len(attempts)) == (2, 0, 2)
    for submission in accepts.seen:
        assert "b/made.txt" in submission.patch
        assert "ran" not in submission.patch


def test_an_attempt_that_was_cut_off_says_so(run: Run) -> None:
    _, attempts, _, accepts = run("leave(); time.sleep(1000)")
    cut = next(attempt for attempt in attempts if attempt["task_id"] == "task-1")
    assert (cut["exit_status"], cut["score"]) == ("timed-out", 0.0)
    assert accepts.seen[0].exit_status == "timed-out"


CHEATS = (
    "seen = b''\n"
    "for command in ('git log --all -p', 'git reflog --all', 'git cat-file --batch-all-objects"
    " --batch', 'cat .git/packed-refs .git/config .git/objects/info/alternates', 'env',"
    " 'cat /proc/*/environ', 'ls -laR / 2>/dev/null | head -c 3000000', 'git fetch origin',"
    " 'git ls-remote', 'cat ../*'):\n"
    "    seen += subprocess.run(command, shell=True, capture_output=True).stdout\n"
    "pathlib.Path('seen.txt').write_text(seen.decode(errors='replace'))\nleave()"
)


def test_looking_for_the_true_change_or_the_key_finds_nothing(run: Run, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "source", now=1_800_000_000)
    repository.branch("fix", {"code.py": "a = 'the-true-fix'\n"}, message="the-true-fix")
    repository.pull_head(7, repository.sha("fix"))
    _, _, _, accepts = run(CHEATS)
    patch = next(each.patch for each in accepts.seen if "seen.txt" in each.patch)
    assert "OPENAI" not in patch
    for secret in ("the-true-fix", "key-of-ada", str(tmp_path), repository.sha("fix")):
        assert secret not in patch, secret
