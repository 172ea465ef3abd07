"""From what pull requests say of each other to edges; pure.

An edge runs from the later pull request (source) to the earlier one (target) in the order of their
merges, whoever of the two speaks of the other; so no chain can run in a circle. All evidence for a
pair is kept, and the strongest gives the edge its type.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import get_args

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.nodes import Node
from davinci_agency.records import Edge, EdgeOrigin, EdgeType, Evidence

MAX_OF_ISSUE = 6
"""An issue that more pull requests close is a list of things to do, and ties none of them."""

_CONFIDENCE: Mapping[EdgeType, float] = {
    "fixes": 0.9,
    "follows-up": 0.9,
    "depends-on": 0.8,
    "supersedes": 0.7,
    "shares-issue": 0.6,
    "mentions": 0.5,
    "precedes": 0.0,
}
_OF_ORIGIN: Mapping[EdgeOrigin, float] = {"comment": 0.8, "review": 0.8, "review-comment": 0.7}
"""What others' words and second thoughts are worth beside an author's own, which count in full."""
_ORIGINS = get_args(EdgeOrigin)
_OF_STACK = 0.6
"""Half of the branches that hold another one's commits were only begun where it stood."""


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


def find_edges(nodes: Sequence[Node], commits: CommitIndex) -> dict[int, list[Edge]]:
    """Return the edges between pull requests of one repository, strongest first, by their source.

    Both ends must share a file: of references that don't, most say nothing about the work.
    """
    known = {node.number: node for node in nodes}
    edges: dict[int, list[Edge]] = defaultdict(list)
    for edge in find_candidates(nodes, commits):
        if known[edge.source].paths & known[edge.target].paths:
            edges[edge.source].append(edge)
    return edges


def find_candidates(nodes: Sequence[Node], commits: CommitIndex) -> list[Edge]:
    """Return an edge for each pair of which anything was found, by source, strongest first."""
    known = {node.number: node for node in nodes}
    found: dict[tuple[int, int], list[Evidence]] = defaultdict(list)
    for node in nodes:
        for other, evidence in _evidence(node, known, commits):
            earlier, later = sorted((node, other), key=lambda n: n.when)
            found[later.number, earlier.number].append(evidence)
    for later, earlier, evidence in _shared_issues(nodes, known):
        found[later.number, earlier.number].append(evidence)
    edges = [_edge(pair, evidence) for pair, evidence in found.items()]
    return sorted(edges, key=lambda edge: (edge.source, -edge.confidence, edge.target))


def _evidence(
    node: Node, known: Mapping[int, Node], commits: CommitIndex
) -> Iterator[tuple[Node, Evidence]]:
    """Yield what a pull request's texts and branch say of others, with those."""
    for reference in node.references:
        mention = reference.mention
        target = commits.number(mention.target)
        other = None if target is None else known.get(target)
        if other is None or other is node or mention.type is None:
            continue
        kind: EdgeType = mention.type
        if other.when > node.when and kind != "mentions":
            # "Follow-up in #9" and "needed for #9" make the later one depend on the speaker.
            kind = "depends-on"
        yield (
            other,
            Evidence(
                speaker=node.number,
                type=kind,
                origin=reference.origin,
                quote=mention.evidence,
                start=mention.start,
                end=mention.end,
                url=node.url,
                said_at=reference.said_at,
                confidence=round(_CONFIDENCE[kind] * _OF_ORIGIN.get(reference.origin, 1.0), 2),
            ),
        )
    below = None if node.stacked_on is None else known.get(node.stacked_on)
    # Where many work on one branch, its commits are no sign that one waited for the other.
    if below is not None and below.author_id == node.author_id and below.when < node.when:
        words = f"its branch holds the commits of #{below.number}"
        yield below, _found(node, "depends-on", "branch", words, _OF_STACK)


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
            strength = _CONFIDENCE["shares-issue"]
            yield later, earlier, _found(later, "shares-issue", "issue", words, strength)


def _found(
    node: Node, kind: EdgeType, origin: EdgeOrigin, words: str, confidence: float
) -> Evidence:
    return Evidence(
        node.number, kind, origin, words, None, None, node.url, node.merged_at, confidence
    )


def _edge(pair: tuple[int, int], evidence: Sequence[Evidence]) -> Edge:
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
    said = {(e.speaker, e.type, e.quote): e for e in reversed(in_order)}
    kept = tuple(e for e in in_order if said[e.speaker, e.type, e.quote] is e)
    return Edge(source, target, kept[0].type, kept[0].confidence, kept)
