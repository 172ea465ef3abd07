"""Laws of query writing that hold for any words and any patches, from file to file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.leaks import Secrets, find_leaks
from davinci_agency.query import write_queries
from davinci_agency.schema import validator
from tests.query.support import chain, secrets, stage, stages_of
from tests.samples import read_lines, write_lines

NAMES = st.sampled_from(["new_value", "old_limit", "roundTo", "readAll2", "_private", "__all__"])
FILES = st.sampled_from(["src/rounding.py", "lib/my-mod.ts", "docs/user guide.md", "a/b/io_x.c"])
PLAIN = st.sampled_from(
    [
        "Large values lose their last digit.",
        "make rounding exact",
        "it has failed since 3f2a91c for everybody",
        "see https://example.org/x for the reasons",
        "as was said in #12 and in GH-13",
        "```",
        "> somebody said all of these words",
        "Signed-off-by: Ada <ada@example.org>",
        "\n\n",
    ]
)
LINE = (
    PLAIN
    | NAMES.map(lambda name: f"the value of {name} is wrong today")
    | NAMES.map(lambda name: f"call {name}() less often than today")
    | NAMES.map(lambda name: f"the words ({name}) and **{name}** say it")
    | FILES.map(lambda path: f"look at {path} before all others")
    | FILES.map(lambda path: f"the file {path.rpartition('/')[2]}, which is wrong")
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
)
BODY = st.lists(LINE, max_size=6).map("\n".join)


@st.composite
def stages(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """Return a stage whose patch touches some files and changes some names."""
    paths = draw(st.lists(FILES, min_size=1, max_size=2, unique=True))
    lines = [f"{draw(st.sampled_from('+-'))}{name} = 1\n" for name in draw(st.lists(NAMES))]
    patch = "".join(
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n{''.join(lines)}"
        for path in paths
    )
    title = draw(LINE)
    return stage(title, draw(BODY), number=number, paths=tuple(paths), patch=patch)


@st.composite
def chains(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return some chains of one stage or of several."""
    made = []
    for place in range(draw(st.integers(1, 3))):
        parts = [draw(stages(n)) for n in range(1, draw(st.integers(1, 3)) + 1)]
        made.append(chain(*parts, identity=f"chain-{place}"))
    return made


