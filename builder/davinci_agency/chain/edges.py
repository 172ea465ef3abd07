"""From what pull requests say and do to each other to edges; pure.

An edge runs from the later pull request (source) to the earlier one (target) in the order of their
merges, whoever of the two speaks of the other; so no chain can run in a circle. All evidence for a
pair is kept.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import get_args

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.nodes import Node, Reference
from davinci_agency.chain.phrases import Relation
from davinci_agency.records import Edge, EdgeOrigin, EdgeType, Evidence

MAX_OF_ISSUE = 6
"""An issue that more pull requests close is a list of things to do, and ties none of them."""

STRONG = 0.75
"""The confidence from which on an edge may tie a chain."""

_OF_RELATION: Mapping[Relation, tuple[float, float]] = {
    "fixes": (0.9, 0.95),
    "supersedes": (0.9, 0.95),
    "depends-on": (0.85, 0.95),
    "follows-up": (0.9, 0.95),
    "reverts": (0.9, 0.95),
    "backports": (0.9, 0.95),
    "split": (0.85, 0.95),
    "brought": (0.6, 0.85),
    "changed": (0.6, 0.85),
    "when": (0.6, 0.85),
    "tells": (0.5, 0.8),
    "names": (0.5, 0.8),
    "compares": (0.3, 0.5),
}
"""What words are worth: between two that share no file, and between two that do. Near the share of
true dependencies among the first 240 pairs that were labelled; ``tests/chain/truth`` holds others.
"""
_OF_STACK = (0.3, 0.5)
"""Most branches that hold another one's commits were only begun where it stood."""
_OF_ISSUE = (0.4, 0.6)
_OF_LINES = 0.65
_OF_ORIGIN: Mapping[EdgeOrigin, float] = {"comment": 0.8, "review": 0.8, "review-comment": 0.7}
"""What others' words and second thoughts are worth beside an author's own, which count in full."""
_ORIGINS = get_args(EdgeOrigin)
_SOURCES: Mapping[EdgeOrigin, str] = {"branch": "branch", "issue": "issue", "patch": "patch"}
"""Evidence of one source, such as two texts that say the same, proves no more than the best of it.
"""
_OUTSIDE: frozenset[EdgeType] = frozenset({"reverts", "backports", "precedes"})
"""Types that tie no chain: they are no step forward."""
_TYPES: Mapping[Relation, EdgeType] = {
    "fixes": "fixes",
    "supersedes": "supersedes",
    "depends-on": "depends-on",
    "follows-up": "follows-up",
    "split": "follows-up",
    "reverts": "reverts",
    "backports": "backports",
}
"""What the later one is by its own words; where they state nothing else, it mentions the other."""
_BY_WEIGHT: tuple[EdgeType, ...] = (
    *("fixes", "supersedes", "depends-on", "follows-up", "reverts", "backports"),
    *("touches-lines-of", "shares-issue", "mentions"),
)
"""Of the types that the evidence of one pair proves, the first is the edge's: what words state
before what the changes show, and that before what nobody says more of."""

Pair = tuple[int, int]
"""The numbers of a later and of an earlier pull request."""


def reverted(nodes: Sequence[Node], commits: CommitIndex) -> dict[int, int]:
    """Return the numbers that a later pull request of the repository took back, and by which."""
    known = {node.number: node for node in nodes}
    taken: dict[int, int] = {}
    for node in nodes:
        for what in node.takes_back:
            number = commits.number(what)
            if number in known and known[number].when < node.when:
                taken.setdefault(number, node.number)
    return taken


def is_strong(edge: Edge) -> bool:
    """Tell whether an edge may tie a chain."""
    return edge.confidence >= STRONG and edge.type not in _OUTSIDE


def find_evidence(nodes: Sequence[Node], commits: CommitIndex) -> dict[Pair, list[Evidence]]:
    """Return what pull requests of one repository say of each other, by pairs."""
    known = {node.number: node for node in nodes}
    found: dict[Pair, list[Evidence]] = defaultdict(list)
    for node in nodes:
        for other, evidence in _said(node, known, commits):
            earlier, later = sorted((node, other), key=lambda n: n.when)
            found[later.number, earlier.number].append(evidence)
    for later, earlier, evidence in _shared_issues(nodes, known):
        found[later.number, earlier.number].append(evidence)
    return found


def evidence_of_lines(later: Node, earlier: Node, touched: Mapping[str, int]) -> Evidence:
    """Return the evidence that a pull request changes lines of an earlier one, by file."""
    count = sum(touched.values())
    files = ", ".join(touched)
    words = (
        f"it changes {count} {'line' if count == 1 else 'lines'} of #{earlier.number} in {files}"
    )
    return _found(later, "touches-lines-of", "patch", words[:300], _OF_LINES)


