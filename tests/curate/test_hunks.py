"""The lines of hunks, held against what a loop over lines says."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from davinci_agency.curate.hunks import changed_lines, dense_hunks

LINES = st.sampled_from(
    [
        "diff --git a/x b/x", "diff --gi", "diff ", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "@@ x",
        "@@", "+", "-", "+added", "-gone", " same", "", "+@@ -1 +1 @@", "-diff --git a/x b/x",
        "\\ No", "+ä\r",
    ]
)  # fmt: skip


def slowly(patch: str) -> tuple[list[str], list[str]]:
    """Return the lines that a patch adds and those that it removes."""
    added: list[str] = []
    removed: list[str] = []
    in_hunk = False
    for line in patch.split("\n"):
        if line.startswith(("diff --git ", "@@ ")):
            in_hunk = line.startswith("@@ ")
        elif in_hunk and line.startswith("+"):
            added.append(line[1:])
        elif in_hunk and line.startswith("-"):
            removed.append(line[1:])
    return added, removed


@settings(deadline=None)
@given(st.lists(LINES, max_size=12), st.booleans())
@example(["@@ ", "+"], False)
@example(["@@ ", "-gone"], False)
def test_lines_of_hunks_are_told_apart(lines: list[str], is_closed: bool) -> None:
    patch = "\n".join(lines) + ("\n" if is_closed else "")
    expected = tuple("".join(f"{line}\n" for line in part) for part in slowly(patch))
    assert tuple(part.decode() for part in changed_lines(patch.encode())) == expected


def dense(patch: str) -> tuple[int, bytes]:
    text = np.frombuffer(patch.encode(), np.uint8)
    end, lines = dense_hunks(text, 0, np.empty_like(text))
    return end, bytes(lines)


def test_hunks_are_taken_as_far_as_they_hold_what_they_promise() -> None:
    one = "@@ -1,2 +1,2 @@ where\n same\n-o l d\n+n\te w\r\n\\ No newline at end of file\n"
    assert dense(one) == (len(one), b"same-old+new")
    assert dense(one + "@@ -9 +9,0 @@\n-x") == (len(one) + 16, b"same-old+new-x")
    assert dense(one + "diff --git a/x b/x\n") == (len(one), b"same-old+new")
    for other in ("@@ -9 +9 @@\n-x\n", "@@ -9 +9 @@\n-x\n+y\nz\n", "@@ -9 @@\n", "@@ -9 +9 @@"):
        assert dense(one + other) == (len(one), b"same-old+new")
    for count in ("1,", "1,1234567890", "1234567890", "", "x"):
        assert dense(f"@@ -{count} +1 @@\n-x\n+y\n") == (0, b"")
    assert dense("") == (0, b"")