def _said(text: str, word: str) -> bool:
    """Tell whether a word stands in a text on its own, found without the rules under test."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


@settings(deadline=None, max_examples=120)
@given(history=chains())
def test_no_query_of_any_task_gives_a_path_or_a_name_or_a_number_away(
    history: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("queries")
    path = write_lines(folder / "chains.jsonl", history)
    summary = write_queries([path], folder / "tasks.jsonl")
    known = {made["chain_id"]: made for made in history}
    tasks = read_lines(folder / "tasks.jsonl")
    for task in tasks:
        assert validator("task").faults(task) == []
        parts = known[task["chain_id"]]["stages"]
        hidden = Secrets(stages_of(*parts))
        changed = {w for p in parts for w in re.findall(r"(?m)^[+-](\w+) = 1$", p["patch"])}
        files = {file["path"] for part in parts for file in part["files"]}
        for text in (part["query"] for part in task["stages"]):
            assert text.strip()
            assert find_leaks(text, hidden) == []
            assert not any(_said(text, word) for word in changed)
            assert not any(_said(text, name) for name in files)
            assert not any(_said(text, name.rpartition("/")[2]) for name in files)
            assert not re.search(r"`[^`\n]*`|#\d|(?i:gh-\d)|https?://|3f2a91c", text)
    receipts = read_lines(folder / "tasks.removed.jsonl")
    gone = {receipt["record_id"] for receipt in receipts}
    assert gone | {task["chain_id"] for task in tasks} == known.keys()
    assert summary.read == summary.out + summary.removed + summary.quarantined == len(history)
    assert (summary.out, summary.removed) == (len(tasks), len(gone))


def test_a_chain_that_can_t_be_read_is_set_aside_and_counted(tmp_path: Path) -> None:
    good, bad = chain(stage()), chain(stage(), identity="chain-2")
    bad["stages"][0]["title"] = None
    path = write_lines(tmp_path / "chains.jsonl", [bad, good])
    summary = write_queries([path], tmp_path / "tasks.jsonl")
    assert (summary.read, summary.out, summary.removed, summary.quarantined) == (2, 1, 0, 1)
    (note,) = read_lines(tmp_path / "tasks.quarantine.jsonl")
    assert (note["line"], note["json_path"]) == (1, "$.stages[0].title")


@pytest.mark.parametrize(
    "text",
    [
        "Remove **new_value** there",
        "Remove (new_value) there",
        "Remove 'new_value' there",
        "Remove <new_value> there",
        "Remove new_value\u2019s use",
        "Remove self.new_value[0] there",
        "Remove obj->new_value there",
        "Remove new_value, then",
        "Look at src/rounding.py:12 first",
        "Look at a/src/rounding.py first",
        "Look at **rounding.py** first",
        "Look at src/rounding.py\u2014first",
    ],
)
def test_a_leak_is_found_among_other_marks(text: str) -> None:
    assert len(find_leaks(text, secrets())) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Remove _new_value_ there",
        "Remove __new_value__ there",
        "Remove new\\_value there",
        "Look at _rounding.py_ first",
    ],
)
def test_a_leak_is_found_within_the_marks_of_markdown(text: str) -> None:
    assert len(find_leaks(text, secrets())) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/my-mod.ts", "Look at src/my-mod.ts:12 first"),
        ("src/my-mod.ts", "Look at my-mod.ts:12:4 first"),
        ("src/my-mod.ts", "Look at src\\my-mod.ts first"),
        ("src/sums.test.ts", "Look at sums.test.ts:3 first"),
    ],
)
def test_a_path_leaks_with_a_line_or_a_backslash_too(path: str, text: str) -> None:
    assert len(find_leaks(text, secrets(paths=(path,), patch=""))) == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("+\u00fcberlauf_x = 1", "Remove \u00fcberlauf_x there"),
        ("+old = 1\x0cnew_name = 2", "Remove new_name there"),
        ("+old = '\u2028' + new_name", "Remove new_name there"),
        ("+++ b/new_name", "Remove new_name there"),
    ],
    ids=["no-ascii", "form-feed", "line-separator", "increment"],
)
def test_a_changed_name_leaks_wherever_it_stands_in_a_changed_line(line: str, text: str) -> None:
    patch = f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n{line}\n"
    leaks = find_leaks(text, secrets(paths=("x",), patch=patch))
    assert [leak.kind for leak in leaks] == ["symbol"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("As in issues 12 and 13", "number"),
        ("As in PRs 12 and 13", "number"),
        ("As in pull-request 12", "number"),
        ("As in the pull request\n12", "number"),
        ("See github.com/example/thing/pull/12 there", "address"),
        ("Since 3F2A91C it fails", "commit"),
    ],
)
def test_numbers_addresses_and_commits_leak_in_their_other_forms(text: str, kind: str) -> None:
    assert kind in [leak.kind for leak in find_leaks(text, secrets())]


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Make rounding exact for ada@example.org", ""),
        ("Make rounding exact", "This was asked for by grace@example.org in her letter."),
    ],
    ids=["title", "body"],
)
def test_no_address_of_a_person_stands_in_a_query(title: str, body: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "chains.jsonl", [chain(stage(title, body))])
    write_queries([path], tmp_path / "tasks.jsonl")
    for task in read_lines(tmp_path / "tasks.jsonl"):
        assert "@example.org" not in task["stages"][0]["query"]


@pytest.mark.parametrize(
    "text",
    [
        "Use the value of the limit",
        "Round to the nearest digit",
        "There are 12 issues and 3 pull requests",
        "Half of 3.14 and 1e10 of 2 GB",
        "He/she and either/or and input/output",
        "Do it well-known and up-to-date",
    ],
)
def test_words_that_only_resemble_leaks_may_be_said(text: str) -> None:
    assert find_leaks(text, secrets()) == []
