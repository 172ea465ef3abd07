"""What an author's own words say of other pull requests."""

from __future__ import annotations

import doctest
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.chain import mentions
from davinci_agency.chain.mentions import find_mentions


def found(text: str) -> list[tuple[int | str, str | None]]:
    """Return the number and the relation of every mention."""
    return [(mention.target, mention.relation) for mention in find_mentions(text)]


def test_the_examples_in_the_docstrings_are_true() -> None:
    results = doctest.testmod(mentions)
    assert (results.failed, results.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    "text",
    [
        "see #12",
        "#12",
        "(#12)",
        "see #12.",
        "see #12, please",
        "see GH-12",
        "see gh-12!",
        "see PR 12",
        "see pr #12",
        "see PR-12",
        "**#12**",
        "see example/thing#12",
        "https://github.com/example/thing/pull/12",
        "[it](https://github.com/example/thing/issues/12)",
    ],
)
def test_a_number_is_found_in_every_form(text: str) -> None:
    assert [mention.target for mention in find_mentions(text)] == [12]


@pytest.mark.parametrize(
    "text",
    [
        "12",
        "&#12;",
        "a#12",
        "page#12",
        "#012",
        "#0",
        "#12abc",
        "#12-3",
        "#12.5",
        "##12",
        "#1234567890",
        "colour #12ab34",
        "https://github.com/example/thing/tree/12",
        "https://github.com/example/thing/commit/12",
        "approximately 12",
    ],
)
def test_what_is_no_reference_is_not_found(text: str) -> None:
    assert find_mentions(text) == []


def test_another_repository_is_named() -> None:
    text = "See other/project#12 and https://github.com/third/one/pull/13, not #14."
    assert [(m.target, m.repo) for m in find_mentions(text)] == [
        (12, "other/project"),
        (13, "third/one"),
        (14, None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "> Follow-up to #12",
        "  > quoted #12",
        "```\n#12\n```",
        "~~~\n#12\n~~~",
        "```python\n#12\n```",
        "```\n#12",
        "~~~\n```\n#12\n~~~",
        "    #12",
        "\t#12",
        "`#12`",
        "<!-- #12 -->",
        "<!-- fixes\n#12\n-->",
        "<!-- #12",
    ],
)
def test_code_quotes_and_comments_are_nobody_s_words(text: str) -> None:
    assert find_mentions(f"Words.\n{text}") == []


@pytest.mark.parametrize(
    "text", ["```\ncode\n```\n#12", "> quote\n\n#12", "<!-- a --> #12 <!-- b -->", "`code` #12"]
)
def test_words_after_code_quotes_and_comments_count_again(text: str) -> None:
    assert [mention.target for mention in find_mentions(text)] == [12]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This was introduced\nin\n#12.", "brought"),
        ("This was introduced\r\nin #12.", "brought"),
        ("  - A part that depends\n    on #12", "depends-on"),
        ("This fixes a crash. See #12", "names"),
        ("This fixes\n\n#12", "names"),
        ("This fixes\n- #12", "names"),
        ("This fixes\n2. #12", "tells"),
        ("This fixes\n## #12", "names"),
        ("This fixes\n| #12 |", "names"),
        ("This fixes\n> quoted\n#12", "names"),
        ("This fixes\n```\ncode\n```\n#12", "names"),
    ],
)
def test_a_sentence_goes_on_over_line_ends_and_no_further(text: str, expected: str) -> None:
    assert found(text) == [(12, expected)]


def test_a_quote_over_line_ends_is_the_text_itself() -> None:
    text = "Slow.\r\nThis was introduced\r\nin #12, `x`. More."
    (mention,) = find_mentions(text)
    assert mention.evidence == text[mention.start : mention.end]
    assert mention.evidence == "This was introduced\r\nin #12, `x`."


def test_each_number_has_the_words_before_it_and_after_the_one_before() -> None:
    assert found("Fixes #1, see #2; depends on #3") == [
        (1, "fixes"),
        (2, "names"),
        (3, "depends-on"),
    ]


def test_what_is_said_of_an_enumeration_is_said_of_each() -> None:
    assert found("Fixes #1, #2 and #3; see #4") == [
        (1, "fixes"),
        (2, "fixes"),
        (3, "fixes"),
        (4, "names"),
    ]


@pytest.mark.parametrize("text", ["- [ ] Fixes #12", "* [x] See #12", "  - [X] #12"])
def test_a_checklist_is_no_statement(text: str) -> None:
    assert find_mentions(text) == []


def test_of_several_mentions_of_a_number_the_one_that_says_most_is_kept() -> None:
    assert found("See #12.\n\nFollow-up to #12.\n\nFixes #12.") == [(12, "follows-up")]


def test_an_order_to_close_counts_wherever_it_stands() -> None:
    for text in ("Closes #12", "See #12.\n\nCloses #12.", "Closes #12.\n\nSee #12."):
        (mention,) = find_mentions(text)
        assert mention.closes, text
    assert not find_mentions("See #12. It closes much.")[0].closes


