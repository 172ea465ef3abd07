"""Which pull requests a recipe wants left out, and why; pure."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from davinci_agency.paths import is_generated
from davinci_agency.spdx import is_allowed

_PREFIX = r"^\W*(?:\w+(?:\([^)]{0,80}\))?!?: ?)?"
"""A tag before a title: ``build(deps): ``."""
_VERSION = r"v?\d[\w.+-]*"
_BUMP = re.compile(
    _PREFIX + r"(?:(?:bump|upgrade|update|pin)\b.{0,200}?(?:"
    rf"\bfrom {_VERSION} to {_VERSION}|\bto {_VERSION}(?: in \S{{1,200}})?$"
    r"|\bdependenc(?:y|ies)\b|\brequirements?\b|\block ?files?$|\bactions?/\S+"
    r"|\bpre-commit (?:hooks?|autoupdate))|lock file maintenance)",
    re.IGNORECASE,
)
_RELEASE = re.compile(
    _PREFIX + r"(?:(?:prepare|cut|tag|bump|start|begin|make)\b.{0,40}?)?"
    r"(?:\b(?:release|version)(?: [a-z]{1,12}){0,2}:? v?\d+\.\d[\w.+-]*\W*$"
    r"|v?\d+\.\d+\.\d+\S*\W*$|bump version|version bump|\bchangelog for\b)",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"(?:^|/)(?:docs?|documentation|\.github|\.circleci|\.gitlab|\.buildkite|ci|tools/ci)/"
    r"|\.(?:md|mdx|rst|adoc|asciidoc)$"
    r"|(?:^|/)(?:\.travis\.yml|appveyor\.yml|azure-pipelines\.yml|\.cirrus\.\w+|\.codecov\.yml"
    r"|\.pre-commit-config\.yaml|codecov\.yml|(?:license|authors|contributors|codeowners)"
    r"(?:\.txt)?)$",
    re.IGNORECASE,
)
_PSEUDONYM = r"^[0-9a-f]{16}$"


class Filters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to leave out; everything stays by default.

    Attributes:
        bots: pull requests that programs opened.
        dependency_bumps: new versions of what the project depends on, lock files alone.
        releases: releases and new version numbers.
        backports: what only brings another pull request to an older branch.
        reverts: pull requests that take others back, and those that were taken back.
        docs_only: changes to nothing but documentation and continuous integration.
        max_files: more files than this.
        max_lines: more added and removed lines than this.
        opted_out: pseudonyms of authors who want no part in it.
        licenses: if there are any, only what was under these at its base commit stays.
    """

    bots: bool = False
    dependency_bumps: bool = False
    releases: bool = False
    backports: bool = False
    reverts: bool = False
    docs_only: bool = False
    max_files: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_lines: Annotated[int, msgspec.Meta(ge=1)] | None = None
    opted_out: tuple[Annotated[str, msgspec.Meta(pattern=_PSEUDONYM)], ...] = ()
    licenses: tuple[str, ...] = ()


class _Path(msgspec.Struct, frozen=True):
    path: str


class _Author(msgspec.Struct, frozen=True):
    author_id: str


class Traits(msgspec.Struct, frozen=True):
    """What the filters look at in a record, so that its patches need not be read."""

    number: int
    title: str
    author_id: str
    login_id: str | None
    author_kind: str
    license: str | None
    backport_of: int | None
    reverts: tuple[int, ...]
    additions: int
    deletions: int
    files: tuple[_Path, ...]
    commits: tuple[_Author, ...]


Reason = tuple[str, str, float | None]
"""A rule, the reason for a person, and the measure if there is one."""


def removal_by(filters: Filters, pull: Traits, taken_back: dict[int, int]) -> Reason | None:
    """Return why a pull request is left out; ``None`` if it stays. The first rule speaks.

    ``taken_back`` holds the numbers that were reverted, and by which.
    """
    return next(
        filter(
            None,
            (
                _opted_out(filters, pull),
                _license(filters, pull),
                _kind(filters, pull, taken_back),
                _size(filters, pull),
            ),
        ),
        None,
    )


def _opted_out(filters: Filters, pull: Traits) -> Reason | None:
    people = {pull.author_id, pull.login_id, *(commit.author_id for commit in pull.commits)}
    if people.isdisjoint(filters.opted_out):
        return None
    return "opted-out", "an author wants no part in it", None


def _license(filters: Filters, pull: Traits) -> Reason | None:
    allowed = frozenset(filters.licenses)
    if not allowed or (pull.license is not None and is_allowed(pull.license, allowed)):
        return None
    return "license-not-allowed", f"its licence is {pull.license or 'not known'}", None


def _kind(filters: Filters, pull: Traits, taken_back: dict[int, int]) -> Reason | None:
    if filters.bots and pull.author_kind == "bot":
        return "bot", "a program opened it", None
    if filters.backports and pull.backport_of is not None:
        return "backport", f"it brings #{pull.backport_of} to another branch", None
    if filters.reverts and pull.reverts:
        return "revert", f"it takes back #{pull.reverts[0]}", None
    if filters.reverts and pull.number in taken_back:
        return "reverted", f"#{taken_back[pull.number]} took it back", None
    if filters.dependency_bumps and _is_bump(pull):
        return "dependency-bump", "it changes nothing but versions of dependencies", None
    if filters.releases and _RELEASE.search(pull.title):
        return "release", "it makes a release or a new version number", None
    if filters.docs_only and pull.files and all(_DOCUMENT.search(f.path) for f in pull.files):
        return "docs-only", "it changes nothing but documentation and CI", None
    return None


def _is_bump(pull: Traits) -> bool:
    only_locks = bool(pull.files) and all(is_generated(file.path) for file in pull.files)
    return only_locks or _BUMP.search(pull.title) is not None


def _size(filters: Filters, pull: Traits) -> Reason | None:
    files, lines = len(pull.files), pull.additions + pull.deletions
    if filters.max_files is not None and files > filters.max_files:
        return "too-many-files", f"it changes {files} files", float(files)
    if filters.max_lines is not None and lines > filters.max_lines:
        return "too-many-lines", f"it changes {lines} lines", float(lines)
    return None
