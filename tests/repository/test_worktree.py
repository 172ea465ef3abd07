"""A worktree shows its state and its past, and nothing of what comes later, however one looks."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from davinci_agency.errors import DataError
from davinci_agency.repository.overlay import Overlay, open_overlay
from davinci_agency.repository.source import read_source
from davinci_agency.repository.states import States
from davinci_agency.repository.worktree import make_worktree, remove_worktree, scratch_worktree
from tests.repositories import Repository, digest_tree, run_git

FIX = "the-true-fix-7f3a"


class Scene:
    """A repository whose fix is everywhere but in its base."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository.init(folder / "source")
        for number in range(3):
            self.repository.commit(f"Step {number}", {"code.py": f"value = {number}\n"})
        self.repository.commit("Links", {"run.sh": "#!/bin/sh\n", "a folder/é.txt": "x"})
        (folder / "source" / "run.sh").chmod(0o755)
        (folder / "source" / "link").symlink_to("/etc/passwd")
        self.base = self.repository.commit("Modes")
        self.fix = self.repository.branch("fix", {"code.py": f"value = '{FIX}'\n"})
        self.repository.pull_head(7, self.fix)
        self.repository.merge("fix", message=f"Merge the fix {FIX}")
        self.repository.git("tag", "-a", "v1", "-m", FIX)
        self.repository.write({"code.py": f"stashed = '{FIX}'\n"})
        self.repository.git("stash")
        self.repository.git("gc", "--quiet")
        self.repository.commit("Later", {"later.py": FIX})


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def overlay(scene: Scene) -> Iterator[Overlay]:
    with open_overlay(read_source(scene.repository.folder)) as overlay:
        yield overlay


@pytest.fixture
def worktree(scene: Scene, overlay: Overlay, tmp_path: Path) -> Path:
    tree = States(overlay).tree_of(scene.base)
    make_worktree(overlay, scene.base, tree, tmp_path / "workspace")
    return tmp_path / "workspace"


def test_it_holds_the_state_of_its_base(scene: Scene, worktree: Path) -> None:
    assert (worktree / "code.py").read_text() == "value = 2\n"
    assert os.access(worktree / "run.sh", os.X_OK)
    assert (worktree / "link").readlink() == Path("/etc/passwd")
    assert (worktree / "a folder" / "é.txt").read_text() == "x"
    assert run_git(worktree, "status", "--porcelain") == b""
    assert run_git(worktree, "branch", "--show-current") == b"main\n"


def test_its_history_is_that_of_the_base_by_nobody(worktree: Path) -> None:
    log = run_git(worktree, "log", "--format=%s %ae").decode().splitlines()
    subjects = ["Modes", "Links", "Step 2", "Step 1", "Step 0"]
    assert log == [f"{subject} developer@example.invalid" for subject in subjects]
    assert b"Step 2" in run_git(worktree, "log", "-1", "--format=%s", "--", "code.py")


def test_an_agent_can_commit_in_it(worktree: Path) -> None:
    (worktree / "code.py").write_text("value = 3\n")
    run_git(worktree, "commit", "-qam", "Mine")
    assert b"Mine" in run_git(worktree, "log", "--oneline")


