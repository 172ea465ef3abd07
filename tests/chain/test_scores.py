"""How good a chain is."""

from __future__ import annotations

from collections.abc import Mapping

from davinci_agency.chain.lines import ChangedLines
from davinci_agency.chain.scores import score_chain
from davinci_agency.records import Edge, PullRequest, from_json
from tests.chain.support import changed_file, pull

FIRST = from_json(
    pull(1, "Interpolate splines", files=[changed_file("core.py"), changed_file("b.py")], day=1),
    PullRequest,
)
SECOND = from_json(
    pull(2, "Interpolate faster", author="grace", additions=10, deletions=2, day=3), PullRequest
)


def lines_of(*names: str) -> Mapping[str, ChangedLines]:
    return {"core.py": ChangedLines(frozenset(f"{name}()" for name in names), frozenset())}


def edge(source: int, target: int, confidence: float) -> Edge:
    return Edge(source, target, "fixes", confidence, ())


def test_the_scores_of_a_pair_are_what_its_members_share() -> None:
    lines = [lines_of("spline", "knots", "weights"), lines_of("spline", "cache")]
    scores = score_chain([FIRST, SECOND], lines, [edge(2, 1, 0.9)])
    assert scores.edge_strength == 0.9
    assert scores.topic_consistency == 0.5
    assert scores.file_overlap == 1.0
    assert scores.symbol_overlap == 0.5
    assert scores.overall == 0.725
    assert (scores.span_days, scores.authors, scores.lines) == (2.0, 2, 14)


def test_a_single_pull_request_has_no_shares() -> None:
    scores = score_chain([FIRST], [], [])
    assert (scores.overall, scores.edge_strength, scores.topic_consistency) == (None, None, None)
    assert (scores.span_days, scores.authors, scores.lines) == (0.0, 1, 2)


def test_a_chain_is_as_strong_as_the_weakest_of_the_ties_that_it_needs() -> None:
    pulls = [FIRST, SECOND, from_json(pull(3), PullRequest)]
    lines = [lines_of("spline")] * 3
    edges = [edge(2, 1, 0.8), edge(3, 1, 0.76), edge(3, 2, 0.95)]
    assert score_chain(pulls, lines, edges).edge_strength == 0.8


def test_words_that_stand_everywhere_are_no_topic() -> None:
    one = from_json(pull(1, "Fix the bug with it"), PullRequest)
    other = from_json(pull(2, "Fix the bug with that"), PullRequest)
    scores = score_chain([one, other], [{}, {}], [edge(2, 1, 0.9)])
    assert (scores.topic_consistency, scores.symbol_overlap) == (0.0, 0.0)
