"""All that is known of how the pull requests of one repository stand to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.edges import evidence_of_lines, find_evidence, is_strong, make_edges
from davinci_agency.chain.lines import ChangedLines, touched_lines
from davinci_agency.chain.mentions import MAX_TARGETS
from davinci_agency.chain.nodes import Node
from davinci_agency.records import Edge, LeftOut

_MOST_COMPARED = 24
"""What names more others is a list of them, and its lines say nothing; to compare them all would
take time that grows faster than the texts."""

LinesOf = Callable[[Node], Mapping[str, ChangedLines]]
"""Gives the lines that a pull request changes."""


class Neighbourhood:
    """The edges of one repository, those that may tie chains among them.

    Attributes:
        edges: an edge for each pair of which anything was found, by source.
        ties: those that may tie chains.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        refused: Mapping[int, str],
        commits: CommitIndex,
        lines_of: LinesOf,
    ) -> None:
        """Find the edges; ``refused`` gives the rule by which no chain may hold a pull request."""
        self._known = {node.number: node for node in nodes}
        self._refused = refused
        self._lines_of = lines_of
        found = find_evidence(nodes, commits)
        named = Counter(later for later, _ in found)
        for (later, earlier), evidence in sorted(found.items()):
            may_tie = later not in refused and earlier not in refused
            if may_tie and named[later] <= _MOST_COMPARED:
                touched = self._touched(later, earlier)
                if touched:
                    nodes_of_pair = self._known[later], self._known[earlier]
                    evidence.append(evidence_of_lines(*nodes_of_pair, touched))
        self.edges = make_edges(found)
        strong = [edge for edge in self.edges if self._is_eligible(edge) and is_strong(edge)]
        tied = Counter(edge.source for edge in strong)
        # What stands on so many others is a release or a list, whatever it says of each.
        self._hubs = {number for number, count in tied.items() if count > MAX_TARGETS}
        self.ties = [edge for edge in strong if edge.source not in self._hubs]
        self._at: dict[int, list[Edge]] = {}
        for edge in self.edges:
            for end in (edge.source, edge.target):
                self._at.setdefault(end, []).append(edge)

    def _touched(self, later: int, earlier: int) -> dict[str, int]:
        one, other = self._known[later], self._known[earlier]
        if one.paths.isdisjoint(other.paths):
            return {}
        return touched_lines(self._lines_of(one), self._lines_of(other))

    def _is_eligible(self, edge: Edge) -> bool:
        return edge.source not in self._refused and edge.target not in self._refused

    def of_lines(self, members: Sequence[Node], ties: Sequence[Edge]) -> Iterator[Edge]:
        """Yield an edge for each two members that nothing ties but changes to the same lines."""
        tied = {(edge.source, edge.target) for edge in ties}
        for earlier, later in combinations(members, 2):
            pair = later.number, earlier.number
            touched = self._touched(*pair) if pair not in tied else {}
            if touched:
                found = {pair: [evidence_of_lines(later, earlier, touched)]}
                yield from make_edges(found)

    def left_out(self, members: Sequence[Node], chained: Collection[int]) -> list[LeftOut]:
        """Return what is tied to a chain's members and is none itself, by number.

        ``chained`` are the members of all chains of this kind.
        """
        inside = {node.number for node in members}
        edges = {
            (edge.source, edge.target): edge
            for number in inside
            for edge in self._at.get(number, ())
            if not (edge.source in inside and edge.target in inside)
        }
        left = []
        for edge in edges.values():
            is_later = edge.source not in inside
            outer, inner = (edge.source, edge.target)[:: 1 if is_later else -1]
            full = "in-another-chain" if outer in chained else "chain-is-full"
            reason = self.reason(edge) or full
            quote = edge.evidence[0].quote
            left.append(LeftOut(outer, inner, edge.type, edge.confidence, quote, reason))
        return sorted(left, key=lambda one: (one.number, one.member))

    def reason(self, edge: Edge) -> str:
        """Return why an edge ties no chain, whatever else its ends are in; empty if it may."""
        for end in (edge.source, edge.target):
            if end in self._refused:
                return self._refused[end]
        if edge.type in ("reverts", "backports"):
            return edge.type
        if not is_strong(edge):
            return "weak-tie"
        return "hub" if edge.source in self._hubs else ""