def test_the_same_state_gives_the_same_repository(
    scene: Scene, overlay: Overlay, worktree: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    make_worktree(overlay, scene.base, States(overlay).tree_of(scene.base), again)

    def contents(folder: Path) -> dict[str, str]:
        return {name: d for name, d in digest_tree(folder).items() if name != ".git/index"}

    assert contents(again) == contents(worktree)


def test_another_state_is_one_more_commit(scene: Scene, overlay: Overlay, tmp_path: Path) -> None:
    states = States(overlay)
    patch = "diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n"
    tree = states.applied(states.tree_of(scene.base), patch + "@@ -0,0 +1 @@\n+made = True\n")
    assert tree is not None
    with scratch_worktree(overlay, scene.base, tree, tmp_path) as folder:
        assert (folder / "new.py").read_text() == "made = True\n"
        log = run_git(folder, "log", "-2", "--format=%s").decode().splitlines()
        assert log == ["Start of the next step", "Modes"]
    assert list(tmp_path.iterdir()) == []


CHEATS = {
    "log": "git log --all --format=%B%H -p",
    "reflog": "git reflog --all; find .git -path '*logs*' -type f -exec cat {} +",
    "objects": "git cat-file --batch-all-objects --batch --unordered --allow-unknown-type",
    "unreachable": "git fsck --unreachable --lost-found --no-reflogs --full 2>&1",
    "alternates": "cat .git/objects/info/alternates .git/objects/info/http-alternates",
    "remotes": "git remote -v; git config --list; cat .git/config .git/FETCH_HEAD .git/packed-refs",
    "refs": "git for-each-ref; git ls-remote . ; git stash list; git notes list",
    "fetch": "git fetch --all; git pull; git fetch origin refs/pull/7/head",
    "parents": "cat ../* ../../* ../.git/* 2>/dev/null",
    "environment": "env; cat /proc/self/environ /proc/$PPID/environ",
    "worktrees": "git worktree list; git submodule status",
}


@pytest.mark.parametrize("name", list(CHEATS))
def test_looking_for_the_true_change_finds_nothing(name: str, scene: Scene, worktree: Path) -> None:
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    looked = subprocess.run(
        ["/bin/sh", "-c", CHEATS[name]], cwd=worktree, env=clean, capture_output=True, check=False
    )
    seen = looked.stdout + looked.stderr
    assert FIX.encode() not in seen
    assert scene.fix.encode() not in seen
    assert str(scene.repository.folder).encode() not in seen


def test_the_true_change_can_t_be_shown_by_its_name(scene: Scene, worktree: Path) -> None:
    tree = scene.repository.sha(f"{scene.fix}^{{tree}}")
    blob = scene.repository.sha(f"{scene.fix}:code.py")
    for name in (scene.fix, tree, blob, "v1", "refs/pull/7/head", "main@{1}", "HEAD@{upstream}"):
        shown = subprocess.run(
            ["git", "show", name], cwd=worktree, capture_output=True, check=False
        )
        assert shown.returncode != 0, name


def test_no_byte_of_the_true_change_is_on_the_disk(scene: Scene, worktree: Path) -> None:
    files = [path for path in worktree.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.suffix == ".pack" for path in files)
    for path in files:
        content = path.read_bytes()
        for marker in (FIX.encode(), zlib.compress(FIX.encode())[2:10], bytes.fromhex(scene.fix)):
            assert marker not in content, path


def test_a_partial_clone_is_told(scene: Scene, tmp_path: Path) -> None:
    scene.repository.git("config", "uploadpack.allowFilter", "true")
    bare = scene.repository.bare_clone(tmp_path / "bare", "--filter=blob:none")
    with open_overlay(read_source(bare)) as overlay:
        tree = States(overlay).tree_of(scene.base)
        with pytest.raises(DataError, match="partial"):
            make_worktree(overlay, scene.base, tree, tmp_path / "w")


def test_a_commit_that_is_not_there_is_told(overlay: Overlay, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not in the clone"):
        States(overlay).tree_of("f" * 40)


def test_sha256_repositories_work_too(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "source", object_format="sha256")
    base = repository.commit("One", {"a": "1\n"})
    with open_overlay(read_source(repository.folder)) as overlay:
        make_worktree(overlay, base, States(overlay).tree_of(base), tmp_path / "w")
    assert run_git(tmp_path / "w", "status", "--porcelain") == b""


def test_a_worktree_is_removed_whatever_was_done_to_it(tmp_path: Path) -> None:
    deep = tmp_path / "w"
    deep.mkdir()
    script = "import os\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')"
    subprocess.run([sys.executable, "-c", script], cwd=deep, check=True)
    (deep / "shut").mkdir()
    (deep / "shut" / "file").write_text("")
    (deep / "shut").chmod(0)
    (deep / "link").symlink_to(tmp_path)
    remove_worktree(deep)
    assert [path.name for path in tmp_path.iterdir()] == []
