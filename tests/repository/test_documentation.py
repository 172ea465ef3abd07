"""Which words a project's users know."""

from __future__ import annotations

from pathlib import Path

from davinci_agency.repository.documentation import Vocabulary, words_along
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import read_source
from tests.repositories import Content, Repository


def said(vocabulary: Vocabulary) -> set[str]:
    """Return all words of a vocabulary."""
    words = {word.decode() for words in vocabulary.files for word in words}
    assert all(word in vocabulary for word in words)
    assert "no_word_of_it" not in vocabulary
    return words


def test_guides_count_and_code_and_lists_of_changes_don_t(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "source")
    repository.commit("Before", {"README": "old_name"})
    base = repository.commit(
        "Begin",
        {
            "README.md": "Call make_table, says the readme.",
            "docs/guide/use.rst": "``Table.from_rows``",
            "docs/whats_new.rst": "fixed_name",
            "CHANGES.md": "changed_name",
            "src/code.py": "hidden_name = 1",
            "src/notes.md": "inner_name",
            "docs/picture.png": b"\x89png_name",
            "docs/huge.txt": "big_name " * 200_000,
        },
    )
    repository.commit("After", {"README.md": "later_name"})
    with open_overlay(read_source(repository.folder)) as overlay:
        words = said(next(words_along(overlay, [base])))
    assert {"make_table", "Table", "from_rows", "old_name"} <= words
    for word in words:
        assert word.removesuffix("_name") not in {
            "fixed", "changed", "hidden", "inner", "png", "big", "later",
        }  # fmt: skip


def test_a_commit_that_is_not_there_has_no_words(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "source")
    repository.commit("Begin", {"README": "x"})
    with open_overlay(read_source(repository.folder)) as overlay:
        assert list(map(said, words_along(overlay, ["f" * 40]))) == [set()]


def test_words_follow_the_documentation_through_commits_in_any_order(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "source")
    states: list[dict[str, Content]] = [
        {"README.md": "one_name", "docs/a b\n=.rst": "odd_name"},
        {"README.md": "two_name"},
        {"code.py": "hidden_name"},
        {"docs/a b\n=.rst": None, "docs/use.txt": "two_name three_name"},
    ]
    commits = [repository.commit(f"Say {n}", files) for n, files in enumerate(states)]
    expected = [
        {"one_name", "odd_name"},
        {"two_name", "odd_name"},
        {"two_name", "odd_name"},
        {"two_name", "three_name"},
    ]
    order = [2, 0, 3, 3, 1, 2] * 60  # more than one process of git is asked for at once
    asked = [commits[n] for n in order]
    with open_overlay(read_source(repository.folder)) as overlay:
        found = list(map(said, words_along(overlay, ["f" * 40, *asked])))
    assert found == [set(), *(expected[n] for n in order)]


def test_documentation_that_is_too_long_is_read_as_far_as_it_is_not(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "source")
    files = {f"docs/{n:02}.txt": f"name_{n:02} " * 110_000 for n in range(20)}
    whole = repository.commit("Begin", files)
    less = repository.commit("Less", {f"docs/{n:02}.txt": None for n in range(10)})
    with open_overlay(read_source(repository.folder)) as overlay:
        first, second = map(said, words_along(overlay, [whole, less]))
    assert first == {f"name_{n:02}" for n in range(19)}
    assert second == {f"name_{n:02}" for n in range(10, 20)}
