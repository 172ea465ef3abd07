"""Patch ids, held against git's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from davinci_agency.curate.patch_ids import patch_id, patch_ids_of
from tests.repositories import Repository, run_git

EDIT = """\
diff --git a/bell.py b/bell.py
index 1111111..2222222 100644
--- a/bell.py
+++ b/bell.py
@@ -4,3 +4,3 @@ def ring():
 before
-quiet
+loud
 after
"""
ELSEWHERE = """\
diff --git a/bell.py b/bell.py
index 3333333..4444444 100755
--- a/bell.py
+++ b/bell.py
@@ -90,3 +91,3 @@ class Tower:
 before
-quiet
+loud
 after
"""
NEW_TEST = """\
diff --git a/test_bell.py b/test_bell.py
new file mode 100644
index 0000000..5555555
--- /dev/null
+++ b/test_bell.py
@@ -0,0 +1 @@
+assert ring()
\\ No newline at end of file
"""
RENAME = """\
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
"""
BINARY = """\
diff --git a/bell.png b/bell.png
index 1234567..89abcde 100644
GIT binary patch
literal 3
Kcmb<R00IB0

literal 0
HcmV?d00001

"""
NO_CONTENT = """\
diff --git a/bell.png b/bell.png
index 1234567..89abcde 100644
Binary files a/bell.png and b/bell.png differ
"""


def gits(patch: str | bytes) -> str | None:
    """Return git's own id of the first patch in a text."""
    raw = patch if isinstance(patch, bytes) else patch.encode("utf-8", "surrogatepass")
    return run_git(Path(), "patch-id", "--stable", stdin=raw)[:40].decode() or None


def test_a_change_keeps_its_id_wherever_it_stands() -> None:
    assert patch_id(EDIT) == patch_id(ELSEWHERE)


def test_another_change_has_another_id() -> None:
    assert patch_id(EDIT) != patch_id(EDIT.replace("loud", "louder"))
    assert patch_id(EDIT) != patch_id(EDIT.replace("bell", "horn"))


def test_the_order_of_files_does_not_matter() -> None:
    assert patch_id(EDIT + NEW_TEST) == patch_id(NEW_TEST + EDIT)


def test_whitespace_and_ends_of_lines_do_not_matter() -> None:
    assert patch_id(EDIT) == patch_id(EDIT.replace("\n", "\r\n").replace("quiet", "\tqui et"))


