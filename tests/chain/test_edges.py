"""From references to edges: always from the later pull request to the earlier one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.edges import MAX_OF_ISSUE, STRONG, is_strong, reverted
from davinci_agency.chain.mentions import MAX_TARGETS
from davinci_agency.chain.nodes import MAX_FILES, MAX_LINES
from davinci_agency.records import Edge, Evidence
from tests.chain.support import changed_file, find_edges, node, pull, sha

NO_COMMITS = CommitIndex({})


def edges_of(*nodes: Any, commits: CommitIndex = NO_COMMITS) -> list[tuple[int, int, str]]:
    """Return source, target and type of every edge between nodes."""
    found = find_edges(nodes, commits)
    return sorted((e.source, e.target, e.type) for edges in found.values() for e in edges)


def test_an_edge_runs_from_the_later_to_the_earlier_and_quotes_its_evidence() -> None:
    speaker = node(2, body="It was slow. Follow-up to #1.")
    said = Evidence(
        speaker=2,
        type="follows-up",
        origin="body",
        quote="Follow-up to #1.",
        start=13,
        end=29,
        url="https://github.com/example/thing/pull/2",
        said_at=speaker.merged_at,
        confidence=0.95,
    )
    edges = find_edges([node(1), speaker], NO_COMMITS)
    assert edges == {2: [Edge(2, 1, "follows-up", 0.95, (said,))]}


def test_the_order_is_that_of_the_merges_and_not_of_the_numbers() -> None:
    assert edges_of(node(9, day=1), node(2, "See #9", day=2)) == [(2, 9, "mentions")]
    assert edges_of(node(9, day=1), node(2, "Fix #9", day=2)) == [(2, 9, "fixes")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("The rest is done in #2.", "depends-on"),
        ("Needed for #2.", "depends-on"),
        ("A bug that is fixed in #2.", "depends-on"),
        ("See #2.", "mentions"),
    ],
)
def test_what_is_said_of_a_later_one_tells_what_that_one_is_to_the_speaker(
    words: str, expected: str
) -> None:
    assert edges_of(node(1, body=words), node(2)) == [(2, 1, expected)]


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("BUG: Rounding loses a digit", "See #1.", "mentions"),
        ("BUG: Rounding loses a digit", "It was introduced in #1.", "fixes"),
        ("Round halves", "It was introduced in #1 and crashes.", "mentions"),
        ("Round halves", "It crashes since #1.", "fixes"),
        ("Round halves", "Introduced in #1.", "mentions"),
        ("Fix rounding", "Follow-up to #1.", "follows-up"),
        ("Round halves", "Follow-up to #1.\n\nUses the table from #1.", "follows-up"),
        ("Round halves", "Split out of #1.", "follows-up"),
    ],
)
def test_the_type_is_what_words_state_and_no_guess(title: str, body: str, expected: str) -> None:
    assert edges_of(node(1), node(2, title, body)) == [(2, 1, expected)]


def test_a_comparison_is_no_tie() -> None:
    (edge,) = find_edges([node(1), node(2, body="The same as #1.")], NO_COMMITS)[2]
    assert edge.type == "mentions"
    assert not is_strong(edge)


def test_two_that_speak_of_each_other_have_one_edge_the_stronger() -> None:
    speakers = node(1, body="See #2."), node(2, body="Fixes #1.")
    assert edges_of(*speakers) == edges_of(*reversed(speakers)) == [(2, 1, "fixes")]


def test_without_a_file_in_common_only_what_is_stated_ties() -> None:
    stated, named = (
        find_edges([node(1, paths=["a.py"]), node(2, title, paths=["b.py"])], NO_COMMITS)[2][0]
        for title in ("Fix #1", "See #1")
    )
    assert (stated.type, is_strong(stated)) == ("fixes", True)
    assert (named.type, is_strong(named)) == ("mentions", False)


def test_a_renamed_file_is_shared_under_both_its_names() -> None:
    renamed = changed_file("new.py", old_path="old.py", status="renamed")
    for path in ("old.py", "new.py"):
        nodes = [node(1, paths=[path]), node(2, "See #1", files=[renamed])]
        (edge,) = find_edges(nodes, NO_COMMITS)[2]
        assert is_strong(edge)


def test_evidence_of_another_kind_makes_an_edge_surer_and_more_of_the_same_does_not() -> None:
    earlier, later = node(1), node(2, "See #1", "See #1. It is slow.", stacked_on=1)
    (edge,) = find_edges([earlier, later], NO_COMMITS)[2]
    (words_only,) = find_edges([earlier, node(2, "See #1")], NO_COMMITS)[2]
    (twice,) = find_edges([earlier, node(2, "See #1", "See #1. It is slow.")], NO_COMMITS)[2]
    assert edge.confidence > words_only.confidence == twice.confidence >= STRONG


def test_another_repository_s_number_is_none_of_ours() -> None:
    assert edges_of(node(1), node(2, "Fix other/project#1")) == []
    assert edges_of(node(1), node(2, "Fix Example/Thing#1")) == [(2, 1, "fixes")]


def test_a_pull_request_does_not_follow_itself() -> None:
    assert edges_of(node(2, "Fix #2", body="https://github.com/example/thing/pull/2")) == []


def test_a_number_that_is_no_pull_request_makes_no_edge() -> None:
    assert edges_of(node(2, "Fix #1")) == []


def test_a_commit_s_message_is_evidence_but_not_the_words_of_others() -> None:
    spoken = node(3, messages=["Work\n\nFixes #1"])
    (edge,) = find_edges([node(1), spoken], NO_COMMITS)[3]
    (said,) = edge.evidence
    assert (edge.type, said.origin, said.quote) == ("fixes", "commit-message", "Fixes #1")
    taken_in = node(3, messages=["Merge branch 'main'\n\nFixes #1", "Other (#2)\n\nFixes #1"])
    assert edges_of(node(1), taken_in) == []


def test_the_message_of_a_squash_is_read_once_as_its_body() -> None:
    squash = pull(3, "Work", messages=["Work (#3)\n\nFixes #1"])
    squash["commits"][0]["sha"] = squash["merge_commit"]
    assert edges_of(node(1), node(3, **{k: squash[k] for k in ("commits",)})) == []


def test_a_text_that_names_many_pull_requests_is_a_list_and_no_statement() -> None:
    earlier = [node(number) for number in range(1, 9)]
    names = [f"Fixes #{number}." for number in range(1, 9)]
    most, too_many = " ".join(names[:MAX_TARGETS]), " ".join(names[: MAX_TARGETS + 1])
    assert len(edges_of(*earlier, node(20, body=most))) == MAX_TARGETS
    assert edges_of(*earlier, node(20, body=too_many)) == []
    assert edges_of(*earlier, node(20, "Follow-up to #3", body=too_many)) == [(20, 3, "follows-up")]


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ('Revert "Change it"', "Reverts #1"),
        ('Revert "Change it"', "Reverts example/thing#1"),
        ("revert: change it", "Reverts #1"),
        ("Revert it", f"This reverts commit {sha('1')}."),
        ("Revert it", f"This reverts commit {sha('1.0')}."),
    ],
)
def test_a_revert_voids_what_it_takes_back_and_itself(title: str, body: str) -> None:
    nodes = node(1), node(2, title, body)
    assert nodes[1].takes_back
    assert reverted(nodes, CommitIndex({sha("1"): 1, sha("1.0"): 1})) == {1: 2}
    assert all(kind == "reverts" for _, _, kind in edges_of(*nodes))
    assert not any(is_strong(e) for es in find_edges(nodes, NO_COMMITS).values() for e in es)


def test_a_title_about_reverting_is_no_revert() -> None:
    assert node(2, "Add a button that reverts a change", "Fixes #1").takes_back == frozenset()


def test_a_revert_takes_back_nothing_that_came_later() -> None:
    assert reverted((node(1, day=9), node(2, "Revert it", "Reverts #1", day=2)), NO_COMMITS) == {}


@pytest.mark.parametrize(
    ("changes", "rule", "measure"),
    [
        ({"author_kind": "bot"}, "bot-author", None),
        ({"paths": [f"{n}.py" for n in range(MAX_FILES + 1)]}, "too-many-files", 61.0),
        ({"additions": MAX_LINES, "deletions": 1}, "too-many-lines", 4001.0),
        ({"patch": ""}, "no-code", None),
        ({"language": None}, "no-code", None),
    ],
)
def test_what_no_chain_may_hold_is_refused_by_a_rule(
    changes: dict[str, Any], rule: str, measure: float | None
) -> None:
    refusal = node(1, **changes).refusal
    assert refusal is not None
    assert (refusal[0], refusal[2]) == (rule, measure)


def test_what_is_just_small_enough_is_not_refused() -> None:
    paths = [f"{n}.py" for n in range(MAX_FILES)]
    assert node(1, paths=paths, additions=MAX_LINES, deletions=0).refusal is None


WORDS = ["Fixes", "See", "Follow-up to", "Depends on", "Reverts", "Supersedes"]


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.sampled_from(WORDS), st.integers(1, 8)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_edges_never_run_in_a_circle_and_do_not_depend_on_the_order_of_nodes(
    said: list[tuple[int, str, int]], chance: Any
) -> None:
    nodes = [
        node(number, body=f"{word} #{target}.", day=day)
        for number, (day, word, target) in enumerate(said, start=1)
    ]
    edges = find_edges(nodes, NO_COMMITS)
    when = {n.number: n.when for n in nodes}
    for of_source in edges.values():
        sure = [edge.confidence for edge in of_source]
        assert sure == sorted(sure, reverse=True)
        assert all(when[edge.source] > when[edge.target] for edge in of_source)
    expected = edges_of(*nodes)
    chance.shuffle(nodes)
    assert edges_of(*nodes) == expected


def test_all_evidence_for_a_pair_is_kept_the_strongest_first() -> None:
    first, second = node(1, body="See #2."), node(2, "Fix #1", body="See #1. Really.")
    (edge,) = find_edges([first, second], NO_COMMITS)[2]
    assert (edge.type, edge.confidence) == ("fixes", 0.95)
    assert [(e.speaker, e.type, e.origin) for e in edge.evidence] == [
        (2, "fixes", "title"),
        (2, "mentions", "body"),
        (1, "mentions", "body"),
    ]


def test_a_quote_is_what_stands_at_its_place_in_the_text() -> None:
    body = (
        "<!-- fixes #9 -->\nWords, `code #8`.\r\nIt was slow. Fixes `round` of #1, at last. More."
    )
    (edge,) = find_edges([node(1), node(2, body=body)], NO_COMMITS)[2]
    (said,) = edge.evidence
    assert said.quote == body[said.start : said.end] == "Fixes `round` of #1, at last."


def remark(body: str, **changes: Any) -> dict[str, Any]:
    values = {"kind": "review", "login_id": None, "author_kind": "person", "state": "commented"}
    return {**values, "created_at": "2024-01-01T00:00:00Z", "path": None, "body": body, **changes}


def test_remarks_of_people_count_less_than_the_author_s_words_and_those_of_bots_nothing() -> None:
    spoken = node(2, discussion=[remark("This fixes #1.")])
    (edge,) = find_edges([node(1), spoken], NO_COMMITS)[2]
    assert (edge.type, edge.evidence[0].origin) == ("fixes", "review")
    assert STRONG <= edge.confidence < 0.95
    assert edges_of(node(1), node(2, discussion=[remark("Fixes #1", author_kind="bot")])) == []


@pytest.mark.parametrize("length", [7, 12, 40])
def test_a_commit_stands_for_its_pull_request(length: int) -> None:
    name = "12ab34cd" + sha("1")[:32]
    text = f"Fix what broke in {name[:length]}."
    index = CommitIndex({name: 1, sha("other"): 3})
    assert edges_of(node(1), node(2, text), node(3), commits=index) == [(2, 1, "fixes")]
    url = f"Fixes https://github.com/example/thing/commit/{name[:length]}"
    assert edges_of(node(1), node(2, body=url), commits=index) == [(2, 1, "fixes")]


def test_a_shortened_commit_that_may_be_two_stands_for_none() -> None:
    index = CommitIndex({"12ab34c" + "0" * 33: 1, "12ab34c" + "1" * 33: 3})
    assert edges_of(node(1), node(2, "Fix 12ab34c"), node(3), commits=index) == []


@pytest.mark.parametrize(
    "text", ["Fix 1.0.0.dev0+12ab34cd", "Fix deadbeef", "Fix 12345678", "Fix a/12ab34cd"]
)
def test_a_version_a_word_and_a_number_are_no_commits(text: str) -> None:
    index = CommitIndex({n + "0" * (40 - len(n)): 1 for n in ("12ab34cd", "deadbeef", "12345678")})
    assert edges_of(node(1), node(2, text), commits=index) == []


def test_two_that_close_one_issue_are_tied_and_a_list_of_things_to_do_ties_nobody() -> None:
    closing = [node(number, body="Closes #100.") for number in (1, 2, 3)]
    assert edges_of(*closing) == [(2, 1, "shares-issue"), (3, 2, "shares-issue")]
    many = [node(number, body="Closes #100.") for number in range(1, MAX_OF_ISSUE + 2)]
    assert edges_of(*many) == []
    issue = {"repo": "example/thing", "number": 100, "title": "Slow", "body": ""}
    assert edges_of(closing[0], node(2, closes=[issue])) == [(2, 1, "shares-issue")]
    apart = [node(1, body="Closes #100."), node(2, body="Closes #100.", paths=["b.py"])]
    assert not is_strong(find_edges(apart, NO_COMMITS)[2][0])


def test_a_branch_on_another_one_of_the_same_author_depends_on_it() -> None:
    assert edges_of(node(1), node(2, stacked_on=1)) == [(2, 1, "depends-on")]
    assert edges_of(node(1, author="grace"), node(2, stacked_on=1)) == []


def test_an_address_on_another_host_is_none_of_ours() -> None:
    address = "Fixes https://{}/example/thing/pull/1"
    assert edges_of(node(1), node(2, body=address.format("evil.example"))) == []
    assert edges_of(node(1), node(2, body=address.format("github.com"))) == [(2, 1, "fixes")]
    nowhere = node(2, body=address.format("git.example"), url=None)
    assert edges_of(node(1), nowhere) == [(2, 1, "fixes")]
