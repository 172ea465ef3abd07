"""What a repository at the loopback GitHub holds: plain values, made by a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PullState = Literal["OPEN", "CLOSED", "MERGED"]
IssueState = Literal["OPEN", "CLOSED"]
ReviewState = Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]

NEW_YEAR = "2024-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment below a pull request; ``author=None`` is a deleted account, as everywhere here."""

    body: str
    author: str | None = "ada"
    created_at: str = NEW_YEAR
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class ReviewComment:
    """A comment of a review on a file."""

    path: str
    body: str
    author: str | None = "ada"
    created_at: str = NEW_YEAR
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """A review; a pending one has no ``submitted_at``."""

    author: str | None = "grace"
    state: ReviewState = "APPROVED"
    body: str = ""
    submitted_at: str | None = NEW_YEAR
    comments: tuple[ReviewComment, ...] = ()
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue that a pull request closes; an empty ``repository`` is the server's own."""

    number: int
    title: str = ""
    body: str = ""
    repository: str = ""
    state: IssueState = "CLOSED"


@dataclass(frozen=True, slots=True)
class CrossReference:
    """A mention of a pull request in another pull request or in an issue.

    ``number`` and ``repository`` (empty: the server's own) say where the mention stands.
    """

    number: int
    is_pull: bool = True
    repository: str = ""
    created_at: str = NEW_YEAR
    will_close: bool = False
    author: str | None = "ada"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request with everything below it, in GitHub's words and its way to write times."""

    number: int
    title: str = ""
    body: str = ""
    author: str | None = "ada"
    is_bot: bool = False
    state: PullState = "MERGED"
    created_at: str = NEW_YEAR
    updated_at: str = NEW_YEAR
    merged_at: str | None = None
    merge_commit: str | None = None
    head_oid: str = "0" * 40
    base_ref: str = "main"
    labels: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    reviews: tuple[Review, ...] = ()
    closes: tuple[Issue, ...] = ()
    cross_references: tuple[CrossReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Repository:
    """The one repository of a server; it answers to ``former_names`` as GitHub does after a rename.

    ``default_branch=None`` is an empty repository, ``spdx_id=None`` one without a licence file.
    """

    owner: str = "octo"
    name: str = "demo"
    spdx_id: str | None = "Apache-2.0"
    default_branch: str | None = "main"
    is_private: bool = False
    former_names: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"