@pytest.mark.parametrize("text", ["", "\n", "no diff", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"])
def test_a_text_without_a_diff_has_no_id(text: str) -> None:
    assert patch_id(text) is None
    assert gits(text) is None


def test_a_change_in_two_parts_is_known_by_each_and_by_the_whole() -> None:
    assert set(patch_ids_of(EDIT, NEW_TEST)) == {
        patch_id(EDIT),
        patch_id(NEW_TEST),
        patch_id(NEW_TEST + EDIT),
    }
    assert patch_ids_of(EDIT.rstrip("\n"), NEW_TEST) == patch_ids_of(EDIT, NEW_TEST)
    assert patch_ids_of(EDIT, "") == (patch_id(EDIT),)
    assert patch_ids_of("", "") == ()


@pytest.mark.parametrize(
    "patch",
    [
        EDIT,
        EDIT.rstrip("\n"),
        EDIT.replace("\n", "\r\n"),
        NEW_TEST,
        RENAME,
        RENAME + EDIT,
        "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n" + EDIT,
        BINARY,
        BINARY + EDIT,
        EDIT + BINARY + NEW_TEST + NO_CONTENT,
        NO_CONTENT,
        NO_CONTENT.replace(" 100644", ""),
        "From a mail\n\n" + EDIT + "-- \n2.39\n\n" + NEW_TEST,
        f"commit {'1a' * 20}\n\n    Say why\n\n" + EDIT + f"commit {'2b' * 20}\n\n" + NEW_TEST,
        EDIT + f"{'3c' * 20} another\n" + NEW_TEST,
        EDIT.replace("-4,3 +4,3", "-4,4 +4,4"),
        EDIT.replace("-4,3 +4,3", "-4,2 +4,2"),
        EDIT.replace("-4,3 +4,3", f"-4,{'9' * 5_000} +4"),
        EDIT.replace(" before", ""),
        EDIT.replace(" before", "\\ short"),
        EDIT.replace("-quiet", "--- a/quiet").replace("+loud", "+++ b/loud"),
        EDIT.replace("-quiet", "-diff --git a/x b/x").replace("+loud", "+@@ -1 +1 @@"),
        "diff --git a/x b/x\nnonsense\n\n" + EDIT,
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n",
        "diff --git a/\u00e4 b/\u00e4\n--- a/\u00e4\n+++ b/\u00e4\n"
        "@@ -1 +1 @@\n-\udcff\n+\x0b \x0c\n",
    ],
)
def test_each_shape_of_patch_has_gits_id(patch: str) -> None:
    assert patch_id(patch) == gits(patch)


LINES = st.sampled_from(
    """ same|-old|+new|-|+| ||- a|+\t\r|-- x|+++ x|\\ x|@@ -1 +1 @@|x|--- a/x|From nobody
|\\ No newline at end of file|diff --git a/x b/x|index 12..34|Binary files differ
|+diff --git a/x b/x|-@@ -1 +1 @@|+long long long long long""".replace("\n", "").split("|")
)
BODIES = st.lists(st.sampled_from([" same", "-old", "+new", "- diff", "+@@ -1 +1 @@"]), max_size=6)


@st.composite
def _hunks(draw: st.DrawFn) -> list[str]:
    body = draw(BODIES)
    old = sum(line[0] != "+" for line in body) + draw(st.sampled_from([0, 0, 0, 1, -1]))
    new = sum(line[0] != "-" for line in body) + draw(st.sampled_from([0, 0, 0, 1]))
    note = draw(st.sampled_from([[], [], ["\\ No newline at end of file"], ["\\ x"]]))
    place = draw(st.integers(0, len(body)))
    heading = f"@@ -{draw(st.integers(0, 99))},{max(old, 0)} +7,{new} @@ where"
    return [heading, *body[:place], *note, *body[place:]]


HEADINGS = st.sampled_from([EDIT, NEW_TEST, RENAME, BINARY, NO_CONTENT]).map(
    lambda text: text.split("@@")[0].rstrip("\n").split("\n")
)
PATCHES = st.lists(
    st.one_of(HEADINGS, _hunks(), _hunks(), LINES.map(lambda line: [line])), max_size=9
)


@settings(max_examples=150, deadline=None)
@given(PATCHES, st.sampled_from(["\n", "\r\n"]), st.booleans())
@example([EDIT.split("\n")], "\n", False)
def test_whatever_is_put_together_has_gits_id(
    parts: list[list[str]], newline: str, is_closed: bool
) -> None:
    lines = [line for part in parts for line in part]
    # Without the names of objects, git hashes what happens to be in its memory for a binary file.
    text = newline.join(["diff --git a/x b/x", "index 56..78", *lines]) + (
        newline if is_closed else ""
    )
    assert patch_id(text) == gits(text)


def test_what_git_itself_writes_has_gits_id(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "bells")
    words = [f"{('ring', 'toll', 'peal')[number % 3]}({number})" for number in range(400)]
    before = repository.commit(
        "Begin", {"a.py": "\n".join(words), "b.bin": "\0\1" * 40, "c.txt": "one\r\ntwo\r\n"}
    )
    for place in (3, 90, 91, 250, 399):
        words[place] = f"swing({place})"
    after = repository.commit(
        "Change",
        {
            "a.py": None,
            "moved.py": "\n".join(words),
            "b.bin": "\0\2" * 40,
            "c.txt": "one\r\nthree",
            "new.txt": "",
        },
    )
    for options in (["-M"], ["-M", "--binary"], ["--full-index", "-U0"], ["-U9"]):
        patch = run_git(repository.folder, "diff", *options, before, after)
        assert patch_id(patch) == gits(patch)
        assert patch_id(patch.decode()) == gits(patch)


def test_a_heading_of_nothing_but_dots_takes_no_longer_than_any_other() -> None:
    hostile = f"diff --git a/x b/x\nindex {'.' * 200_000}\n--- a/x\n+++ b/x\n"
    whole = "diff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"
    assert patch_id(whole) is not None
    assert patch_id(hostile * 3 + whole) is not None


@pytest.mark.parametrize(
    "test", [NEW_TEST, EDIT, "words\n" + NEW_TEST, "no diff", "diff ", "diff x"]
)
@pytest.mark.parametrize(
    "gold",
    [
        EDIT,
        EDIT.rstrip("\n"),
        EDIT[: len(EDIT) // 2],
        EDIT.replace("@@ -1", "@@ -1,9", 1),
        "diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\n",
        "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
        EDIT + "a" * 40 + "\n" + ELSEWHERE,
        EDIT + "words\n",
        "no diff",
    ],
)
def test_the_whole_of_two_parts_is_that_of_both_read_as_one(gold: str, test: str) -> None:
    whole = gold + ("" if gold.endswith("\n") else "\n") + test
    ids = {patch_id(gold), patch_id(test), patch_id(whole)} - {None}
    assert set(patch_ids_of(gold, test)) == ids
