"""From what git knows of a merged pull request to its record; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from davinci_agency.ids import author_id, login_id
from davinci_agency.mine.diffs import Diff
from davinci_agency.mine.history import History, LogCommit
from davinci_agency.mine.pulls import Merged, author_of
from davinci_agency.mine.relations import Relations
from davinci_agency.paths import main_language
from davinci_agency.records import SCHEMA_VERSION, AuthorKind, Commit, Gap, PullRequest, utc

_BOT = re.compile(rb"\[bot\]|\bbot\b|(?:dependabot|renovate|pre-commit-ci|pyup)\b", re.IGNORECASE)
_ADDRESS = re.compile(r" ?<[^<>@\s]{1,64}@[^<>@\s]{1,255}>")
"""``Signed-off-by: Grace <grace@example.org>``: the name is credit, the address is private."""
_NOREPLY = re.compile(
    rb"(?:\d+\+)?([\w.-]+(?:\[bot\])?)@users\.noreply\.github\.com", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class About:
    """What the records of one repository have in common."""

    repo: str
    host: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """One merged pull request with everything that its record is made from but the patch.

    Attributes:
        merged: what the history shows.
        base_branch: the name of the branch that it was merged into.
        relations: what it is to others.
    """

    merged: Merged
    base_branch: str | None
    relations: Relations

    @property
    def pair(self) -> tuple[str, str]:
        """The commit that its patch leads to, and the one that it starts from."""
        return self.merged.merge, self.merged.base

    def key(self, history: History, *more: object) -> bytes:
        """Return a digest of it and of more that its record depends on.

        Commits go by their names, which stand for all that git knows of them.
        """
        item = self.merged
        facts = (
            item.number, item.style, item.found_by, item.into, item.base, item.merge, item.head,
            item.merge_base, item.stacked_on, item.gaps, self.base_branch,
            self.relations.backport_of, self.relations.reverts,
            [history.log.shas[place] for place in item.commits], more,
        )  # fmt: skip
        return digest(facts)


def digest(facts: object) -> bytes:
    """Return 16 bytes that stand for plain values."""
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).digest()


def make_record(
    history: History, found: Found, diff: Diff, about: About, license_: str | None
) -> PullRequest:
    """Return the record of a pull request, as far as git knows it."""
    item = found.merged
    title, title_is_whole = clean_text(item.title)
    body, body_is_whole = clean_text(item.body)
    own = [history.log[place] for place in item.commits]
    commits, commits_are_whole = _commits(own)
    gaps: list[Gap] = list(item.gaps)
    if not (title_is_whole and body_is_whole and commits_are_whole):
        gaps.append("not-utf-8-text")
    if any(file.omitted for file in diff.files):
        gaps.append("omitted-files")
    author = history.log[author_of(history, item)]
    pseudonym, kind = _author(author.email, author.name)
    login = _NOREPLY.fullmatch(author.email)
    merged = int(history.log.committed[history.index[item.merge]] or 0)
    return PullRequest(
        schema_version=SCHEMA_VERSION,
        repo=about.repo,
        number=item.number,
        url=f"https://{about.host}/{about.repo}/pull/{item.number}" if about.host else None,
        title=title,
        body=body,
        author_id=pseudonym,
        author_kind=kind,
        login_id=login_id(login[1].decode()) if login else None,
        merge_style=item.style,
        found_by=item.found_by,
        merged_into=item.into,
        base_branch=found.base_branch,
        backport_of=found.relations.backport_of,
        reverts=found.relations.reverts,
        stacked_on=item.stacked_on,
        merged_at=utc(merged),
        base_commit=item.base,
        merge_base=item.merge_base,
        head_commit=item.head,
        merge_commit=item.merge,
        license=license_,
        language=main_language(diff.files),
        commits=commits,
        files=diff.files,
        patch=diff.patch,
        test_patch=diff.test_patch,
        withheld=None,
        additions=diff.additions,
        deletions=diff.deletions,
        gaps=tuple(sorted(gaps)),
        updated_at=None,
        labels=(),
        closes=(),
        cross_references=(),
        discussion=(),
        from_github=(),
        split="train",
        marks=(),
    )


def _commits(commits: Sequence[LogCommit]) -> tuple[tuple[Commit, ...], bool]:
    records, whole = [], True
    for commit in commits:
        message, is_whole = clean_text(commit.message.strip())
        whole = whole and is_whole
        pseudonym, kind = _author(commit.email, commit.name)
        records.append(Commit(commit.sha, utc(commit.authored), pseudonym, kind, message))
    return tuple(records), whole


@lru_cache(maxsize=1 << 14)
def _author(email: bytes, name: bytes) -> tuple[str, AuthorKind]:
    return author_id(email), "bot" if _BOT.search(name) or _BOT.search(email) else "person"


def clean_text(raw: bytes) -> tuple[str, bool]:
    """Return bytes as text without the addresses in its trailers, and whether it was all UTF-8."""
    try:
        text, is_whole = raw.decode(), True
    except UnicodeDecodeError:
        text, is_whole = raw.decode(errors="replace"), False
    return without_addresses(text), is_whole


def without_addresses(text: str) -> str:
    """Return a text without e-mail addresses in angle brackets.

    >>> without_addresses("Reported-by: Grace <grace@example.org>")
    'Reported-by: Grace'
    """
    return _ADDRESS.sub("", text) if "@" in text else text