def make_edges(found: Mapping[Pair, Sequence[Evidence]]) -> list[Edge]:
    """Return an edge for each pair, by source, strongest first."""
    edges = [_edge(pair, evidence) for pair, evidence in found.items()]
    return sorted(edges, key=lambda edge: (edge.source, -edge.confidence, edge.target))


def _said(
    node: Node, known: Mapping[int, Node], commits: CommitIndex
) -> Iterator[tuple[Node, Evidence]]:
    """Yield what a pull request's texts and branch say of others, with those."""
    for reference in node.references:
        target = commits.number(reference.mention.target)
        other = None if target is None else known.get(target)
        if other is not None and other is not node:
            yield other, _of_words(node, other, reference)
    below = None if node.stacked_on is None else known.get(node.stacked_on)
    # Where many work on one branch, its commits are no sign that one waited for the other.
    if below is not None and below.author_id == node.author_id and below.when < node.when:
        words = f"its branch holds the commits of #{below.number}"
        worth = _OF_STACK[_share_a_file(node, below)]
        yield below, _found(node, "depends-on", "branch", words, worth)


def _of_words(node: Node, other: Node, reference: Reference) -> Evidence:
    mention, origin = reference.mention, reference.origin
    worth = _OF_RELATION[mention.relation][_share_a_file(node, other)]
    return Evidence(
        speaker=node.number,
        type=_stated_type(node, other, mention.relation),
        origin=origin,
        quote=mention.evidence,
        start=mention.start,
        end=mention.end,
        url=node.url,
        said_at=reference.said_at,
        confidence=round(worth * _OF_ORIGIN.get(origin, 1.0), 2),
    )


def _stated_type(speaker: Node, other: Node, relation: Relation) -> EdgeType:
    """Return what words state that the later one is; ``mentions`` if they state nothing."""
    is_later = other.when > speaker.when
    if is_later and relation not in ("names", "compares", "reverts", "backports"):
        # "A bug that #9 will fix", "this helps #9": the later one stands on the speaker.
        return "depends-on"
    return _TYPES.get(relation, "mentions")


def _share_a_file(one: Node, other: Node) -> bool:
    return not one.paths.isdisjoint(other.paths)


def _shared_issues(
    nodes: Sequence[Node], known: Mapping[int, Node]
) -> Iterator[tuple[Node, Node, Evidence]]:
    """Yield the neighbours, later and earlier, among those that close one issue."""
    closing: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        for number in node.issues:
            if number not in known:
                closing[number].append(node)
    for number, together in closing.items():
        in_order = sorted(together, key=lambda node: node.when)
        if len(in_order) > MAX_OF_ISSUE:
            continue
        for earlier, later in pairwise(in_order):
            words = f"both close #{number}"
            worth = _OF_ISSUE[_share_a_file(earlier, later)]
            yield later, earlier, _found(later, "shares-issue", "issue", words, worth)


def _found(
    node: Node, kind: EdgeType, origin: EdgeOrigin, words: str, confidence: float
) -> Evidence:
    return Evidence(
        node.number, kind, origin, words, None, None, node.url, node.merged_at, confidence
    )


def _edge(pair: Pair, evidence: Sequence[Evidence]) -> Edge:
    source, target = pair
    # Of two as strong the later one's own word counts, and the one said in its title first.
    in_order = sorted(
        evidence,
        key=lambda e: (
            (-e.confidence, e.speaker != source, e.speaker, _ORIGINS.index(e.origin)),
            (e.said_at, e.start or 0, e.quote),
        ),
    )
    # A title is often a commit's subject too: the same words prove nothing more.
    once = {(e.speaker, e.type, e.quote): e for e in reversed(in_order)}
    kept = tuple(e for e in in_order if once[e.speaker, e.type, e.quote] is e)
    # That a branch stands on another's says less than what its author wrote, or changed.
    said = [e.type for e in kept if e.origin != "branch"]
    kind = min(said or [e.type for e in kept], key=_BY_WEIGHT.index)
    return Edge(source, target, kind, _together(kept), kept)


def _together(evidence: Sequence[Evidence]) -> float:
    """Return how sure evidence makes: it fails only if all its independent sources do."""

    def source(one: Evidence) -> str:
        return _SOURCES.get(one.origin, "words")

    best = [
        max(e.confidence for e in same)
        for _, same in groupby(sorted(evidence, key=source), key=source)
    ]
    return round(1 - math.prod(1 - confidence for confidence in best), 2)
