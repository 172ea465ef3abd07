"""From what pull requests say of each other to edges; pure.

An edge runs from the later pull request (source) to the earlier one (target) in the order of their
merges, whoever of the two speaks of the other; so no chain can run in a circle.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from davinci_agency.chain.mentions import MAX_TARGETS, Mention, find_mentions
from davinci_agency.records import Edge, EdgeOrigin, EdgeType, PullRequest

MAX_FILES = 60
MAX_LINES = 4_000
"""A larger pull request is a mechanical change more often than a piece of work."""

_OWN_NUMBER = re.compile(r"\(#(\d{1,9})\)\s*$")
_TAG = re.compile(r"\s*(?:\[[^\]]{1,40}\]|[^:\s][^:]{0,40}:(?=\s))\s*")
_MOST_TAGS = 4
_REVERT_TITLE = re.compile(
    r"\W*(?:revert(?:s|ed|ing)?|undo(?:es|ing)?|back(?:s|ed|ing)? out)\b", re.IGNORECASE
)
_PLAIN_REVERT = re.compile(r"\W*revert", re.IGNORECASE)
_REVERTED_COMMIT = re.compile(r"\breverts commit ([0-9a-f]{40,64})\b", re.IGNORECASE)
_STRENGTH: Mapping[EdgeType, int] = {
    "fixes": 4,
    "follows-up": 4,
    "depends-on": 3,
    "supersedes": 2,
    "mentions": 1,
    "precedes": 0,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One text's reference to a pull request of the same repository."""

    target: int
    type: EdgeType | None
    origin: EdgeOrigin
    evidence: str


@dataclass(frozen=True, slots=True)
class Node:
    """What chaining holds of a pull request: no patch, no long text.

    Attributes:
        place: where the record can be read again.
        repo, number, url, author_id, merged_at, merge_commit, language, lines: as in the record.
        paths: the files that it changes, a renamed one under both its names.
        references: the pull requests that its texts name.
        takes_back: the pull requests and commits that it reverts.
        refusal: the rule, reason and measure why no chain may hold it; ``None`` if one may.
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
    references: tuple[Reference, ...]
    takes_back: frozenset[int | str]
    refusal: tuple[str, str, float | None] | None

    @property
    def when(self) -> tuple[datetime, int]:
        """Its place in the order of merges."""
        return (self.merged_at, self.number)


def make_node(place: int, pull: PullRequest) -> Node:
    """Return what chaining holds of a pull request."""
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
        references=references,
        takes_back=_takes_back(pull, references),
        refusal=_refusal(pull),
    )


def _texts(pull: PullRequest) -> Iterator[tuple[EdgeOrigin, str]]:
    yield "title", pull.title
    yield "body", pull.body
    for commit in pull.commits:
        subject = commit.message.partition("\n")[0]
        own_number = _OWN_NUMBER.search(subject)
        # A branch that took in others' commits speaks with their words.
        if subject.startswith("Merge ") or (own_number and int(own_number[1]) != pull.number):
            continue
        if commit.sha != pull.merge_commit:
            yield "commit-message", commit.message


def _references(pull: PullRequest) -> Iterator[Reference]:
    named: dict[int, Reference] = {}
    for origin, text in _texts(pull):
        own = [mention for mention in find_mentions(text) if _is_ours(mention, pull)]
        if len(own) > MAX_TARGETS:
            continue
        for mention in own:
            known = named.get(mention.number)
            if known is None or (known.type == "mentions" and mention.type != "mentions"):
                named[mention.number] = Reference(
                    mention.number, mention.type, origin, mention.evidence
                )
    yield from named.values()


def _is_ours(mention: Mention, pull: PullRequest) -> bool:
    ours = mention.repo is None or mention.repo.lower() == pull.repo.lower()
    return ours and mention.number != pull.number


def _takes_back(pull: PullRequest, references: Sequence[Reference]) -> frozenset[int | str]:
    title = next(filter(_REVERT_TITLE.match, _behind_tags(pull.title)), None)
    if title is None:
        return frozenset()
    texts = [text for _, text in _texts(pull)]
    commits = {sha.lower() for text in texts for sha in _REVERTED_COMMIT.findall(text)}
    # A backport has no type either, and takes nothing back.
    numbers = {r.target for r in references if r.type is None and "rever" in r.evidence.lower()}
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


def reverted(nodes: Sequence[Node], commits: Mapping[str, int]) -> dict[int, int]:
    """Return the numbers that a later pull request of the repository took back, and by which.

    ``commits`` gives the number of the pull request that a commit belongs to.
    """
    known = {node.number: node for node in nodes}
    taken: dict[int, int] = {}
    for node in nodes:
        for what in node.takes_back:
            number = what if isinstance(what, int) else commits.get(what)
            if number in known and known[number].when < node.when:
                taken.setdefault(number, node.number)
    return taken


def find_edges(nodes: Sequence[Node]) -> dict[int, list[Edge]]:
    """Return the edges between pull requests of one repository, strongest first, by their source.

    Both ends must share a file: of references that don't, most say nothing about the work.
    """
    known = {node.number: node for node in nodes}
    best: dict[tuple[int, int], tuple[int, bool, Edge]] = {}
    for node in nodes:
        for reference in node.references:
            other = known.get(reference.target)
            if other is None or reference.type is None or not node.paths & other.paths:
                continue
            edge = _edge(node, other, reference)
            pair = (edge.source, edge.target)
            # Of two as strong the later one's own word counts.
            proof = (strength(edge), node.number == edge.source)
            if pair not in best or proof > best[pair][:2]:
                best[pair] = (*proof, edge)
    edges: dict[int, list[Edge]] = defaultdict(list)
    for edge in sorted(
        (edge for _, _, edge in best.values()),
        key=lambda edge: (-strength(edge), edge.source, edge.target),
    ):
        edges[edge.source].append(edge)
    return edges


def _edge(speaker: Node, other: Node, reference: Reference) -> Edge:
    forward = other.when > speaker.when
    kind: EdgeType = reference.type or "mentions"
    if forward and kind != "mentions":
        # "Follow-up in #9" and "needed for #9" make the later one depend on the speaker.
        kind = "depends-on"
    later, earlier = (other, speaker) if forward else (speaker, other)
    return Edge(
        source=later.number,
        target=earlier.number,
        type=kind,
        origin=reference.origin,
        evidence=reference.evidence,
        url=speaker.url,
    )


def strength(edge: Edge) -> int:
    """Return how much an edge proves, from 0 (only an order) to 4 (a fix, a follow-up)."""
    return _STRENGTH[edge.type]
