"""What a commit's message says of a pull request, and what it does not say."""

from __future__ import annotations

import pytest
from hypothesis import example as hypothesis_example
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.mine.traces import backported_number, picked_from, read_trace, reverted
from davinci_agency.records import FoundBy

_SHA = b"0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("message", "number", "found_by", "title", "repo"),
    [
        (b"Merge pull request #12 from u/b\n\nAdd b", 12, "merge-subject", b"Add b", None),
        (b"Merge pull request O/N#12 from u/b\n\nAdd b", 12, "merge-subject", b"Add b", "o/n"),
        (b"Merge pull request #12 from u:b", 12, "merge-subject", b"", None),
        (b"\n\nMerge pull request #12 from u/b", 12, "merge-subject", b"", None),
        (b"Auto merge of #12 - u:b, r=x\n\nAdd b", 12, "homu", b"Add b", None),
        (b"auto merge of #12 : u/b, r=x", 12, "homu", b"", None),
        (b"Auto merge of O/N#12 - u:b, r=x", 12, "homu", b"", "o/n"),
        (b"Merge #12\n\n12: Add b r=a a=b\n\nWords", 12, "bors", b"Add b", None),
        (b"[bors] Merge #12\n\n12: Add b r=a a=b", 12, "bors", b"Add b", None),
        (b"Merge #12\n\n12: Add r=f(a) r=a a=b", 12, "bors", b"Add r=f(a)", None),
        (b"Add b (#12)", 12, "squash-subject", b"Add b", None),
        (b"Add b (o/n#12)", 12, "squash-subject", b"Add b", "o/n"),
        (b"Add b (#11) (#12)", 12, "squash-subject", b"Add b (#11)", None),
        (b"Add b, see (#11)(#12)  \n", 12, "squash-subject", b"Add b, see (#11)", None),
        (b'Revert "Add b (#11)" (#12)', 12, "squash-subject", b'Revert "Add b (#11)"', None),
        (b"Add b\n\nCloses #12 from u/b.", 12, "closing-line", b"Add b", None),
        (b"Add b\n\nCloses O/N#12 from u:b", 12, "closing-line", b"Add b", "o/n"),
        (b"Add b\n\nThis closes #12", 12, "closing-line", b"Add b", None),
        (b"Add b\n\nthis patch closes #12 and more", 12, "closing-line", b"Add b", None),
        (b"Add b\n\nPR-URL: https://github.com/o/n/pull/12", 12, "trailer", b"Add b", "o/n"),
        (b"Add b\n\nPR-URL: O/N#12", 12, "trailer", b"Add b", "o/n"),
        (b"Add b\n\nPR-URL: #12", 12, "trailer", b"Add b", None),
        (
            b"Add b\n\nPull Request resolved: https://github.com/o/n/pull/12",
            12,
            "trailer",
            b"Add b",
            "o/n",
        ),
        (
            b"Add b\n\nFUTURE_COPYBARA_INTEGRATE_REVIEW=https://github.com/o/n/pull/12 from u:b 0",
            12,
            "trailer",
            b"Add b",
            "o/n",
        ),
        (
            b"PR #12: Add b\n\nImported from GitHub PR https://github.com/o/n/pull/12\n",
            12,
            "trailer",
            b"PR #12: Add b",
            "o/n",
        ),
    ],
)
def test_a_merge_is_told_by_its_message(
    message: bytes, number: int, found_by: FoundBy, title: bytes, repo: str | None
) -> None:
    trace = read_trace(message)
    assert trace is not None
    assert (trace.number, trace.found_by) == (number, found_by)
    assert (trace.title, trace.repo) == (title, repo)
    assert trace.others == ()


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"#12",
        b"(#12)",
        b"Add b",
        b"Add b\n\nCloses #12",
        b"Add b\n\nCloses #12.",
        b"Add b\n\nCloses #12 from the list",
        b"Add b\n\nFixes #12",
        b"Fix #12",
        b"Fix #12: add b",
        b"Add b (gh-12)",
        b"Add b (#0)",
        b"Add b (#012)",
        b"Add b (#1234567890)",
        b"Add b (# 12)",
        b"Add b (see #12)",
        b"Add b, see #12",
        b"Add b (#12) and c",
        b"Add b\n\nIn two steps (#12)",
        b'Revert "Add b (#12)"',
        b'Revert "Merge pull request #12 from u/b"',
        b'Revert "Merge pull request #12 from u/b"\n\nThis reverts commit 0123456789.',
        b'Revert "Auto merge of #12 - u:b, r=x"',
        b"Merge branch 'u/b' into main (see #12)",
        b"Merge pull request #0 from u/b",
        b"Merge pull request #12",
        b"Merge #12 by hand",
        b"Merge #12 into #13",
        b"Auto merge of things in #12",
        b"Add b\n\n> Merge pull request #12 from u/b",
        b"Add b\n\n    This closes #12",
        b"Add b\n\nIt reads: PR-URL: https://github.com/o/n/pull/12",
        b"Add b\n\nPR-URL: https://github.com/o/n/pull/1234567890",
        b"Add b\n\nPR-URL: https://github.com/o/n/issues/12",
        b"Add b\n\nSee https://github.com/o/n/pull/12",
        b"Add b\n\nReviewed-on: https://review.example.org/c/n/+/12#x",
    ],
)
def test_what_only_mentions_a_number_is_no_merge(message: bytes) -> None:
    assert read_trace(message) is None


