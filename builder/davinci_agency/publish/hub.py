"""The Hub as publishing sees it: one dataset repository, read and changed by whole commits.

The token comes from the environment or the Hub's own store, and is never named. Every refusal of
the Hub becomes an error that says what to do; what may pass by itself is tried again for a while.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2
import msgspec
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalTokenNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import disable_progress_bars

from davinci_agency.errors import CommandError, RemoteError
from davinci_agency.release import MANIFEST, Manifest, parse_manifest

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)

_TRIES = 4
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 300.0
"""Seconds: a Hub that asks for more is not waited for."""


class StaleParentError(RemoteError):
    """Somebody else changed the branch meanwhile."""


class LostAnswerError(RemoteError):
    """Nobody knows whether the Hub did what it was asked for."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a commit. ``sha256`` is known of large files, ``blob_id`` is git's of all."""

    path: str
    bytes: int
    blob_id: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class RemoteState:
    """A branch of a repository as it is now.

    Attributes:
        head: its commit.
        files: its files by path.
        tags: the commits of the repository's tags, by name.
        manifest: the manifest of the release in it; ``None`` if it holds none.
    """

    head: str
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None


class HubRepository:
    """A dataset repository on the Hub."""

    def __init__(self, name: str, endpoint: str | None = None, token: str | None = None) -> None:
        if not _NAME.fullmatch(name):
            raise CommandError(f"{name[:80]!r} is no dataset on the Hub; name it ORG/NAME.")
        self.name = name
        # They would be drawn over ours, and into logs.
        disable_progress_bars()
        self._api = HfApi(endpoint=endpoint, token=token)

    @property
    def address(self) -> str:
        """Where people look at it."""
        return f"{self._api.endpoint}/datasets/{self.name}"

    def state(self, revision: str = "main") -> RemoteState | None:
        """Return a revision as it is now; ``None`` if the repository or the revision is not there.

        Raises `RemoteError` if the Hub can't be asked.
        """
        try:
            info = self._ask(
                lambda: self._api.dataset_info(self.name, revision=revision), "looked at"
            )
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return None
        head = str(info.sha)
        files = {file.path: file for file in self._ask(lambda: list(self._files(head)), "listed")}
        refs = self._ask(
            lambda: self._api.list_repo_refs(self.name, repo_type="dataset"), "looked at"
        )
        manifest = self._manifest(head) if MANIFEST in files else None
        return RemoteState(
            head, files, {ref.name: ref.target_commit for ref in refs.tags}, manifest
        )

    def exists(self) -> bool:
        """Tell whether there is such a repository that this token can see."""
        return self._ask(lambda: self._api.repo_exists(self.name, repo_type="dataset"), "looked at")

    def read(self, path: str, revision: str) -> bytes:
        """Return a small file of a revision."""
        return self._ask(lambda: self._read(path, revision), "read")

    def create(self, *, private: bool) -> None:
        """Make the repository, unless it is there."""
        self._ask(
            lambda: self._api.create_repo(
                self.name, repo_type="dataset", private=private, exist_ok=True
            ),
            "made",
        )

    def branch(self, name: str, start: str | None = None) -> None:
        """Make a branch that begins at a commit, unless it is there."""
        self._ask(
            lambda: self._api.create_branch(
                self.name, branch=name, revision=start, repo_type="dataset", exist_ok=True
            ),
            "changed",
        )

    def first_commit(self) -> str:
        """Return the commit with which the repository began."""
        commits = self._ask(
            lambda: self._api.list_repo_commits(self.name, repo_type="dataset"), "looked at"
        )
        return commits[-1].commit_id

    def commit(
        self,
        message: str,
        files: Mapping[str, Path | bytes],
        *,
        parent: str,
        branch: str,
        deleted: Sequence[str] = (),
        copied: Mapping[str, str] | None = None,
        as_pull_request: bool = False,
    ) -> tuple[str, str | None]:
        """Change a branch by one commit, and return it and the address of a pull request.

        ``copied`` names the revisions that files are taken from again. Large files are sent ahead;
        what the Hub holds already is not sent. Raises `StaleParentError` if the branch is no longer
        at ``parent``, and `LostAnswerError` if the connection ended before the answer.
        """
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
            CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
            for path, content in files.items()
        ]
        additions = [each for each in operations if isinstance(each, CommitOperationAdd)]
        operations += [CommitOperationDelete(path, is_folder=False) for path in deleted]
        operations += [
            CommitOperationCopy(path, path, src_revision=revision)
            for path, revision in (copied or {}).items()
        ]
        if additions:
            self._ask(
                lambda: self._api.preupload_lfs_files(
                    self.name, additions, repo_type="dataset", revision=branch,
                    create_pr=as_pull_request, free_memory=False,
                ),
                "sent to",
            )  # fmt: skip
        try:
            made = self._api.create_commit(
                self.name,
                operations,
                commit_message=message,
                repo_type="dataset",
                revision=branch,
                parent_commit=parent,
                create_pr=as_pull_request,
            )
        except HfHubHTTPError as error:
            if error.response.status_code == 412:
                raise StaleParentError(
                    f"{self.name} was changed by somebody else meanwhile; nothing of yours was "
                    "published. See what changed with davinci-agency diff, then publish again."
                ) from error
            if _may_pass(error):
                raise LostAnswerError(f"{self.name} did not take the commit: {error}") from error
            raise self._refusal(error, "changed") from error
        except (httpx2.TransportError, OSError) as error:
            raise LostAnswerError(
                f"the connection to {self._api.endpoint} ended during the commit ({error})"
            ) from error
        return made.oid, made.pr_url

    def tag(self, name: str, commit: str, message: str) -> None:
        """Tag a commit. A tag that is there must be at it: tags never move."""
        try:
            self._ask(
                lambda: self._api.create_tag(
                    self.name, tag=name, tag_message=message, revision=commit, repo_type="dataset"
                ),
                "tagged",
            )
        except HfHubHTTPError as error:
            if error.response.status_code != 409:
                raise self._refusal(error, "tagged") from error
            state = self.state(name)
            if state is None or state.head != commit:
                raise RemoteError(
                    f"{self.name} has a tag {name} for something else, and tags never move; "
                    "publish under another one."
                ) from error

    def files(self) -> HfFileSystem:
        """Return the Hub as a file system, for reading parts of files."""
        return HfFileSystem(endpoint=self._api.endpoint, token=self._api.token)

    def download(self, revision: str) -> Path:
        """Return a folder with the files of a revision; what was had before is not fetched."""
        return Path(
            self._ask(
                lambda: self._api.snapshot_download(
                    self.name, repo_type="dataset", revision=revision
                ),
                "downloaded",
            )
        )

    def _files(self, head: str) -> Iterator[RemoteFile]:
        tree = self._api.list_repo_tree(
            self.name, recursive=True, revision=head, repo_type="dataset"
        )
        for entry in tree:
            if isinstance(entry, RepoFile):
                sha256 = entry.lfs.sha256 if entry.lfs else None
                yield RemoteFile(entry.path, entry.size, entry.blob_id, sha256)

    def _manifest(self, head: str) -> Manifest | None:
        try:
            return parse_manifest(self.read(MANIFEST, head))
        except msgspec.DecodeError:
            return None

    def _read(self, path: str, revision: str) -> bytes:
        with self.files().open(f"datasets/{self.name}@{revision}/{path}", "rb") as file:
            content: bytes = file.read()
            return content

    def _ask(self, call: Callable[[], T], done: str) -> T:
        """Return what a call gives; one that changes nothing if it is done twice.

        What is not there stays the client's own error, for the caller to decide about.
        """
        wait = _FIRST_WAIT
        for tries_left in reversed(range(_TRIES)):
            try:
                return call()
            except (RepositoryNotFoundError, RevisionNotFoundError) as error:
                if isinstance(error, GatedRepoError):
                    raise self._refusal(error, done) from error
                raise
            except HfHubHTTPError as error:
                if error.response.status_code == 409:
                    raise
                asked = _asked_wait(error)
                if not _may_pass(error) or not tries_left or (asked or 0) > _LONGEST_WAIT:
                    raise self._refusal(error, done) from error
                time.sleep(asked if asked is not None else wait)
            except (LocalTokenNotFoundError, HFValidationError) as error:
                raise CommandError(f"{self.name}: {error}") from error
            except (httpx2.TransportError, ConnectionError, RuntimeError) as error:
                if not tries_left:
                    raise RemoteError(
                        f"{self._api.endpoint} can't be reached ({_root(error)}); try again later."
                    ) from error
                time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        raise AssertionError("the last try either returns or raises")

    def _refusal(self, error: HfHubHTTPError, done: str) -> RemoteError:
        status = error.response.status_code
        said = error.server_message or f"status {status}"
        advice = "try again later"
        if status in (401, 403):
            advice = (
                "log in with hf auth login, or set HF_TOKEN to a token that may write to it; "
                "is the name right?"
            )
        elif status < 500 and status != 429:
            advice = "is the name right?"
        return RemoteError(f"{self.name} could not be {done} ({said}); {advice}")


