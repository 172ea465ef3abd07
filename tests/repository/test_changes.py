"""What an agent changed is told in full, whatever it did to its repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from davinci_agency.repository.changes import LARGEST_FILE, Changes, read_changes
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import read_source
from davinci_agency.repository.states import States
from davinci_agency.repository.worktree import make_worktree, remove_worktree
from tests.repositories import Repository, run_git

FILES: dict[str, str | bytes | None] = {
    "code.py": "a = 1\nb = 2\nc = 3\n",
    "docs/readme.md": "Words.\n",
    ".gitignore": "*.log\n",
    "binary": bytes(range(256)),
}


class Work:
    """A worktree, and the states that it came from."""

    def __init__(self, states: States, start: str, folder: Path) -> None:
        self.states, self.start, self.folder = states, start, folder

    def shell(self, script: str) -> None:
        subprocess.run(["/bin/sh", "-ec", script], cwd=self.folder, check=True, capture_output=True)

    def changes(self) -> Changes:
        changes = read_changes(self.states, self.start, self.folder)
        # The law of it: the patch gives the tree.
        assert self.states.applied(self.start, changes.patch) == changes.tree
        return changes


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    repository = Repository.init(tmp_path / "source")
    base = repository.commit("Begin", FILES)
    with open_overlay(read_source(repository.folder)) as overlay:
        states = States(overlay)
        start = states.tree_of(base)
        make_worktree(overlay, base, start, tmp_path / "w")
        yield Work(states, start, tmp_path / "w")
    # pytest itself can't remove a thousand folders in one another.
    remove_worktree(tmp_path / "w")


def test_nothing_changed_is_no_patch(work: Work) -> None:
    assert work.changes() == Changes("", work.start, ())


def test_new_changed_deleted_and_committed_files_are_all_there(work: Work) -> None:
    work.shell("echo new > new.py; sed -i s/2/7/ code.py; git add -A; git commit -qm mine")
    work.shell("rm docs/readme.md; echo more > more.py; printf '\\0\\1' > binary; echo x > x.log")
    patch = work.changes().patch
    for name in ("new.py", "code.py", "docs/readme.md", "more.py", "binary"):
        assert f"diff --git a/{name} b/{name}" in patch
    assert "x.log" not in patch


def test_modes_and_links_are_kept(work: Work) -> None:
    work.shell("chmod +x code.py; ln -s /etc/shadow out; ln -s docs inner")
    patch = work.changes().patch
    assert "old mode 100644\nnew mode 100755" in patch
    assert patch.count("new file mode 120000") == 2
    assert "root" not in patch


PLANTED = {
    "deleted": "rm -rf .git",
    "replaced": "rm -rf .git; ln -s / .git",
    "file": "rm -rf .git; echo 'gitdir: /nowhere' > .git",
    "hook": "mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch $HOME/ran' > .git/hooks/pre-commit;"
    " chmod +x .git/hooks/pre-commit",
    "fsmonitor": "git config core.fsmonitor 'touch ran; false'; git config core.worktree /",
    "filter": "git config filter.x.clean 'touch ran; cat';"
    " echo '* filter=x diff=x' > .gitattributes;"
    " git config diff.x.command 'touch ran'; git config diff.x.textconv 'touch ran; cat'",
    "ignored": "mkdir .git/info; echo '*' > .git/info/exclude",
    "skipped": "git update-index --skip-worktree code.py;"
    " git update-index --assume-unchanged docs/readme.md",
    "index": "echo broken > .git/index",
}


@pytest.mark.parametrize("name", list(PLANTED))
def test_what_is_planted_in_its_repository_neither_runs_nor_hides(work: Work, name: str) -> None:
    work.shell(PLANTED[name])
    work.shell("echo 'd = 4' >> code.py")
    patch = work.changes().patch
    assert "+d = 4" in patch
    assert not (work.folder / "ran").exists()


def test_this_machine_s_settings_hide_nothing(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "excludes").write_text("*.py\n")
    config = tmp_path / "config"
    config.write_text(f"[core]\n excludesFile = {tmp_path}/excludes\n autocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    work.shell("unset GIT_DIR; printf 'd = 4\\r\\n' > new.py")
    assert "+d = 4\r\n" in work.changes().patch


def test_a_repository_inside_is_a_folder(work: Work) -> None:
    work.shell(
        "mkdir inner; cd inner; git init -q; echo x > x; git add x;"
        "git -c user.name=a -c user.email=a commit -qm x"
    )
    assert "diff --git a/inner/x b/inner/x" in work.changes().patch


def test_what_can_t_be_taken_in_is_named(work: Work) -> None:
    work.shell(f"truncate -s {LARGEST_FILE + 1} huge; mkfifo pipe; echo x > small")
    changes = work.changes()
    assert set(changes.left_out) == {"huge", "pipe"}
    assert "small" in changes.patch


def test_text_that_is_not_utf_8_is_left_out_and_named(work: Work) -> None:
    work.shell("printf 'caf\\351\\n' > latin.txt; echo x > small; printf 'z\\377\\n' >> code.py")
    changes = work.changes()
    assert set(changes.left_out) == {"latin.txt", "code.py"}
    assert "small" in changes.patch


def test_what_it_shut_is_opened(work: Work) -> None:
    work.shell("mkdir shut; echo x > shut/x; echo y > y; chmod 0 y shut/x shut")
    patch = work.changes().patch
    assert "b/shut/x" in patch
    assert "b/y" in patch


def test_odd_names_are_kept(work: Work) -> None:
    for name in ("a\nb", 'quo"te', "tab\t", "-n", ":(top)x", "*", "ü"):
        (work.folder / name).write_text("x\n")
    (work.folder / os.fsdecode(b"\xff")).write_text("x\n")
    assert work.changes().patch.count("new file mode") == 8


def test_folders_without_end_do_no_harm(work: Work) -> None:
    work.shell("echo x > x")
    script = "import os\nfor _ in range(2500): os.mkdir('dd'); os.chdir('dd')\nopen('y', 'w')"
    subprocess.run([sys.executable, "-c", script], cwd=work.folder, check=True)
    changes = work.changes()
    assert "b/x" in changes.patch
    assert len(changes.left_out) == 1
    assert changes.left_out[0].startswith("dd/dd")


LINES = st.lists(st.sampled_from(["", "a", "é", "x = 1", "+", "-- ", "\r", "\t"]), max_size=4)
TEXTS = st.tuples(LINES, st.booleans()).map(lambda made: "\n".join(made[0]) + "\n" * made[1])
PATHS = st.sampled_from(["code.py", "docs/readme.md", "new", "docs/new", "code.py/inside", "a b"])


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(PATHS, st.none() | TEXTS, max_size=4))
def test_a_patch_gives_the_tree_whatever_was_changed(
    work: Work, files: dict[str, str | None]
) -> None:
    for name, text in files.items():
        path = work.folder / name
        for parent in reversed(path.relative_to(work.folder).parents):
            if (work.folder / parent).is_file():
                (work.folder / parent).unlink()
        if path.is_dir():
            continue
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    work.changes()
    run_git(work.folder, "reset", "-q", "--hard")
    run_git(work.folder, "clean", "-qfdx")
