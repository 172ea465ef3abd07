"""Makes a small git repository with a history of pull requests to try the program on.

``python examples/make_repository.py DEST`` replays ``history/pulls.toml`` and the patches beside
it. The commits come out the same, down to their names, on every machine and with every version of
git: people and dates are fixed, and no configuration but the repository's own is read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HISTORY = Path(__file__).parent / "history"
USAGE = "usage: python examples/make_repository.py DEST"


class Git:
    """Runs git in one repository, deaf to the machine's and the user's configuration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(folder.parent),
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "LC_ALL": "C",
        }

    def __call__(self, *arguments: str, text: str = "", **variables: str) -> str:
        """Return what a git command prints. Raises `CalledProcessError` if it fails."""
        run = subprocess.run(
            ["git", *arguments],
            cwd=self._folder,
            env={**self._environment, **variables},
            input=text.encode(),
            capture_output=True,
            check=True,
        )
        return run.stdout.decode().strip()


class Replay:
    """A repository that the events of a history are added to, one after another."""

    def __init__(self, folder: Path, people: Mapping[str, str]) -> None:
        self._git = Git(folder)
        self._people = people
        self._tip = ""
        self._after: dict[int, str] = {}
        self._git("init", "--quiet", "--template=", ".")
        self._git("config", "core.autocrlf", "false")
        self._git("symbolic-ref", "HEAD", "refs/heads/main")

    def add(self, event: Mapping[str, Any]) -> None:
        """Add one event: a pull request of some style, or a push to the branch itself."""
        style, number = event["style"], event.get("number", 0)
        start = self._after[event["off"]] if "off" in event else self._tip
        head = start
        for commit in event["commit"]:
            head = self._commit(commit, head)
        if style == "merge":
            self._tip = self._merge(event, head)
        elif style == "squash":
            self._tip = self._squash(event)
        elif style in ("push", "fast-forward"):
            self._tip = head
        if number:
            self._git("update-ref", f"refs/pull/{number}/head", head)
        if style != "closed":
            self._after[number] = self._tip

    def finish(self) -> str:
        """Check the branch out and return its last commit."""
        self._git("update-ref", "refs/heads/main", self._tip)
        self._git("reset", "--quiet", "--hard", "main")
        return self._tip

    def _commit(self, commit: Mapping[str, Any], parent: str) -> str:
        # {10} stands for the commit that brought pull request 10 in.
        message = commit["message"]
        for number, sha in self._after.items():
            message = message.replace(f"{{{number}}}", sha)
        tree = self._tree(parent, [commit["patch"]])
        author = commit["author"]
        return self._write(tree, [parent], message, author, author, commit["at"])

    def _merge(self, event: Mapping[str, Any], head: str) -> str:
        subject = f"Merge pull request #{event['number']} from {event['branch']}"
        message = "\n\n".join([subject, event["title"], event["body"].strip()])
        tree = self._tree(self._tip, [commit["patch"] for commit in event["commit"]])
        return self._write(tree, [self._tip, head], message, "marit", "github", event["merged"])

    def _squash(self, event: Mapping[str, Any]) -> str:
        message = f"{event['title']} (#{event['number']})\n\n{event['body'].strip()}"
        tree = self._tree(self._tip, [commit["patch"] for commit in event["commit"]])
        author = event["commit"][0]["author"]
        return self._write(tree, [self._tip], message, author, "github", event["merged"])

    def _tree(self, start: str, patches: list[str]) -> str:
        """Return the tree that some patches make of a commit's."""
        self._git("read-tree", *([start] if start else ["--empty"]))
        for patch in patches:
            self._git("apply", "--cached", "--whitespace=nowarn", str(HISTORY / f"{patch}.patch"))
        return self._git("write-tree")

    def _write(
        self,
        tree: str,
        parents: list[str],
        message: str,
        author: str,
        committer: str,
        when: datetime,
    ) -> str:
        variables = {}
        for role, name in (("AUTHOR", author), ("COMMITTER", committer)):
            who, _, email = self._people[name].partition(" <")
            variables[f"GIT_{role}_NAME"] = who
            variables[f"GIT_{role}_EMAIL"] = email.rstrip(">")
            variables[f"GIT_{role}_DATE"] = _git_date(when)
        names = [argument for parent in parents if parent for argument in ("-p", parent)]
        return self._git("commit-tree", tree, *names, text=f"{message.strip()}\n", **variables)


def _git_date(when: datetime) -> str:
    minutes = int((when.utcoffset() or timedelta()) / timedelta(minutes=1))
    sign = "-" if minutes < 0 else "+"
    return f"{int(when.timestamp())} {sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def read_history() -> dict[str, Any]:
    """Return the history: ``head``, ``people`` and the list ``event``."""
    return tomllib.loads((HISTORY / "pulls.toml").read_text(encoding="utf-8"))


def head_of(folder: Path) -> str | None:
    """Return the last commit of a repository, or ``None`` if the folder holds none."""
    try:
        return Git(folder)("rev-parse", "--verify", "HEAD")
    except (subprocess.CalledProcessError, NotADirectoryError):
        return None


def make_repository(dest: Path) -> str:
    """Make the repository in a folder that is absent or empty; return its last commit."""
    history = read_history()
    dest.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{dest.name}-", dir=dest.parent) as scratch:
        folder = Path(scratch, "repository")
        folder.mkdir()
        replay = Replay(folder, history["people"])
        for event in history["event"]:
            replay.add(event)
        head = replay.finish()
        if head != history["head"]:
            raise RuntimeError(f"the history ends in {head}, not in {history['head']}")
        if dest.exists():
            dest.rmdir()
        folder.rename(dest)
    return head


def main(arguments: list[str]) -> int:
    """Make the repository and say so; return the exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return 2
    if shutil.which("git") is None:
        print("git is needed and was not found.", file=sys.stderr)
        return 2
    dest = Path(arguments[0]).absolute()
    history = read_history()
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        if head_of(dest) == history["head"]:
            print(f"{dest} is this repository already; HEAD is {history['head']}.")
            return 0
        print(f"{dest} holds something else; name a folder that is not there.", file=sys.stderr)
        return 2
    head = make_repository(dest)
    pulls = sum("number" in event for event in history["event"])
    print(f"{dest}: {pulls} pull requests; HEAD is {head}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
