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
        ("Builds on #12", "follows-up"),
        ("part two of #12", "follows-up"),
        ("Addresses the review comments on #12", "follows-up"),
        ("As promised in #12", "follows-up"),
        ("Depends on #12", "depends-on"),
        ("Requires #12", "depends-on"),
        ("Blocked by #12", "depends-on"),
        ("Split out of #12", "depends-on"),
        ("Supersedes #12", "supersedes"),
        ("This replaces #12", "supersedes"),
        ("replaced the list by a tree (#12)", "names"),
        ("Reverts #12", "reverts"),
        ("Backport of #12", "backports"),
        ("Cherry-picked from #12", "backports"),
        ("Fixes a bug, as a follow-up to #12", "follows-up"),
        ("Follow-up that fixes #12", "fixes"),
        ("It was introduced in #12", "brought"),
        ("It is slow since #12", "brought"),
        ("Due to #12", "brought"),
        ("The fix was introduced at #12", "names"),
        ("It made the same fix as #12", "compares"),
        ("Like #12", "compares"),
        ("The same as #12", "compares"),
        ("See also #12", "compares"),
        ("Similar to #12", "compares"),
        ("It was fixed in #12", "names"),
        ("prefixes #12", "names"),
        ("suffixed #12", "names"),
        ("affixes #12", "names"),
    ],
)
def test_the_statement_nearest_to_a_number_decides(text: str, expected: str) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    "title",
    [
        "BUG: Rounding loses a digit",
        "Fix rounding",
        "Avoid a leak",
        "Rounding crashes",
        "Don't lose",
    ],
)
def test_a_title_tells_a_repair(title: str) -> None:
    assert is_repair(title, "")


def test_a_description_tells_a_repair_at_its_beginning_and_not_in_its_logs() -> None:
    assert is_repair("Round halves", "It fails for halves.")
    assert not is_repair("Round halves", "Halves are rounded too. " + "x " * 300 + "It fails.")
    assert not is_repair("Add sums", "People asked for it. A prefix is added.")


@pytest.mark.parametrize(
    "text",
    ["follow " * 30_000, "(" * 200_000, "the result of " * 20_000, "same a b c " * 20_000],
    ids=["follow", "brackets", "result", "same"],
)
def test_endless_words_are_read_no_further_than_they_count(text: str) -> None:
    begin = time.monotonic()
    relation(text, text)
    is_repair("Change it", text)
    assert time.monotonic() - begin < 0.5