def test_a_batch_of_bors_names_all_its_numbers() -> None:
    trace = read_trace(b"Merge #12 #13 #14\n\n12: One r=a a=b\n\n13: Two r=a a=b\n\n14: Three")
    assert trace is not None
    assert (trace.number, trace.title, trace.others) == (12, b"One", (13, 14))


def test_a_subject_is_stronger_than_a_trailer() -> None:
    trace = read_trace(b"Add b (#12)\n\nPR-URL: https://github.com/o/n/pull/13\nThis closes #14")
    assert trace is not None
    assert (trace.number, trace.found_by) == (12, "squash-subject")


def test_a_description_that_quotes_another_merge_does_not_change_the_number() -> None:
    body = b"Add b\n\nThis closes #13\n\nMerge pull request #14 from u/c\nAdd c (#15)"
    trace = read_trace(b"Merge pull request #12 from u/b\n\n" + body)
    assert trace is not None
    assert (trace.number, trace.title) == (12, b"Add b")
    assert trace.body == body.partition(b"\n")[2].strip()


@pytest.mark.parametrize(
    "message",
    [
        b"Merge pull request #12 from u/b\n\nAdd b\n\nWords",
        b"Merge #12\n\n12: Add b r=a a=b\n\nWords",
        b"Add b (#12)\n\nWords",
        b"Add b\n\nWords\n\nPR-URL: o/n#12\nReviewed-by: Grace",
        b"Add b\n\nThis closes #12\n",
    ],
)
def test_lines_may_end_as_in_a_browser(message: bytes) -> None:
    unix, browser = read_trace(message), read_trace(message.replace(b"\n", b"\r\n"))
    assert unix is not None
    assert browser is not None
    assert (browser.number, browser.title) == (unix.number, unix.title)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"Backport of #12 to 1.2", 12),
        (b"Backport PR #12: Add b", 12),
        (b"Backport PR #12 on branch 1.x (Add b)", 12),
        (b"[1.x] Add b (backport #12)", 12),
        (b"MAINT: Back-port gh-12", 12),
        (b"Backported from https://github.com/o/n/pull/12", 12),
        (b"Backports: o/n#12", 12),
        (b"See #12", None),
        (b"Backport to 1.2", None),
        (b"Backport fixes for issues like #12", None),
        (b"Support backporting (#12)", None),
        (b"Backport #0", None),
    ],
)
def test_a_backport_names_what_it_brings(text: bytes, number: int | None) -> None:
    assert backported_number(text) == number