def _may_pass(error: HfHubHTTPError) -> bool:
    status = error.response.status_code
    return status == 429 or status >= 500


def _asked_wait(error: HfHubHTTPError) -> float | None:
    """Return how many seconds the Hub asked to wait."""
    asked = error.response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else None


def _root(error: BaseException) -> BaseException:
    """Return what an error began with: the client wraps those of uploads."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def release_folder(target: str) -> Path:
    """Return the folder of a release: ``target`` itself, or what ``ORG/NAME@REVISION`` holds.

    What is not cached of a release on the Hub is downloaded. Raises `RemoteError` if it is not
    there.
    """
    name, at, revision = target.rpartition("@")
    if not target:
        raise CommandError("'' is no release; name its folder, or ORG/NAME@REVISION.")
    if not at or Path(target).is_dir():
        return Path(target)
    repository = HubRepository(name)
    with not_found_as_error(repository):
        if repository.state(revision) is None:
            raise RemoteError(f"{name} has no {revision}, or this token may not see it.")
        return repository.download(revision)


@contextmanager
def not_found_as_error(repository: HubRepository) -> Iterator[None]:
    """Turn what is not there into an error, where it should have been there."""
    try:
        yield
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise RemoteError(
            f"{repository.name} is not there, or this token may not see it ({_first_line(error)}); "
            "is the name right, and are you logged in (hf auth login)?"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
