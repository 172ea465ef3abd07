"""What a text gives away of a change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.leaks import Secrets, _changed_lines, _code_in, find_leaks
from tests.query.support import secrets, stage, stages_of

SECRETS = secrets()


def found(text: str) -> list[tuple[str, str]]:
    """Return the kind and the text of every leak."""
    return [(leak.kind, leak.text) for leak in find_leaks(text, SECRETS)]


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("Look at src/rounding.py first", "path", "src/rounding.py"),
        ("Look at SRC/Rounding.PY first", "path", "SRC/Rounding.PY"),
        ("Look at rounding.py, please", "path", "rounding.py"),
        ("Look at ./src/rounding.py.", "path", "./src/rounding.py"),
        ("Look at src/rounding first", "path", "src/rounding"),
        ("(test_rounding.py)", "path", "test_rounding.py"),
        ("Set new_value to one", "symbol", "new_value"),
        ("Remove old_value", "symbol", "old_value"),
        ("Call roundTo less often", "symbol", "roundTo"),
        ("Use Decimal2 there", "symbol", "Decimal2"),
        ("Use Rounding.exact there", "symbol", "Rounding.exact"),
        ("Import src.rounding there", "symbol", "src.rounding"),
        ("Say `x` there", "code", "`x`"),
        ("Say ``two words`` there", "code", "``two words``"),
        ("See https://example.org/a?b#c there", "address", "https://example.org/a?b#c"),
        ("See www.example.org there", "address", "www.example.org"),
        ("Since 3f2a91c it fails", "commit", "3f2a91c"),
        (f"Since {'0a' * 20} it fails", "commit", "0a" * 20),
        ("As in #12 before", "number", "#12"),
        ("As in GH-12 before", "number", "GH-12"),
        ("As in numpy/numpy#12 before", "number", "numpy/numpy#12"),
        ("As in PR 12 before", "number", "PR 12"),
        ("As in pull request 12 before", "number", "pull request 12"),
        ("As in issue 12 before", "number", "issue 12"),
    ],
)
def test_each_kind_of_leak_is_found_where_it_stands(text: str, kind: str, what: str) -> None:
    assert found(text) == [(kind, what)]
    (leak,) = find_leaks(text, SECRETS)
    assert text[leak.start : leak.end] == what


@pytest.mark.parametrize(
    "text",
    [
        "Make rounding exact for large values",
        "The old value of the limit is lost",
        "A value should stay what it is, and/or be refused",
        "Use other_name and someThing and pkg.other here",
        "Look at another and docs/index.md",
        "unchanged_name is a line of context",
        "It takes 12 seconds and 50% of memory, or 3.5 GB",
        "The word deadbeef and the number 1234567 are no commits",
        "Version 2.0 of Python, e.g. for NumPy, i.e. arrays",
        "",
    ],
)
def test_plain_words_and_other_names_may_be_said(text: str) -> None:
    assert found(text) == []


def test_the_name_of_a_file_that_is_not_touched_may_be_said() -> None:
    assert found("Look at another.py first") == []


def test_the_paths_and_symbols_of_every_stage_count() -> None:
    two = Secrets(stages_of(stage(), stage(number=13, paths=("lib/other_one.c",), patch="")))
    leaks = find_leaks("Not src/rounding.py and not other_one.c", two)
    assert [leak.text for leak in leaks] == ["src/rounding.py", "other_one.c"]


def test_a_renamed_file_leaks_by_both_its_names() -> None:
    moved = stage()
    moved["files"][0]["old_path"] = "lib/former.py"
    leaks = find_leaks("from former.py to rounding.py", Secrets(stages_of(moved)))
    assert [leak.text for leak in leaks] == ["former.py", "rounding.py"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pages/[slug].tsx", "Look at [slug].tsx first"),
        ("docs/user guide.md", "Look at docs/user guide.md first"),
        ("img/logo@2x.png", "Look at logo@2x.png first"),
        ("src/c++.lang", "Look at c++.lang first"),
    ],
)
def test_a_path_with_odd_characters_leaks_too(path: str, text: str) -> None:
    assert [leak.kind for leak in find_leaks(text, secrets(paths=(path,)))] == ["path"]


PIECES = st.sampled_from(
    [
        *("src/rounding.py", "rounding", "new_value", "roundTo()", "3f2a91c", "word", "\xe9"),
        *("`", "`a`", "#12", "gh-1", "PR 12", "issue 3", "https://a.b/#3"),
        *(".", " ", "/", "::", "\n"),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=60))
def test_leaks_stand_in_order_and_never_overlap(text: str) -> None:
    end = 0
    for leak in find_leaks(text, SECRETS):
        assert end <= leak.start < leak.end <= len(text)
        assert text[leak.start : leak.end] == leak.text
        end = leak.end


CHANGE = """\
diff --git a/src/rounding.py b/src/rounding.py
--- a/src/rounding.py
+++ b/src/rounding.py
@@ -1,2 +1,3 @@
-    raise ValueError("The value is not finite.")
+    raise ValueError('Give a finite value, please')
+    return [round(x, 2) for x in values]
+    # a plain remark about how the rounding is done here
"""


def changed(vocabulary: frozenset[str] = frozenset()) -> Secrets:
    return Secrets(stages_of(stage(patch=CHANGE)), vocabulary)


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("It says “the value is NOT  finite” then", "message", "the value is NOT  finite"),
        ("It should say give a finite value please", "message", "give a finite value please"),
        ("Write [round(x, 2) for each", "code", "[round(x, 2"),
        ("Write round(x, 2) for x in it", "code", "round(x, 2)"),
    ],
)
def test_messages_and_code_of_changed_lines_are_leaks(text: str, kind: str, what: str) -> None:
    leaks = find_leaks(text, changed())
    assert (leaks[0].kind, leaks[0].text) == (kind, what)


@pytest.mark.parametrize(
    "text",
    ["The value is lost", "a plain remark about how the rounding is done here", "values, x and y"],
)
def test_prose_that_a_change_holds_too_is_no_leak(text: str) -> None:
    assert find_leaks(text, changed()) == []


def test_what_the_documentation_names_may_be_said_but_paths_may_not() -> None:
    known = frozenset({"ValueError"})
    assert [leak.text for leak in find_leaks("A ValueError is raised", changed())] == ["ValueError"]
    assert find_leaks("A ValueError is raised", changed(known)) == []
    allowed = changed(frozenset({"rounding", "py", "src", "ValueError"}))
    assert [leak.kind for leak in find_leaks("See src/rounding.py, `x`", allowed)] == [
        "path",
        "code",
    ]


@given(st.lists(st.sampled_from(["word", "other", "(", ")", "=", "."]), max_size=30))
def test_code_is_every_run_of_six_with_two_signs(tokens: list[str]) -> None:
    runs = [tokens[first : first + 6] for first in range(len(tokens) - 5)]
    wanted = [first for first, run in enumerate(runs) if sum(t in "()=" for t in run) >= 2]
    assert list(_code_in(tokens)) == wanted


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["ab", "a_b", "9", "٣", "é", " ", ".", "\n+", "\u2028"])).map("".join),
    st.sampled_from(["ab", "a_b", "abab", "b9", "9b", "é", "ab é", "", "a_bé"]),
)
def test_a_word_is_held_where_it_is_a_changed_line_s_identifier(lines: str, word: str) -> None:
    patch = f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n+{lines}\n"
    held = {name for line in f"+{lines}".split("\n") if line[:1] == "+"
            for name in re.findall(r"[^\W\d]\w+", line[1:])}  # fmt: skip
    assert Secrets(stages_of(stage(patch=patch))).hold_word(word) == (word in held)


@settings(deadline=None)
@given(st.lists(st.sampled_from(
    ["diff --git a/x b/x", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "+one\x0c\u2028two", "-", "+@@ ",
     " +", "", "\\ No newline", "+diff --git "]
)))  # fmt: skip
def test_changed_lines_are_those_of_hunks(lines: list[str]) -> None:
    changed, is_in_hunk = [], False
    for line in lines:
        if line.startswith(("diff --git ", "@@ ")):
            is_in_hunk = line.startswith("@@ ")
        elif is_in_hunk and line.startswith(("+", "-")):
            changed.append(line[1:])
    assert [*_changed_lines("\n".join(lines))] == changed
