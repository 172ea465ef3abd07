"""Scratch worktrees for agents: a repository of their own, in one state, without the future.

Its history is the last commits up to a base, first parents only, made anew: the same trees and
messages, the authors replaced by one that is nobody. So no object, ref, remote, tag, reflog or
alternate leads to anything later, and the same state gives the same commits.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from davinci_agency.errors import DataError
from davinci_agency.repository.overlay import Overlay

DEPTH = 30
"""Commits of history: enough to see how the project words and cuts its changes."""
_NOBODY = b"developer <developer@example.invalid>"
_CONFIG = """\
[core]
    repositoryformatversion = {version}
    filemode = true
    bare = false
[user]
    name = agent
    email = agent@example.invalid
"""
_SHA256 = "[extensions]\n    objectformat = sha256\n"
_NEXT = "Start of the next step\n"
_FIELDS = "%T%x00%ct%x00%B%x00"


def make_worktree(overlay: Overlay, base_commit: str, tree: str, folder: Path) -> None:
    """Make a worktree in a folder that is not there yet.

    ``base_commit`` ends the history; where ``tree`` is not its tree, one more commit holds that.
    Raises `DataError` if objects are missing, as they are in a partial clone.
    """
    tip = _write_history(overlay, base_commit, tree)
    hidden = folder / ".git"
    for name in ("objects/pack", "objects/info", "refs/heads"):
        (hidden / name).mkdir(parents=True)
    is_sha1 = len(tip) == 40
    config = _CONFIG.format(version=0 if is_sha1 else 1) + ("" if is_sha1 else _SHA256)
    (hidden / "config").write_text(config)
    (hidden / "HEAD").write_text("ref: refs/heads/main\n")
    (hidden / "refs" / "heads" / "main").write_text(f"{tip}\n")
    _copy_objects(overlay, tip, folder)
    for arguments in (("read-tree", tip), ("checkout-index", "--all", "--force", "--index")):
        _git_in(folder, arguments)


def apply_in(folder: Path, patch: str) -> None:
    """Apply a patch to the files of a worktree that nobody has touched yet; no commit is made."""
    given = patch.encode("utf-8", "surrogateescape")
    _git_in(folder, ("apply", "--whitespace=nowarn", "--allow-empty"), given)


def remove_worktree(folder: Path) -> None:
    """Remove a folder with all that is in it, whatever was done to it."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    # These two get through any depth and see no link; Python's own stops at a thousand folders.
    subprocess.run(["chmod", "-R", "u+rwX", "--", folder], capture_output=True, check=False)
    subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)
    if folder.exists():
        raise DataError(f"{folder} can't be removed; remove it by hand.")


@contextmanager
def scratch_worktree(
    overlay: Overlay, base_commit: str, tree: str, parent: Path | None = None
) -> Iterator[Path]:
    """Give a worktree in a temporary folder, and remove it in the end. See `make_worktree`."""
    above = Path(tempfile.mkdtemp(prefix="davinci-agency-worktree-", dir=parent))
    try:
        folder = above / "workspace"
        make_worktree(overlay, base_commit, tree, folder)
        yield folder
    finally:
        remove_worktree(above)


def _write_history(overlay: Overlay, base_commit: str, tree: str) -> str:
    """Write the commits of a worktree into the overlay, and return the newest."""
    commits = _commits(overlay, base_commit)
    if commits[-1][0] != tree:
        commits.append((tree, commits[-1][1], _NEXT.encode()))
    parent = ""
    for commit_tree, seconds, message in commits:
        parents = f"parent {parent}\n" if parent else ""
        when = b"%s %s +0000" % (_NOBODY, seconds)
        content = b"tree %s\n%sauthor %s\ncommitter %s\n\n%s" % (
            commit_tree.encode(), parents.encode(), when, when, message
        )  # fmt: skip
        parent = _written(overlay, content, len(tree) == 64)
    return parent


def _commits(overlay: Overlay, base_commit: str) -> list[tuple[str, bytes, bytes]]:
    """Return tree, time and message of the last commits up to a base, oldest first."""
    arguments = (
        "log", "-z", "--first-parent", f"--max-count={DEPTH}", f"--format=format:{_FIELDS}",
        "--end-of-options", base_commit,
    )  # fmt: skip
    status, printed = overlay.answer(arguments, b"", {})
    if status:
        raise DataError(f"the commit {base_commit} is not in the clone; fetch it.")
    commits = []
    for entry in printed.split(b"\0\0"):
        if entry:
            tree, seconds, message = entry.strip(b"\0").split(b"\0", 2)
            commits.append((tree.decode(), seconds, message.strip() + b"\n"))
    return commits[::-1]


def _written(overlay: Overlay, content: bytes, is_sha256: bool) -> str:
    """Write a commit, unless it is there; return its name."""
    whole = b"commit %d\0%s" % (len(content), content)
    name = (hashlib.sha256 if is_sha256 else hashlib.sha1)(whole, usedforsecurity=False).hexdigest()
    if overlay.attempt(("cat-file", "-e", name), b"", {}) is None:
        overlay.attempt(("hash-object", "-w", "-t", "commit", "--stdin"), content, {})
    return name


def _copy_objects(overlay: Overlay, tip: str, folder: Path) -> None:
    """Put all that a commit reaches into a repository, and nothing else."""
    pack = folder.absolute() / ".git" / "objects" / "pack" / "pack"
    arguments = ("pack-objects", "--revs", "--quiet", "--threads=1", str(pack))
    if overlay.attempt(arguments, f"{tip}\n".encode(), {}) is None:
        raise DataError(
            f"the state {tip[:12]} can't be made: its files are not all in the clone. If it is "
            "partial, fetch what it lacks; if it is damaged, git fsck tells where."
        )


def _git_in(folder: Path, arguments: Sequence[str], given: bytes = b"") -> None:
    """Run git in a worktree that nobody has touched yet."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_DIR": str(folder / ".git"),
        "GIT_WORK_TREE": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "LC_ALL": "C",
    }
    git = shutil.which("git") or "git"
    ran = subprocess.run(
        [git, *arguments],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        check=False,
    )
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip()
        raise DataError(f"git {arguments[0]} could not make a worktree: {said}")
