"""Which pull requests make a chain; pure and deterministic, whatever the order of the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from davinci_agency.chain.nodes import Node
from davinci_agency.records import Edge, Evidence

WINDOW = timedelta(days=30)
"""The longest time between two neighbours of a temporal chain."""

TEMPORAL_LENGTH = 3
"""The most members of a temporal chain. Most semantic chains that commit messages support have two
or three, and what they are compared with should be as long."""

Members = tuple[tuple[Node, ...], tuple[Edge, ...]]


def semantic_chains(
    nodes: Sequence[Node], edges: Mapping[int, Sequence[Edge]], max_length: int
) -> Iterator[Members]:
    """Yield paths of edges, each pull request in one path at most, the longest paths first.

    Every path is the longest that leads back from its last member (of several as long, the one of
    the stronger edges, then of the lower numbers), cut where it is longer than ``max_length`` or
    meets a member of a path before it.
    """
    known = {node.number: node for node in nodes}
    longest: dict[int, tuple[int, int]] = {}
    step: dict[int, Edge] = {}
    for node in sorted(nodes, key=lambda node: node.when):
        longest[node.number] = (1, 0)
        for edge in edges.get(node.number, ()):
            if edge.target in longest:
                length, proof = longest[edge.target]
                candidate = (length + 1, proof + round(100 * edge.confidence))
                if candidate > longest[node.number]:
                    longest[node.number], step[node.number] = candidate, edge
    used: set[int] = set()
    for number in sorted(longest, key=lambda n: (-longest[n][0], -longest[n][1], n)):
        path, ties = [number], []
        while len(path) < max_length and (tie := step.get(path[-1])) and tie.target not in used:
            path.append(tie.target)
            ties.append(tie)
        if number not in used and len(path) > 1:
            used.update(path)
            members = sorted((known[n] for n in path), key=lambda node: node.when)
            yield tuple(members), tuple(ties[::-1])


def temporal_chains(nodes: Sequence[Node], max_length: int) -> Iterator[Members]:
    """Yield runs of consecutive pull requests of one author, each in one run at most.

    Neighbours are merged at most `WINDOW` apart. Nothing else ties them: they are what semantic
    chains are compared with.
    """
    order = sorted(nodes, key=lambda node: (node.author_id, node.when))
    run: list[Node] = []
    for node in order:
        if run and not _consecutive(run[-1], node):
            yield from _cut(run, min(max_length, TEMPORAL_LENGTH))
            run = []
        run.append(node)
    yield from _cut(run, min(max_length, TEMPORAL_LENGTH))


def _consecutive(before: Node, after: Node) -> bool:
    same_author = before.author_id == after.author_id
    return same_author and after.merged_at - before.merged_at <= WINDOW


def _cut(run: Sequence[Node], max_length: int) -> Iterator[Members]:
    """Yield a run in parts as equal as can be, so that no single one is left over at its end."""
    if len(run) < 2:
        return
    count = -(-len(run) // max_length)
    bounds = [len(run) * part // count for part in range(count + 1)]
    for start, end in pairwise(bounds):
        members = tuple(run[start:end])
        # Of three in twos one stays alone all the same, and is no chain.
        if len(members) > 1:
            yield members, tuple(_precedes(*pair) for pair in pairwise(members))


def _precedes(before: Node, after: Node) -> Edge:
    days = (after.merged_at - before.merged_at) / timedelta(days=1)
    words = f"the same author's next merged pull request, {days:.1f} days later"
    evidence = Evidence(
        speaker=after.number,
        type="precedes",
        origin="merge-order",
        quote=words,
        start=None,
        end=None,
        url=after.url,
        said_at=after.merged_at,
        confidence=0.0,
    )
    return Edge(after.number, before.number, "precedes", 0.0, (evidence,))
