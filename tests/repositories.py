"""Real git repositories, made in a temporary folder, the same on every machine.

Dates are fixed, and git sees nobody's configuration. The tests of this module are in
``tests/mine/test_repositories.py``.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BEGIN = 1_704_067_200
"""The first of January 2024: the time of the first commit; each one after it is an hour later."""

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "TZ": "UTC",
}

Content = str | bytes | None
"""What a file holds; ``None`` removes it."""


def environment() -> dict[str, str]:
    """Return this process's environment without anything that changes what git does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, **_ENVIRONMENT}


def run_git(
    folder: Path, *arguments: str | Path, stdin: bytes = b"", more: Mapping[str, str] | None = None
) -> bytes:
    """Run git in a folder and return what it prints; a failure says what git said."""
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=False,
        env={**environment(), **(more or {})},
    )
    assert done.returncode == 0, (arguments, done.stderr.decode(errors="replace"))
    return done.stdout


def email_of(author: str) -> str:
    """Return the address of an author of these tests."""
    return f"{author.lower().replace(' ', '.')}@example.org"


def digest_tree(folder: Path) -> dict[str, str]:
    """Return a digest of every file below a folder, and the target of every link."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            digests[name] = str(path.readlink())
        elif path.is_file():
            digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            digests[name] = "folder"
    return digests


@dataclass(slots=True)
class Repository:
    """A repository under construction, with a work tree and the branch ``main``.

    Attributes:
        folder: the work tree.
        now: the time of the next commit, in seconds since 1970.
    """

    folder: Path
    now: int = BEGIN

    @classmethod
    def init(cls, folder: Path, *, object_format: str = "sha1") -> Repository:
        """Make an empty repository."""
        folder.mkdir(parents=True, exist_ok=True)
        run_git(folder, "init", "-q", "-b", "main", f"--object-format={object_format}")
        return cls(folder)

    def git(
        self,
        *arguments: str | Path,
        author: str = "Ada",
        authored: int | None = None,
        stdin: bytes = b"",
    ) -> str:
        """Run git as an author, now, and return what it prints, stripped."""
        identity = {
            f"GIT_{who}_{what}": value
            for who, when in (("AUTHOR", authored or self.now), ("COMMITTER", self.now))
            for what, value in (
                ("NAME", author),
                ("EMAIL", email_of(author)),
                ("DATE", f"@{when} +0000"),
            )
        }
        return run_git(self.folder, *arguments, stdin=stdin, more=identity).decode().strip()

    def sha(self, name: str = "HEAD") -> str:
        """Return the object that a name stands for."""
        return self.git("rev-parse", "--verify", name)

    def write(self, files: Mapping[str, Content]) -> None:
        """Write or remove files of the work tree."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                path.unlink()
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(
        self,
        message: str | bytes,
        files: Mapping[str, Content] | None = None,
        *,
        author: str = "Ada",
        authored: int | None = None,
    ) -> str:
        """Commit what the work tree holds, after some files were written; return its name."""
        self.write(files or {})
        self.git("add", "-A")
        text = message.encode() if isinstance(message, str) else message
        options = ("--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F", "-")
        self.git("commit", "-q", *options, author=author, authored=authored, stdin=text)
        self.now += 3600
        return self.sha()

    def switch(self, branch: str, start: str | None = None) -> None:
        """Go to a branch; with ``start``, make it there first."""
        self.git("switch", "-q", *(("-c", branch, start) if start else (branch,)))

    def branch(
        self, name: str, files: Mapping[str, Content], *, author: str = "Ada", message: str = ""
    ) -> str:
        """Make a branch of one commit where HEAD is, come back to main, return its tip."""
        self.switch(name, "HEAD")
        tip = self.commit(message or f"Work on {name}", files, author=author)
        self.switch("main")
        return tip

    def merge(self, *branches: str, message: str, author: str = "Ada") -> str:
        """Merge branches into the current one by a merge commit; return its name."""
        self.git("merge", "-q", "--no-ff", "-m", message, *branches, author=author)
        self.now += 3600
        return self.sha()

    def pull_head(self, number: int, commit: str) -> None:
        """Point ``refs/pull/<number>/head`` at a commit, as GitHub does."""
        self.git("update-ref", f"refs/pull/{number}/head", commit)

    def merge_pull(self, number: int, branch: str, title: str, body: str = "") -> str:
        """Merge a branch as GitHub merges a pull request, its head kept under refs/pull."""
        self.pull_head(number, self.sha(branch))
        message = f"Merge pull request #{number} from someone/{branch}\n\n{title}"
        return self.merge(branch, message=f"{message}\n\n{body}" if body else message)

    def squash_pull(
        self, number: int, branch: str, title: str, body: str = "", *, author: str = "Ada"
    ) -> str:
        """Squash a branch as GitHub does: one commit, its subject ending in the number."""
        self.pull_head(number, self.sha(branch))
        self.git("merge", "-q", "--squash", branch)
        message = f"{title} (#{number})"
        return self.commit(f"{message}\n\n{body}" if body else message, author=author)

    def bare_clone(self, folder: Path, *options: str) -> Path:
        """Clone it with all its refs, as ``git clone --mirror`` does."""
        run_git(self.folder, "clone", "-q", "--mirror", *options, self.folder.as_uri(), folder)
        return folder

    @property
    def git_dir(self) -> Path:
        """Where git keeps it."""
        return self.folder / ".git"
