"""What is tied to a chain and left out of it, and ties that only the changes show."""

from __future__ import annotations

from collections.abc import Mapping

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.lines import ChangedLines
from davinci_agency.chain.mentions import MAX_TARGETS
from davinci_agency.chain.neighbours import Neighbourhood
from davinci_agency.chain.nodes import Node
from tests.chain.support import node

ADDED = {"core.py": ChangedLines(frozenset({"HALF = 0.5", "THIRD = 0.33"}), frozenset())}
TAKEN = {"core.py": ChangedLines(frozenset(), frozenset({"HALF = 0.5"}))}


def hood(
    *nodes: Node,
    refused: Mapping[int, str] | None = None,
    lines: Mapping[int, Mapping[str, ChangedLines]] | None = None,
) -> Neighbourhood:
    """Return the neighbourhood of nodes, whose lines are given by number."""
    given = lines or {}
    return Neighbourhood(
        nodes, refused or {}, CommitIndex({}), lambda one: given.get(one.number, {})
    )


def test_changes_to_its_lines_make_a_comparison_a_tie() -> None:
    nodes = [node(1), node(2, "The same as #1")]
    assert hood(*nodes).ties == []
    (tie,) = hood(*nodes, lines={1: ADDED, 2: TAKEN}).ties
    assert tie.type == "touches-lines-of"
    assert tie.evidence[0].quote == "it changes 1 line of #1 in core.py"
    assert (tie.evidence[0].origin, tie.evidence[0].type) == ("patch", "touches-lines-of")


def test_lines_are_compared_only_where_a_file_is_shared() -> None:
    nodes = [node(1, paths=["a.py"]), node(2, "See #1", paths=["b.py"])]
    assert hood(*nodes, lines={1: ADDED, 2: TAKEN}).ties == []


def test_members_whom_nothing_else_ties_are_tied_by_their_lines() -> None:
    nodes = [node(1), node(2, "Fix #1"), node(3, "Fix #2")]
    around = hood(*nodes, lines={1: ADDED, 3: TAKEN})
    (edge,) = around.of_lines(nodes, around.ties)
    assert (edge.source, edge.target, edge.type) == (3, 1, "touches-lines-of")


def test_every_neighbour_is_named_with_what_it_was_left_out_for() -> None:
    nodes = [
        node(1),
        node(2, "Fix #1"),
        node(3, "The same as #2"),
        node(4, "Fix #2", author_kind="bot"),
        node(5, "Fix #2"),
        node(6, "Fix #1"),
        node(7, 'Revert "Fix #2"', "Reverts #2."),
    ]
    around = hood(*nodes, refused={7: "revert"})
    left = around.left_out(nodes[:2], chained={1, 2, 6})
    assert [(one.number, one.member, one.reason) for one in left] == [
        (3, 2, "weak-tie"),
        (5, 2, "chain-is-full"),
        (6, 1, "in-another-chain"),
        (7, 2, "revert"),
    ]
    assert left[0].quote == "The same as #2"


def test_what_stands_on_very_many_is_no_member_of_any() -> None:
    earlier = [node(number) for number in range(1, MAX_TARGETS + 2)]
    messages = [f"Part {one.number}\n\nFixes #{one.number}" for one in earlier]
    release = node(20, messages=messages)
    around = hood(*earlier, release)
    assert around.ties == []
    assert set(map(around.reason, around.edges)) == {"hub"}
    few = node(20, messages=messages[:-1])
    assert len(hood(*earlier, few).ties) == MAX_TARGETS


def test_lines_of_a_list_of_others_are_not_compared() -> None:
    earlier = [node(number) for number in range(1, 41)]
    said = [f"See #{one.number}." for one in earlier]
    asked: list[int] = []

    def lines_of(one: Node) -> Mapping[str, ChangedLines]:
        asked.append(one.number)
        return {}

    Neighbourhood([*earlier, node(50, messages=said)], {}, CommitIndex({}), lines_of)
    assert asked == []
    Neighbourhood([*earlier, node(50, messages=said[:3])], {}, CommitIndex({}), lines_of)
    assert set(asked) == {1, 2, 3, 50}
