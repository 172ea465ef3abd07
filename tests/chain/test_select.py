"""Which pull requests make a chain, whatever order they come in."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.edges import is_strong
from davinci_agency.chain.nodes import Node
from davinci_agency.chain.select import WINDOW, semantic_chains, temporal_chains
from davinci_agency.records import Edge
from tests.chain.support import find_edges, node

_NODE = node(1)
NO_COMMITS = CommitIndex({})


def made(number: int, *, day: float, author: str = "a" * 16, body: str = "") -> Node:
    """Return a node quickly: merged on a day, with a body."""
    if not body:
        when = _NODE.merged_at + timedelta(days=day)
        return replace(_NODE, place=number, number=number, merged_at=when, author_id=author)
    spoken = node(number, body=body)
    return replace(spoken, merged_at=_NODE.merged_at + timedelta(days=day), author_id=author)


def ties(nodes: list[Node]) -> list[Edge]:
    """Return the edges that may tie chains."""
    found = find_edges(nodes, NO_COMMITS).values()
    return [edge for edges in found for edge in edges if is_strong(edge)]


def semantic(nodes: list[Node], max_length: int = 5) -> list[list[int]]:
    """Return the numbers of the semantic chains, sorted."""
    chains = semantic_chains(nodes, ties(nodes), max_length)
    return sorted([member.number for member in members] for members, _ in chains)


def temporal(nodes: list[Node], *lengths: int, max_length: int = 5) -> list[list[int]]:
    """Return the numbers of the temporal chains, as they are found."""
    chains = temporal_chains(nodes, max_length, lengths)
    return [[member.number for member in members] for members, _ in chains]


def _line(length: int) -> list[Node]:
    first = made(1, day=1)
    return [first, *(made(n, day=n, body=f"Fixes #{n - 1}.") for n in range(2, length + 1))]


def test_a_path_of_edges_is_a_chain_in_the_order_of_merges() -> None:
    assert semantic(_line(4)) == [[1, 2, 3, 4]]


def test_what_is_tied_beyond_the_longest_length_is_another_chain() -> None:
    found = semantic(_line(7), max_length=3)
    assert sorted(number for chain in found for number in chain) == [*range(1, 8)][: len(found) * 3]
    assert all(len(chain) <= 3 for chain in found)


def test_a_pull_request_alone_is_no_chain() -> None:
    assert semantic([made(1, day=1), made(2, day=2)]) == []


def test_paths_that_meet_are_one_tree() -> None:
    nodes = [*_line(3), made(4, day=4, body="Fixes #1.")]
    assert semantic(nodes) == [[1, 2, 3, 4]]


def test_a_member_that_has_two_ties_brings_both() -> None:
    nodes = [*_line(2), made(3, day=3, body="Fixes #1 and #2.")]
    ((_, edges),) = semantic_chains(nodes, ties(nodes), 5)
    assert [(edge.source, edge.target) for edge in edges] == [(2, 1), (3, 1), (3, 2)]


def test_two_that_one_later_one_stands_on_are_not_tied_by_it() -> None:
    nodes = [made(1, day=1), made(2, day=2), made(3, day=3, body="Fixes #1. Fixes #2.")]
    assert semantic(nodes) == [[2, 3]]


def test_where_not_all_have_room_the_stronger_ties_are_taken() -> None:
    nodes = [made(1, day=1), made(2, day=2, body="See #1."), made(3, day=3, body="Fixes #1.")]
    assert semantic(nodes, max_length=2) == [[1, 3]]


def test_of_ties_as_strong_that_of_neighbours_in_time_is_taken() -> None:
    nodes = [made(1, day=1), made(2, day=9, body="Fixes #1."), made(3, day=3, body="Fixes #1.")]
    assert semantic(nodes, max_length=2) == [[1, 3]]


def test_one_author_s_run_is_a_temporal_chain_without_any_words() -> None:
    nodes = [made(n, day=n) for n in (1, 2, 3)]
    nodes.append(made(4, day=2.5, author="b" * 16))
    assert temporal(nodes) == [[1, 2, 3]]
    (chain,) = temporal_chains(nodes, 5, [])
    assert [(e.source, e.target, e.type, e.evidence[0].origin) for e in chain[1]] == [
        (2, 1, "precedes", "merge-order"),
        (3, 2, "precedes", "merge-order"),
    ]


def test_neighbours_further_apart_than_the_window_are_in_two_chains() -> None:
    days = WINDOW / timedelta(days=1)
    apart = [made(1, day=0), made(2, day=days), made(3, day=2 * days + 0.01)]
    assert temporal(apart) == [[1, 2]]


def test_temporal_chains_are_as_long_as_semantic_ones() -> None:
    nodes = [made(n, day=n / 10) for n in range(1, 200)]
    assert {len(chain) for chain in temporal(nodes, 2)} == {2}
    assert set(map(len, temporal(nodes, 2, 2, 2, 5)[:-1])) == {2, 5}
    assert {len(chain) for chain in temporal(nodes)} == {3}
    assert {len(chain) for chain in temporal(nodes, 4, max_length=2)} == {2}


def test_what_is_merged_later_does_not_change_the_chains_before_it() -> None:
    nodes = [made(n, day=n / 10) for n in range(1, 60)]
    *before, _ = temporal(nodes[:40], 2, 3, 5)
    assert temporal(nodes, 2, 3, 5)[: len(before)] == before


def test_what_no_author_s_run_holds_is_put_together_by_area() -> None:
    nodes = [made(n, day=n, author=f"{n:016}") for n in (1, 2, 3)]
    placed = [replace(each, area="src/net") for each in nodes]
    assert temporal(placed) == [[1, 2, 3]]
    ((_, edges),) = temporal_chains(placed, 5, [])
    assert "in the same area of the tree, 1.0 days later" in edges[0].evidence[0].quote
    assert temporal([replace(each, area="") for each in nodes]) == []
    assert temporal([replace(placed[0], area="docs"), *placed[1:]]) == [[2, 3]]


@st.composite
def histories(draw: st.DrawFn) -> list[Node]:
    """Return the nodes of a repository: a few authors, few days, references to one another."""
    count = draw(st.integers(0, 10))
    nodes = []
    for number in range(1, count + 1):
        target = draw(st.integers(0, count))
        word = draw(st.sampled_from(["Fixes", "See", "Follow-up to", "Reverts"]))
        body = f"{word} #{target}." if target else ""
        author = draw(st.sampled_from(["a" * 16, "b" * 16]))
        nodes.append(made(number, day=draw(st.integers(0, 50)), author=author, body=body))
    return nodes


@settings(deadline=None, max_examples=20)
@given(histories(), st.integers(2, 4), st.integers())
def test_chains_are_disjoint_tied_bounded_and_the_same_in_any_order(
    nodes: list[Node], max_length: int, seed: int
) -> None:
    edges = ties(nodes)
    shuffled = random.Random(seed).sample(nodes, len(nodes))  # noqa: S311
    for chains, again in (
        (
            set(semantic_chains(nodes, edges, max_length)),
            set(semantic_chains(shuffled, edges[::-1], max_length)),
        ),
        (
            set(temporal_chains(nodes, max_length, [2, 3])),
            set(temporal_chains(shuffled, max_length, [3, 2])),
        ),
    ):
        assert chains == again
        used: Counter[int] = Counter()
        for members, tied in chains:
            _check(members, tied, max_length)
            used.update(member.number for member in members)
        assert set(used.values()) <= {1}


def _check(members: tuple[Node, ...], ties: Any, longest: int) -> None:
    assert 2 <= len(members) <= longest
    assert [m.when for m in members] == sorted(m.when for m in members)
    earlier = {members[0].number}
    for member in members[1:]:
        assert any(tie.source == member.number and tie.target in earlier for tie in ties)
        earlier.add(member.number)
