"""Which lines a later pull request changed again."""

from __future__ import annotations

import doctest

import pytest

from davinci_agency.chain import lines
from davinci_agency.chain.lines import changed_lines, touched_lines

ADDS = """\
diff --git a/core.py b/core.py
--- a/core.py
+++ b/core.py
@@ -1,2 +1,4 @@
 import math
+HALF = 0.5
+def round_half(value):
+    return 1
"""
TAKES = """\
diff --git a/core.py b/core.py
--- a/core.py
+++ b/core.py
@@ -1,4 +1,3 @@
 import math
-  HALF = 0.5
-    return 1
+THIRD = 0.33
"""


def test_the_examples_in_the_docstrings_are_true() -> None:
    results = doctest.testmod(lines)
    assert (results.failed, results.attempted > 0) == (0, True)


def test_a_line_counts_that_one_added_and_the_other_took_away_however_it_is_indented() -> None:
    earlier, later = changed_lines(ADDS), changed_lines(TAKES)
    assert touched_lines(later, earlier) == {"core.py": 2}
    assert touched_lines(earlier, later) == {}


@pytest.mark.parametrize(
    "later",
    [
        TAKES.replace("core.py", "other.py"),
        TAKES.replace("-  HALF = 0.5\n-    return 1\n", "-}\n"),
        TAKES.replace("-  HALF", "   HALF").replace("-    return", "     return"),
    ],
    ids=["another-file", "a-line-that-stands-everywhere", "context"],
)
def test_other_lines_do_not_count(later: str) -> None:
    assert touched_lines(changed_lines(later), changed_lines(ADDS)) == {}


def test_a_line_that_looks_like_a_header_is_one_of_the_change() -> None:
    patch = ADDS + "+++ b/trap.py of words\n"
    assert changed_lines(patch)["core.py"].added >= {"++ b/trap.py of words"}
    assert set(changed_lines(patch)) == {"core.py"}


def test_a_new_name_has_what_was_added_and_the_old_one_what_was_taken() -> None:
    renamed = TAKES.replace("+++ b/core.py", "+++ b/new.py")
    changed = changed_lines(renamed, ADDS.replace("core.py", "tests.py"))
    assert changed["core.py"].taken == {"HALF = 0.5", "return 1"}
    assert not changed["core.py"].added
    assert changed["new.py"].added == {"THIRD = 0.33"}
    assert "HALF = 0.5" in changed["tests.py"].added
