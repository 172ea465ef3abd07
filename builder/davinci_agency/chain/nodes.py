"""What chaining holds of each pull request, and which ones no chain may hold; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from davinci_agency.chain.mentions import MAX_TARGETS, Mention, find_mentions
from davinci_agency.records import EdgeOrigin, PullRequest

MAX_FILES = 60
MAX_LINES = 4_000
"""A larger pull request is a mechanical change more often than a piece of work."""
_OWN_NUMBER = re.compile(r"\(#(\d{1,9})\)\s*$")
_TAG = re.compile(r"\s*(?:\[[^\]]{1,40}\]|[^:\s][^:]{0,40}:(?=\s))\s*")
_MOST_TAGS = 4
_AREA_DEPTH = 2
_REVERT_TITLE = re.compile(
    r"\W*(?:revert(?:s|ed|ing)?|undo(?:es|ing)?|back(?:s|ed|ing)? out)\b", re.IGNORECASE
)
_PLAIN_REVERT = re.compile(r"\W*revert", re.IGNORECASE)
_REVERTED_COMMIT = re.compile(r"\breverts commit ([0-9a-f]{40,64})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """What one text says of a pull request of the same repository."""

    mention: Mention
    origin: EdgeOrigin
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Node:
    """What chaining holds of a pull request: no patch, no long text.

    Attributes:
        place: where the record can be read again.
        repo, number, url, author_id, merged_at, merge_commit, language, lines: as in the record.
        paths: the files that it changes, a renamed one under both its names.
        area: the folder, at most two deep, that holds the files with most of its changes.
        references: the pull requests that its texts name.
        issues: the numbers that its texts or GitHub say it closes.
        stacked_on: the pull request whose commits its branch holds.
        takes_back: the pull requests and commits that it reverts.
        refusal: the rule, reason and measure why no chain may hold it; ``None`` if one may.
        own_base: the base commit, if its patch is git's own diff from there; ``None`` if unknown.
        own_paths: the paths that this diff is of, all but those of files without a patch.
    """

    place: int
    repo: str
    number: int
    url: str | None
    author_id: str
    merged_at: datetime
    merge_commit: str
    language: str | None
    lines: int
    paths: frozenset[str]
    area: str
    references: tuple[Reference, ...]
    issues: frozenset[int]
    stacked_on: int | None
    takes_back: frozenset[int | str]
    refusal: tuple[str, str, float | None] | None
    own_base: str | None
    own_paths: frozenset[bytes]

    @property
    def when(self) -> tuple[datetime, int]:
        """Its place in the order of merges."""
        return (self.merged_at, self.number)


def make_node(pull: PullRequest, place: int = 0, *, own: frozenset[bytes] | None = None) -> Node:
    """Return what chaining holds of a pull request; its patch may be known to be git's own."""
    references = tuple(_references(pull))
    return Node(
        place=place,
        repo=pull.repo,
        number=pull.number,
        url=pull.url,
        author_id=pull.author_id,
        merged_at=pull.merged_at,
        merge_commit=pull.merge_commit,
        language=pull.language,
        lines=pull.additions + pull.deletions,
        paths=frozenset(path for file in pull.files for path in (file.path, file.old_path) if path),
        area=_area(pull),
        references=references,
        issues=frozenset(_closed(pull, references)),
        stacked_on=pull.stacked_on,
        takes_back=_takes_back(pull, references),
        refusal=_refusal(pull),
        own_base=None if own is None else pull.base_commit,
        own_paths=own or frozenset(),
    )


def _area(pull: PullRequest) -> str:
    """Return the folder with most changed lines outside of tests; empty if that is the root."""
    lines: Counter[str] = Counter()
    for file in pull.files:
        if not file.is_test:
            *folders, _ = file.path.split("/")
            lines["/".join(folders[:_AREA_DEPTH])] += (file.additions or 0) + (file.deletions or 0)
    return min(lines, key=lambda name: (-lines[name], name), default="")