def test_the_evidence_is_the_sentence_that_the_number_stands_in() -> None:
    text = "It was slow. This is a follow-up to #12, as agreed. More will come."
    (mention,) = find_mentions(text)
    assert mention.evidence == "This is a follow-up to #12, as agreed."


@settings(deadline=None, max_examples=50)
@given(st.text("ab .!?A", max_size=900), st.text("ab .!?A", max_size=900))
def test_evidence_is_short_and_holds_the_number(before: str, after: str) -> None:
    for mention in find_mentions(f"x{before} #12 {after}"):
        assert "#12" in mention.evidence
        assert len(mention.evidence) <= 300


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    for mention in find_mentions(text):
        assert isinstance(mention.target, str) or 1 <= mention.target < 10**9


def _seconds(text: str) -> float:
    begin = time.monotonic()
    find_mentions(text)
    return time.monotonic() - begin


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("\n".join(f"Fixes #{number}" for number in range(1, 10_001)), 2),
        ("Fixes #1, but " * 700_000, 2),
        ("\n".join("> " * depth + "Fixes #1" for depth in range(900)), 2),
        (" ".join(f"#{number}" for number in range(1, 10_001)), 2),
        ("\n".join(" ".join(f"#{n}" for n in range(s, s + 50)) for s in range(1, 10_001, 50)), 2),
        ("Some words follow here. Another sentence too.\n" * 220_000, 8),
        ("x" * 10 * MEGABYTE, 2),
        ("<!--" * (10 * MEGABYTE // 4), 2),
        (("`" * 1900 + "\n") * 5000, 2),
        ("```\n" * (MEGABYTE // 4), 2),
        ((". " * 990 + "\n") * 500, 4),
        (("a.a-" * 490 + "\n") * 500, 4),
        (("a/" * 950 + "\n") * 500, 4),
        ((" " * 1990 + "#\n") * 500, 4),
        (("#" * 1990 + "\n") * 500, 4),
        (("http://" * 280 + "\n") * 500, 4),
    ],
    ids=[
        "ten-thousand-lines",
        "ten-megabytes-of-one-number",
        "quotes-in-quotes",
        "ten-thousand-in-a-line",
        "ten-thousand-in-lines-of-50",
        "ten-megabytes-of-prose",
        "ten-megabytes-in-a-line",
        "comments-without-end",
        "backticks",
        "fences",
        "sentence-ends",
        "names",
        "slashes",
        "spaces",
        "marks",
        "addresses",
    ],
)
def test_odd_and_huge_texts_take_bounded_time(text: str, bound: float) -> None:
    assert _seconds(text) < bound


def test_lines_full_of_numbers_take_no_longer_than_other_lines() -> None:
    # 0.8 MB; with a search from the line's begin for each number, 13 seconds.
    assert _seconds(("#1 #2 #3 #4 " * 160 + "\n") * 400) < 6


def test_lines_of_points_and_slashes_take_no_longer_than_other_lines() -> None:
    # 2 MB; with a name tried at every point, 5 seconds.
    assert _seconds((("." * 100 + "/") * 19 + "\n") * 1000) < 3


@pytest.mark.parametrize(
    "text",
    [
        "````\n```\nFixes #12\n```\n````",
        "```\nx\n```python\nFixes #12\n```",
        "``Fixes #12``",
        "``a ` b Fixes #12``",
        "- > Fixes #12",
        "1. > Fixes #12",
        "- ```\n  Fixes #12\n  ```",
        "<pre>\nFixes #12\n</pre>",
        "<PRE class=x>Fixes #12</PRE>",
        "<blockquote>Fixes #12</blockquote>",
    ],
)
def test_nobody_s_own_words_are_in_code_and_quotes_of_any_form(text: str) -> None:
    assert find_mentions(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "- ```\n  x\n  ```\n\nFixes #12",
        "Use `<!--` to open.\n\nFixes #12",
        "```code```\n\nFixes #12",
        "It is `<pre`.\n\nFixes #12",
        "A ` alone. Fixes #12",
        "\u0130\u0130\u0130 <!-- x --> Fixes #12",
    ],
)
def test_what_only_looks_like_code_takes_no_words_away(text: str) -> None:
    (mention,) = find_mentions(text)
    assert (mention.target, mention.relation) == (12, "fixes")
    assert text[mention.start : mention.end].endswith("Fixes #12")


BOMB = "made a . - ' b . - ' c since . - ' d . - ' by . - ' e . - ' f - . ' #1 "


@pytest.mark.parametrize(
    "text",
    [
        BOMB * 20_000,
        "- a #1\n" * 200_000,
        "`<!--" * 100_000,
        "<pre <blockquote " * 50_000,
        "`" * 300_000,
        "` `` " * 50_000,
        "> - " * 100_000,
    ],
    ids=["bomb", "one", "comments", "markup", "ticks", "uneven", "quotes"],
)
def test_texts_made_to_be_slow_are_read_in_little_time(text: str) -> None:
    begin = time.monotonic()
    find_mentions(text, text)
    assert time.monotonic() - begin < 30
