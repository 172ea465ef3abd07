"""What the words beside a number say, and what a pull request says of itself."""

from __future__ import annotations

import doctest
import time

import pytest

from davinci_agency.chain import wording
from davinci_agency.chain.wording import is_repair, relation


def said(text: str) -> str:
    """Return what a text says of ``#12``."""
    before, _, after = text.partition("#12")
    return relation(before, after)


def test_the_examples_in_the_docstrings_are_true() -> None:
    results = doctest.testmod(wording)
    assert (results.failed, results.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See #12", "names"),
        ("#12", "names"),
        ("Refs #12", "names"),
        ("Fixes #12", "fixes"),
        ("FIXES #12", "fixes"),
        ("Fix the crash that was introduced in #12", "fixes"),
        ("This regressed with #12", "fixes"),
        ("Accidentally added in #12", "fixes"),
        ("This was forgotten in #12", "fixes"),
        ("#12 got the branching wrong", "fixes"),
        ("#12 broke it", "fixes"),
        ("Follow-up to #12", "follows-up"),
        ("This is a follow up of #12", "follows-up"),
        ("This PR is following #12", "follows-up"),
        ("Builds on #12", "depends-on"),
        ("part two of #12", "follows-up"),
        ("Addresses the review comments on #12", "follows-up"),
        ("As promised in #12", "follows-up"),
        ("Depends on #12", "depends-on"),
        ("Requires #12", "depends-on"),
        ("Blocked by #12", "depends-on"),
        ("Split out of #12", "split"),
        ("Supersedes #12", "supersedes"),
        ("This replaces #12", "supersedes"),
        ("replaced the list by a tree (#12)", "tells"),
        ("Reverts #12", "reverts"),
        ("Backport of #12", "backports"),
        ("Cherry-picked from #12", "backports"),
        ("Stacked on top of #12", "depends-on"),
        ("Uses the helper from #12", "depends-on"),
        ("Now that #12 is in", "depends-on"),
        ("It reuses the parser introduced in #12", "depends-on"),
        ("Extends #12", "follows-up"),
        ("Documents the option added in #12", "follows-up"),
        ("Stabilizes the behavior introduced in #12", "follows-up"),
        ("An addition to #12", "follows-up"),
        ("See the discussion in #12", "names"),
        ("See #12 for the bug", "names"),
        ("A follow-up to #12, which missed a place", "fixes"),
        ("Removes the cache that was added in #12", "supersedes"),
        ("A different fix for #12", "supersedes"),
        ("Instead of #12", "supersedes"),
        ("This reverts the fix from #12", "reverts"),
        ("It fails until #12", "tells"),
        ("It was wrong even before #12", "when"),
        ("It has crashed since #12", "fixes"),
        ("A proper fix for the crash in #12", "supersedes"),
        ("The crash was introduced a few days ago in #12", "fixes"),
        ("PR #12 added sums, but was missing two things", "fixes"),
        ("- rt: bug in the queue (#12)", "tells"),
        ("Fixes a bug, as a follow-up to #12", "follows-up"),
        ("Follow-up that fixes #12", "fixes"),
        ("It was introduced in #12", "brought"),
        ("It is quick since #12", "when"),
        ("Due to #12", "when"),
        ("The fix was introduced at #12", "brought"),
        ("It made the same fix as #12", "compares"),
        ("Like #12", "compares"),
        ("The same as #12", "compares"),
        ("See also #12", "compares"),
        ("Similar to #12", "compares"),
        ("It was fixed in #12", "tells"),
        ("prefixes #12", "tells"),
        ("suffixed #12", "tells"),
        ("affixes #12", "tells"),
    ],
)
def test_the_statement_nearest_to_a_number_decides(text: str, expected: str) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("title", "previous", "words", "expected"),
    [
        ("BUG: Rounding loses a digit", "", "It was introduced in", "fixes"),
        ("Fix rounding", "", "Added in", "fixes"),
        ("Round halves", "It crashes for them.", "This was added in", "fixes"),
        ("Round halves", "People asked for it.", "This was added in", "brought"),
        ("Fix rounding", "", "The table that it reads was added in", "brought"),
        ("Fix rounding", "", "Due to", "fixes"),
        ("Fix rounding", "", "Here since", "when"),
        ("Remove the cache", "", "It was added in", "supersedes"),
        ("Stabilize the cache", "", "It was added in", "follows-up"),
        ("Remove the cache", "", "It was moved in", "changed"),
    ],
)
def test_what_came_with_another_one_is_a_fault_where_title_or_sentence_say_so(
    title: str, previous: str, words: str, expected: str
) -> None:
    assert relation(f"{words} ", "", title, previous) == expected


@pytest.mark.parametrize(
    "title",
    ["BUG: Rounding loses a digit", "Fix rounding", "Avoid a leak", "It crashes", "Don't lose"],
)
def test_a_title_tells_a_repair(title: str) -> None:
    assert is_repair(title)
    assert not is_repair("Add a prefix")


@pytest.mark.parametrize(
    "text",
    ["follow " * 30_000, "(" * 200_000, "the result of " * 20_000, "same a b c " * 20_000],
    ids=["follow", "brackets", "result", "same"],
)
def test_endless_words_are_read_no_further_than_they_count(text: str) -> None:
    begin = time.monotonic()
    relation(text, text, text[:300], text[:300])
    assert time.monotonic() - begin < 0.5
