"""Which pull requests make a chain; pure and deterministic, whatever the order of the input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter

from davinci_agency.chain.nodes import Node
from davinci_agency.ids import content_digest
from davinci_agency.records import Edge, Evidence

WINDOW = timedelta(days=30)
"""The longest time between two neighbours of a temporal chain."""

Members = tuple[tuple[Node, ...], tuple[Edge, ...]]


def semantic_chains(
    nodes: Sequence[Node], edges: Sequence[Edge], max_length: int
) -> Iterator[Members]:
    """Yield trees of edges, each pull request in one tree at most.

    The strongest edges come first (of those as strong, the one between neighbours in time), and
    each joins the tree that its source begins to that of its target, unless the two together would
    be longer than ``max_length``. So every member but the first is tied to an earlier one.
    """
    known = {node.number: node for node in nodes}
    tree: dict[int, list[int]] = {}
    tied: set[int] = set()

    def preference(edge: Edge) -> tuple[float, timedelta, int, int]:
        apart = known[edge.source].merged_at - known[edge.target].merged_at
        return (-edge.confidence, apart, edge.source, edge.target)

    for edge in sorted(edges, key=preference):
        earlier = tree.setdefault(edge.target, [edge.target])
        later = tree.setdefault(edge.source, [edge.source])
        is_first = edge.source not in tied
        if is_first and earlier is not later and len(earlier) + len(later) <= max_length:
            tied.add(edge.source)
            earlier += later
            tree.update(dict.fromkeys(later, earlier))
    inside: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        if tree[edge.source] is tree[edge.target]:
            inside[id(tree[edge.source])].append(edge)
    for members in {id(members): members for members in tree.values()}.values():
        if len(members) > 1:
            in_order = sorted((known[number] for number in members), key=lambda node: node.when)
            yield tuple(in_order), tuple(_sorted(inside[id(members)], known))


def _sorted(edges: Sequence[Edge], known: Mapping[int, Node]) -> list[Edge]:
    return sorted(edges, key=lambda edge: (known[edge.source].when, known[edge.target].when))


def temporal_chains(
    nodes: Sequence[Node], max_length: int, lengths: Sequence[int]
) -> Iterator[Members]:
    """Yield runs of consecutive pull requests of one author, each in one run at most.

    What is left is put into runs of one area of the tree. Neighbours are merged at most `WINDOW`
    apart, and nothing else ties them: they are what semantic chains are compared with, so their
    lengths are drawn from ``lengths``, those of the semantic ones.
    """
    drawn = sorted(min(length, max_length) for length in lengths) or [min(3, max_length)]
    alone = list(nodes)
    for group, words in (
        (attrgetter("author_id"), "by the same author"),
        (attrgetter("area"), "in the same area of the tree"),
    ):
        taken: set[int] = set()
        for run in _runs([node for node in alone if group(node)], group):
            for members in _cut(run, drawn):
                taken.update(node.number for node in members)
                yield members, tuple(_precedes(*pair, words) for pair in pairwise(members))
        alone = [node for node in alone if node.number not in taken]


def _runs(nodes: Sequence[Node], group: Callable[[Node], str]) -> Iterator[list[Node]]:
    """Yield the runs of neighbours in time, each as long as there is one, group by group."""
    run: list[Node] = []
    for node in sorted(nodes, key=lambda node: (group(node), node.when)):
        if run and (group(run[-1]) != group(node) or node.merged_at - run[-1].merged_at > WINDOW):
            yield run
            run = []
        run.append(node)
    if run:
        yield run


def _cut(run: Sequence[Node], lengths: Sequence[int]) -> Iterator[tuple[Node, ...]]:
    """Yield parts of a run, as long as a length drawn for each one's first member says."""
    place = 0
    while len(run) - place > 1:
        first = run[place]
        # By its own hash, so that what is merged later does not change the draw.
        share = int(content_digest([first.repo, first.number])[:8], 16) / 16**8
        length = lengths[int(share * len(lengths))]
        yield tuple(run[place : place + length])
        place += length


def _precedes(before: Node, after: Node, words: str) -> Edge:
    days = (after.merged_at - before.merged_at) / timedelta(days=1)
    evidence = Evidence(
        speaker=after.number,
        type="precedes",
        origin="merge-order",
        quote=f"the next merged pull request {words}, {days:.1f} days later",
        start=None,
        end=None,
        url=after.url,
        said_at=after.merged_at,
        confidence=0.0,
    )
    return Edge(after.number, before.number, "precedes", 0.0, (evidence,))
