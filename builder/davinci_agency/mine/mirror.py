"""Mirrors of repositories that are named by owner/name, pull heads included.

Git itself fetches them, with the person's own configuration and credentials; nothing of what is
fetched is run. A mirror that is there already gets only what is new.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import git

from davinci_agency.errors import RemoteError
from davinci_agency.files import locked
from davinci_agency.progress import Progress
from davinci_agency.repository.source import said

_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/pull/*/head:refs/pull/*/head")
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def update_mirror(repo: str, host: str, folder: Path, progress: Progress) -> Path:
    """Make the mirror of a repository, or fetch what is new, and return where it is.

    ``folder`` holds the mirrors. Raises `RemoteError` if git can't fetch it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mirror = folder / f"{repo.replace('/', '__')}.git"
    address = f"https://{host}/{repo}.git"
    progress.start(f"fetch {repo}", None)
    with locked(mirror):
        if not (mirror / "HEAD").is_file():
            _begin(mirror, address)
        with git.Repo(mirror) as here:
            here.git.update_environment(**_QUIET)
            try:
                here.git.fetch("--prune", "--no-tags", "--quiet", "origin")
                _follow_head(here)
            except git.GitCommandError as error:
                raise RemoteError(
                    f"{address} can't be fetched: {said(error)} Is the name right, and may you "
                    "read it? What was fetched before is kept."
                ) from error
    return mirror


def _begin(mirror: Path, address: str) -> None:
    """Make an empty mirror; it takes its place when it is complete."""
    partial = mirror.with_name(f".{mirror.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    with git.Repo.init(partial, bare=True) as here, here.config_writer() as config:
        config.set_value('remote "origin"', "url", address)
        for refspec in _REFSPECS:
            config.add_value('remote "origin"', "fetch", refspec)
    partial.replace(mirror)


def _follow_head(here: git.Repo) -> None:
    """Point HEAD to the origin's default branch, whatever it is called today."""
    for line in str(here.git.ls_remote("--symref", "origin", "HEAD")).splitlines():
        if line.startswith("ref: "):
            here.git.symbolic_ref("HEAD", line.removeprefix("ref: ").split("\t")[0])
            return
