"""What a repository says of itself: its branches, its pull heads, where its objects are.

Read through GitPython, and never changed. Everything else is read through an overlay of it
(`davinci_agency.repository.overlay`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import git

from davinci_agency.errors import DataError, SourceError

_PULL_HEAD = re.compile(r"refs/pull/([1-9]\d{0,8})/head")
_REMOTE = "refs/remotes/origin/"
_LOCAL = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch: its name, ``None`` if it has none here, and its newest commit."""

    name: str | None
    tip: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a repository says of itself.

    Attributes:
        path: where it is.
        branches: its branches, the default one first, without those that end in a pull head: they
            are pull requests' own.
        pull_heads: the commit at every ``refs/pull/<number>/head``.
        origin: the address it was cloned from, if it remembers.
        objects: its folder of objects.
        shallow: the file that lists where its history was cut, if it was.
        object_format: ``sha1`` or ``sha256``.
        fingerprint: every ref with its commit; equal when there is nothing new to mine.
    """

    path: Path
    branches: tuple[Branch, ...]
    pull_heads: dict[int, str]
    origin: str | None
    objects: Path
    shallow: Path | None
    object_format: str
    fingerprint: tuple[str, ...]


def read_source(path: Path) -> Source:
    """Look at a clone or a bare repository.

    Raises `SourceError` if it is none, and `DataError` if it has no commit.
    """
    try:
        repo = git.Repo(path)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise SourceError(
            f"{path} is not a git repository; name a clone, or make one with "
            "git clone --mirror URL."
        ) from error
    with repo:
        folder = Path(repo.git_dir).resolve()
        common = _common_folder(folder)
        repo.git.update_environment(**steer(folder, common), LC_ALL="C")
        try:
            return _look(path, repo, common)
        except git.GitCommandError as error:
            raise SourceError(f"{path}: git says: {said(error)}") from error


def _look(path: Path, repo: git.Repo, common: Path) -> Source:
    try:
        head = repo.git.rev_parse("--verify", "--quiet", "HEAD^{commit}")
    except git.GitCommandError as error:
        if error.status != 1:
            raise
        raise DataError(
            f"{path} has no commit on its default branch; fetch its history first."
        ) from error
    lines = repo.git.for_each_ref("--format=%(objectname) %(refname)").splitlines()
    refs = {name: tip for tip, _, name in (line.partition(" ") for line in lines)}
    shallow = common / "shallow"
    pull_heads = {
        int(match[1]): tip for name, tip in refs.items() if (match := _PULL_HEAD.fullmatch(name))
    }
    default, *others = _branches(refs, Branch(_symbolic(repo, "HEAD", _LOCAL), head), repo)
    pulled = set(pull_heads.values())
    return Source(
        path=path,
        branches=(default, *(branch for branch in others if branch.tip not in pulled)),
        pull_heads=pull_heads,
        origin=_origin(repo),
        objects=common / "objects",
        shallow=shallow if shallow.is_file() else None,
        object_format=repo.git.rev_parse("--show-object-format"),
        fingerprint=(head, *lines, shallow.read_text() if shallow.is_file() else ""),
    )


def _branches(refs: dict[str, str], head: Branch, repo: git.Repo) -> tuple[Branch, ...]:
    """Return the branches of the repository that this one is a clone of, or its own.

    The default one is what HEAD is on, unless somebody works on another branch of a clone.
    """
    upstream = _symbolic(repo, f"{_REMOTE}HEAD", _REMOTE)
    if head.name is None:
        # HEAD is on no branch, as in a linked work tree; the branch that ends there will do.
        here = [name for name, tip in refs.items() if tip == head.tip and name.startswith(_LOCAL)]
        head = Branch(here[0].removeprefix(_LOCAL) if here else None, head.tip)
    default = head
    if upstream not in (None, head.name) and f"{_REMOTE}{upstream}" in refs:
        default = Branch(upstream, refs[f"{_REMOTE}{upstream}"])
    prefix = _REMOTE if any(name.startswith(_REMOTE) for name in refs) else _LOCAL
    others = (
        Branch(name.removeprefix(prefix), tip)
        for name, tip in refs.items()
        if name.startswith(prefix) and name.removeprefix(prefix) not in ("HEAD", default.name)
    )
    return (default, *others)


def _symbolic(repo: git.Repo, name: str, prefix: str) -> str | None:
    try:
        target = str(repo.git.symbolic_ref("--quiet", name))
    except git.GitCommandError:
        # HEAD may be on no branch, and a clone may not know its origin's.
        return None
    return target.removeprefix(prefix) if target.startswith(prefix) else None


def _common_folder(folder: Path) -> Path:
    """Return the git directory that a worktree's belongs to; its own for any other."""
    pointer = folder / "commondir"
    return (folder / pointer.read_text().strip()).resolve() if pointer.is_file() else folder


def _origin(repo: git.Repo) -> str | None:
    try:
        return str(repo.git.config("--get", "remote.origin.url")) or None
    except git.GitCommandError:
        return None


def hosted_at(origin: str | None) -> tuple[str, str] | None:
    """Return the host and owner/name in a clone's address; ``None`` for a path or none at all.

    >>> hosted_at("git@github.com:numpy/numpy.git")
    ('github.com', 'numpy/numpy')
    >>> hosted_at("https://user:secret@github.com/numpy/numpy")
    ('github.com', 'numpy/numpy')
    """
    if not origin:
        return None
    if "://" not in origin and ":" in origin:
        user_and_host, _, path = origin.partition(":")
        host = user_and_host.rpartition("@")[2]
    else:
        parts = urlsplit(origin)
        host, path = parts.hostname or "", parts.path
    name = path.strip("/").removesuffix(".git")
    return (host, name) if host and re.fullmatch(r"[\w.-]+/[\w.-]+", name) else None


def steer(folder: Path, common: Path) -> dict[str, str]:
    """Return the variables that tell git where everything is, over those that it was given.

    A hook runs with some of them set to its own repository. Said outright, a git directory is also
    found where it has no configuration file.
    """
    return {
        "GIT_DIR": str(folder),
        "GIT_COMMON_DIR": str(common),
        "GIT_OBJECT_DIRECTORY": str(common / "objects"),
        "GIT_SHALLOW_FILE": str(common / "shallow"),
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_WORK_TREE": str(folder),
        "GIT_DIFF_OPTS": "",
        "GIT_REPLACE_REF_BASE": "refs/replace/",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_CONFIG_COUNT": "0",
    }


def said(error: git.GitCommandError) -> str:
    """Return what git said when it failed."""
    text = str(error.stderr or "").strip().removeprefix("stderr: ").strip("'\n ")
    return text or f"exit status {error.status}"