@pytest.mark.parametrize(
    ("subject", "body", "commits", "numbers"),
    [
        (b'Revert "Add b"', b"This reverts commit " + _SHA + b".", [_SHA.decode()], []),
        (b'Revert "Add b (#12)"', b"", [], [12]),
        (b'Revert "Add b"', b"Reverts o/n#12", [], [12]),
        (b'Revert "Add b (#12)"', b"Reverts #12", [], [12]),
        (b'revert: "Merge pull request #12 from u/b"', b"", [], [12]),
        (b"Add b (#12)", b"This reverts commit " + _SHA + b".", [], []),
        (b"Reverting is easier now (#12)", b"", [], []),
        (b"Reverted order of arguments (#12)", b"", [], []),
        (b'Revert "Add b"', b"Reverts o/n#12\r\n\r\nIt broke.", [], [12]),
    ],
)
def test_a_revert_names_what_it_takes_back(
    subject: bytes, body: bytes, commits: list[str], numbers: list[int]
) -> None:
    assert reverted(subject, body) == (commits, numbers)


def test_a_revert_of_a_revert_takes_back_only_the_revert() -> None:
    assert reverted(b'Revert "Revert "Add b (#12)" (#13)"', b"")[1] == [13]


def test_a_number_that_a_revert_mentions_outside_of_what_it_quotes_is_not_taken_back() -> None:
    assert reverted(b'Revert "Add b (#12)", it broke what #13 needs', b"")[1] == [12]


def test_every_copied_commit_is_named() -> None:
    line = b"(cherry picked from commit %s)\n"
    message = b"Add b\n\n" + line % _SHA + line % b"0123456" + b"see " + line % b"7654321"
    assert picked_from(message) == [_SHA.decode(), "0123456"]


_WORDS = [
    b"Merge pull request ", b"Merge ", b"Auto merge of ", b"#1", b" #2", b"(#3)", b"(#", b")", b"(",
    b"o/n", b"/", b" from u/b", b": T", b"\n", b"\r\n", b" r=x", b" a=x", b"1: ", b"PR-URL: ",
    b"https://github.com/o/n/pull/4", b"This closes ", b"Revert ", b'"', b"backport ", b"of ",
    b"Reverts ", b"This reverts commit ", b"(cherry picked from commit ", _SHA, b" ", b"\xff", b"0",
]  # fmt: skip
_MESSAGES = st.one_of(st.binary(), st.lists(st.sampled_from(_WORDS), max_size=40).map(b"".join))


@given(_MESSAGES)
@hypothesis_example(b"\x00(#1)\n\x00\r\n\x00")
def test_whatever_a_message_says_it_is_read(message: bytes) -> None:
    trace = read_trace(message)
    if trace is not None:
        assert 0 < trace.number < 10**9
        with_plain_ends = message.replace(b"\r\n", b"\n")
        assert trace.title in with_plain_ends
        assert trace.body in with_plain_ends
    number = backported_number(message)
    assert number is None or number > 0
    commits, numbers = reverted(message, message)
    assert all(number > 0 for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert all(sha.encode() in message for sha in [*commits, *picked_from(message)])


@given(_MESSAGES)
def test_a_message_and_its_copy_with_blank_lines_around_it_say_the_same(message: bytes) -> None:
    assert read_trace(b"\n\n" + message + b"\n\n") == read_trace(message)


@pytest.mark.parametrize("begin", [b"", b"x", b"1: ", b"backport ", b"Merge pull request "])
def test_reading_a_long_message_ends(begin: bytes) -> None:
    for part in [*_WORDS, b"a/a", b" \t", b"1", b"backport https://"]:
        _read_all(begin + part * (20_000 // len(part)) + b"#")


@pytest.mark.parametrize("part", [b"a/a", b"(#1", b" ", b"Merge #1 "])
def test_reading_a_megabyte_ends(part: bytes) -> None:
    _read_all(part * ((1 << 20) // len(part)) + b"#")


def _read_all(long: bytes) -> None:
    for message in (long, long + b"\n\n/pull/", b"Revert x\n\n" + long):
        read_trace(message)
        backported_number(message)
        picked_from(message)
        reverted(message, message)
