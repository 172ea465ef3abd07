"""Queries made of the author's own words, and of nothing that gives the change away."""

from __future__ import annotations

import time

import pytest

from davinci_agency.leaks import Secrets, find_leaks
from davinci_agency.query import Written
from davinci_agency.query.extractive import ExtractiveWriter
from davinci_agency.records import ChainStage
from tests.query.support import stage, stages_of

WRITER = ExtractiveWriter()


def query(title: str, body: str = "") -> str | None:
    """Return the query of a chain of one stage."""
    queries = written(stages_of(stage(title, body)))
    return queries[0] if queries else None


def written(stages: tuple[ChainStage, ...]) -> tuple[str, ...]:
    """Return the queries of a chain; none if it can't be asked for."""
    said = WRITER.write(stages, Secrets(stages))
    return said.queries if isinstance(said, Written) else ()


def test_a_query_is_the_title_and_what_the_description_says() -> None:
    body = "Large values lose their last digit when they are rounded. They should keep it."
    assert query("make rounding exact", body) == f"Make rounding exact. {body}"


@pytest.mark.parametrize(
    "title",
    [
        "fix: make rounding exact",
        "fix(core)!: make rounding exact",
        "[core] make rounding exact",
        "BUG: make rounding exact",
        "BUG, MAINT: [1.x] make rounding exact",
        "make rounding exact (closes #12)",
        "make rounding exact, fixes #12",
        "  make   rounding exact ",
        "Make rounding exact.",
    ],
)
def test_tags_and_closing_words_are_stripped_from_a_title(title: str) -> None:
    assert query(title) == "Make rounding exact."


@pytest.mark.parametrize(
    "extra",
    [
        "```python\nThe value of this code is not a sentence.\n```",
        "~~~\nThe value of this code is not a sentence.\n~~~",
        "> Somebody else said all of these words here.",
        "# A heading that has many words in it",
        "| a table | with many | words in it | too |",
        "- [ ] I have read all of the rules here",
        "Signed-off-by: Ada and Grace and many others",
        "Co-authored-by: Ada and Grace and many others",
        "Reviewed-by: Ada and Grace and many others",
        "cc all the people who know about this",
        "<!-- A comment that nobody should ever see -->",
        "(cherry picked from a commit of another branch)",
        "Fixes #12 in all the places there are",
        "Too few words.",
        "See https://example.org for what people said about it.",
        "The name new_value is what it will be called.",
        "It changes src/rounding.py and nothing else at all.",
        "The call `round` is to be replaced by another.",
        "x " * 300 + "many words in one sentence",
    ],
)
def test_what_is_no_plain_sentence_is_dropped_and_the_rest_stays(extra: str) -> None:
    kept = "Large values lose their last digit."
    expected = f"Make rounding exact. {kept}"
    assert query("Make rounding exact", f"{kept}\n\n{extra}") == expected
    assert query("Make rounding exact", f"{extra}\n\n{kept}") == expected


def test_points_of_a_list_are_sentences() -> None:
    body = "- large values lose their last digit\n* small values are never rounded at all"
    assert query("Make rounding exact", body) == (
        "Make rounding exact. Large values lose their last digit. "
        "Small values are never rounded at all."
    )


def test_a_sentence_that_is_said_twice_is_asked_once() -> None:
    body = "Make rounding exact now. Make rounding exact now."
    assert query("Make rounding exact now", body) == "Make rounding exact now."


def test_what_a_title_gives_away_is_masked() -> None:
    assert query("Make rounding of new_value exact again") == (
        "Make rounding of the affected code exact again."
    )
    assert query("Make the rounding in src/rounding.py exact") == (
        "Make the rounding in the affected file exact."
    )


def test_a_title_that_says_nothing_without_its_leaks_is_left_out() -> None:
    body = "Large values lose their last digit."
    assert query("Fix new_value", body) == body


def test_a_title_with_a_number_or_an_address_in_its_midst_is_left_out() -> None:
    body = "Large values lose their last digit."
    assert query("Do what PR 12 did for rounding", body) == body
    assert query("Do what https://example.org says of rounding", body) == body


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Fix new_value", ""),
        ("Fix it", "Too short."),
        ("", ""),
        ("src/rounding.py", "```\nall of it is code and nothing else\n```"),
        ("\u4fee\u6b63", "\u8aac\u660e"),
    ],
)
def test_nothing_is_asked_when_no_words_are_left(title: str, body: str) -> None:
    assert query(title, body) is None


def test_a_chain_begins_with_an_overview_of_its_steps() -> None:
    stages = stages_of(
        stage("Make rounding exact", "Large values lose their last digit."),
        stage("Make rounding fast", "It takes far too long today.", number=13),
    )
    first, second = written(stages)
    assert first == (
        "This work has 2 steps: (1) Make rounding exact. (2) Make rounding fast. "
        "Begin with the first. Large values lose their last digit."
    )
    assert second == "Make rounding fast. It takes far too long today."


def test_a_chain_with_one_step_that_can_t_be_asked_for_is_not_asked_at_all() -> None:
    assert written(stages_of(stage(), stage("Fix new_value", number=13))) == ()


def test_a_step_s_query_gives_nothing_away_of_another_step() -> None:
    other = stage("Make sums as exact as rounding", number=13, paths=("src/sums_of.py",), patch="")
    first = stage("Make rounding exact", "The file sums_of.py needs it as well.")
    queries = written(stages_of(first, other))
    assert len(queries) == 2
    assert not any("sums_of" in text for text in queries)


def test_a_long_description_makes_a_query_of_bounded_length() -> None:
    body = " ".join(f"Large values lose digit {n} of their digits." for n in range(500))
    assert len(query("Make rounding exact", body) or "") < 1_300


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Make rounding exact", "words and more words. " * 100_000),
        ("Make rounding exact", "(#1" * 200_000),
        ("Make rounding exact", "fix" + " " * 5_000 + "#"),
        ("Make rounding exact", "[" * 200_000),
        ("[a] " * 20_000, ""),
    ],
    ids=["prose", "numbers", "spaces", "brackets", "tags"],
)
def test_odd_and_huge_texts_take_bounded_time(title: str, body: str) -> None:
    begin = time.monotonic()
    query(title, body)
    assert time.monotonic() - begin < 6


@pytest.mark.parametrize("title", ["a" + " " * 2_000 + "b", "1" * 50_000], ids=["spaces", "digits"])
def test_an_odd_title_takes_no_longer_than_other_titles(title: str) -> None:
    begin = time.monotonic()
    query(title)
    assert time.monotonic() - begin < 3


def test_a_query_never_holds_what_its_own_rules_call_a_leak() -> None:
    stages = stages_of(stage("Make `rounding` exact", "A ` lone mark of code. Another ` of them."))
    for text in written(stages):
        assert find_leaks(text, Secrets(stages)) == []