def _texts(pull: PullRequest) -> Iterator[tuple[EdgeOrigin, str, datetime]]:
    yield "title", pull.title, pull.merged_at
    yield "body", pull.body, pull.merged_at
    for commit in pull.commits:
        subject = commit.message.partition("\n")[0]
        own_number = _OWN_NUMBER.search(subject)
        # A branch that took in others' commits speaks with their words.
        if subject.startswith("Merge ") or (own_number and int(own_number[1]) != pull.number):
            continue
        if commit.sha != pull.merge_commit:
            yield "commit-message", commit.message, commit.authored_at
    for remark in pull.discussion:
        if remark.author_kind == "person":
            yield remark.kind, remark.body, remark.created_at


def _references(pull: PullRequest) -> Iterator[Reference]:
    """Yield what the texts refer to, each target once a text; a program's words tie nothing."""
    if pull.author_kind == "bot":
        return
    for origin, text, said_at in _texts(pull):
        own = [mention for mention in find_mentions(text, pull.title) if _is_ours(mention, pull)]
        if len(own) <= MAX_TARGETS:
            yield from (Reference(mention, origin, said_at) for mention in own)


def _closed(pull: PullRequest, references: Sequence[Reference]) -> Iterator[int]:
    """Yield the numbers of the issues that a pull request closes, by its texts and by GitHub."""
    for reference in references:
        if reference.mention.closes and isinstance(reference.mention.target, int):
            yield reference.mention.target
    for issue in pull.closes:
        if issue.repo.lower() == pull.repo.lower():
            yield issue.number


def _is_ours(mention: Mention, pull: PullRequest) -> bool:
    # Without an address of its own, nobody knows what host it is on.
    is_elsewhere = (
        mention.host is not None
        and pull.url is not None
        and f"//{mention.host.lower()}/" not in pull.url.lower()
    )
    names_ours = mention.repo is None or mention.repo.lower() == pull.repo.lower()
    return names_ours and not is_elsewhere and mention.target != pull.number


def _takes_back(pull: PullRequest, references: Sequence[Reference]) -> frozenset[int | str]:
    title = next(filter(_REVERT_TITLE.match, _behind_tags(pull.title)), None)
    if title is None:
        return frozenset()
    texts = [text for _, text, _ in _texts(pull)]
    commits = {sha.lower() for text in texts for sha in _REVERTED_COMMIT.findall(text)}
    mentions = [reference.mention for reference in references]
    numbers = {m.target for m in mentions if m.relation == "reverts"}
    # "Revert …" is one even if it does not say of what; "Undo history …" may be a feature.
    unknown = {""} if _PLAIN_REVERT.match(title) else set()
    return frozenset(commits | numbers or unknown)


def _behind_tags(title: str) -> Iterator[str]:
    """Yield a title, and what remains of it when its tags are taken off one by one."""
    for _ in range(_MOST_TAGS):
        yield title
        tag = _TAG.match(title)
        if tag is None:
            return
        title = title[tag.end() :]
    yield title


def _refusal(pull: PullRequest) -> tuple[str, str, float | None] | None:
    lines = pull.additions + pull.deletions
    if pull.merged_into != "default-branch":
        # Its base is no state of the default branch, and its work may be in another one's patch.
        return "not-on-default-branch", "it was not merged into the default branch itself", None
    if pull.author_kind == "bot":
        return "bot-author", "a program opened it", None
    if len(pull.files) > MAX_FILES:
        reason = f"it changes {len(pull.files)} files; at most {MAX_FILES} are allowed"
        return "too-many-files", reason, float(len(pull.files))
    if lines > MAX_LINES:
        reason = f"it changes {lines} lines; at most {MAX_LINES} are allowed"
        return "too-many-lines", reason, float(lines)
    if not pull.patch or pull.language is None:
        return "no-code", "it changes no code but tests, documents or data", None
    return None
