"""Which pull requests make a chain, whatever order they come in."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.edges import find_edges
from davinci_agency.chain.nodes import Node
from davinci_agency.chain.select import (
    TEMPORAL_LENGTH,
    WINDOW,
    semantic_chains,
    temporal_chains,
)
from tests.chain.support import node

_NODE = node(1)
NO_COMMITS = CommitIndex({})


def made(number: int, *, day: float, author: str = "a" * 16, body: str = "") -> Node:
    """Return a node quickly: merged on a day, with a body."""
    if not body:
        when = _NODE.merged_at + timedelta(days=day)
        return replace(_NODE, place=number, number=number, merged_at=when, author_id=author)
    spoken = node(number, body=body)
    return replace(spoken, merged_at=_NODE.merged_at + timedelta(days=day), author_id=author)


def semantic(nodes: list[Node], max_length: int = 5) -> list[list[int]]:
    """Return the numbers of the semantic chains, as they are found."""
    chains = semantic_chains(nodes, find_edges(nodes, NO_COMMITS), max_length)
    return [[member.number for member in members] for members, _ in chains]


def temporal(nodes: list[Node], max_length: int = 5) -> list[list[int]]:
    """Return the numbers of the temporal chains, as they are found."""
    chains = temporal_chains(nodes, max_length)
    return [[member.number for member in members] for members, _ in chains]


def _line(length: int) -> list[Node]:
    first = made(1, day=1)
    return [first, *(made(n, day=n, body=f"Fixes #{n - 1}.") for n in range(2, length + 1))]


def test_a_path_of_edges_is_a_chain_in_the_order_of_merges() -> None:
    assert semantic(_line(4)) == [[1, 2, 3, 4]]


def test_a_path_longer_than_allowed_is_cut_and_its_rest_is_a_chain_too() -> None:
    assert semantic(_line(7), max_length=3) == [[5, 6, 7], [2, 3, 4]]


def test_a_pull_request_alone_is_no_chain() -> None:
    assert semantic([made(1, day=1), made(2, day=2)]) == []


def test_of_two_paths_that_meet_the_longer_has_the_meeting_point() -> None:
    nodes = [*_line(3), made(4, day=4, body="Fixes #1."), made(5, day=5, body="Fixes #4.")]
    nodes.append(made(6, day=6, body="Fixes #5."))
    assert semantic(nodes) == [[1, 4, 5, 6], [2, 3]]


def test_of_two_paths_as_long_the_stronger_is_taken() -> None:
    nodes = [made(1, day=1), made(2, day=2, body="See #1."), made(3, day=3, body="Fixes #1.")]
    assert semantic(nodes) == [[1, 3]]


def test_every_edge_of_a_chain_ties_a_member_to_the_one_before_it() -> None:
    nodes = _line(5)
    for members, edges in semantic_chains(nodes, find_edges(nodes, NO_COMMITS), 5):
        ties = [(edge.source, edge.target) for edge in edges]
        assert ties == [(b.number, a.number) for a, b in pairwise(members)]


def test_one_author_s_run_is_a_temporal_chain_without_any_words() -> None:
    nodes = [made(n, day=n) for n in (1, 2, 3)]
    nodes.append(made(4, day=2.5, author="b" * 16))
    assert temporal(nodes) == [[1, 2, 3]]
    (chain,) = temporal_chains(nodes, 5)
    assert [(e.source, e.target, e.type, e.evidence[0].origin) for e in chain[1]] == [
        (2, 1, "precedes", "merge-order"),
        (3, 2, "precedes", "merge-order"),
    ]


def test_neighbours_further_apart_than_the_window_are_in_two_chains() -> None:
    days = WINDOW / timedelta(days=1)
    apart = [made(1, day=0), made(2, day=days), made(3, day=2 * days + 0.01)]
    assert temporal(apart) == [[1, 2]]


def test_a_temporal_chain_has_three_members_at_most() -> None:
    assert TEMPORAL_LENGTH == 3
    nodes = [made(n, day=n) for n in range(1, 8)]
    assert all(len(chain) <= 3 for chain in temporal(nodes, max_length=9))
    assert sorted(n for chain in temporal(nodes, max_length=9) for n in chain) == [*range(1, 8)]
    assert all(len(chain) <= 2 for chain in temporal(nodes, max_length=2))


def test_a_run_of_four_is_cut_into_halves_and_leaves_nobody_over() -> None:
    assert temporal([made(n, day=n) for n in range(1, 5)]) == [[1, 2], [3, 4]]


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
    edges = find_edges(nodes, NO_COMMITS)
    shuffled = random.Random(seed).sample(nodes, len(nodes))  # noqa: S311
    for chains, again, longest in (
        (
            list(semantic_chains(nodes, edges, max_length)),
            list(semantic_chains(shuffled, edges, max_length)),
            max_length,
        ),
        (
            list(temporal_chains(nodes, max_length)),
            list(temporal_chains(shuffled, max_length)),
            min(max_length, TEMPORAL_LENGTH),
        ),
    ):
        assert chains == again
        used: Counter[int] = Counter()
        for members, ties in chains:
            _check(members, ties, longest)
            used.update(member.number for member in members)
        assert set(used.values()) <= {1}


def _check(members: tuple[Node, ...], ties: Any, longest: int) -> None:
    assert 2 <= len(members) <= longest
    assert [m.when for m in members] == sorted(m.when for m in members)
    earlier = {members[0].number}
    for member in members[1:]:
        assert any(tie.source == member.number and tie.target in earlier for tie in ties)
        earlier.add(member.number)
