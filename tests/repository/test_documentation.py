"""Which words a project's users know."""

from __future__ import annotations

from pathlib import Path

from davinci_agency.repository.documentation import Documentation
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import read_source
from tests.repositories import Repository


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
        words = Documentation(overlay).words(base)
    assert {"make_table", "Table", "from_rows", "old_name"} <= words
    for word in words:
        assert word.removesuffix("_name") not in {
            "fixed", "changed", "hidden", "inner", "png", "big", "later",
        }  # fmt: skip


def test_a_commit_that_is_not_there_has_no_words(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "source")
    repository.commit("Begin", {"README": "x"})
    with open_overlay(read_source(repository.folder)) as overlay:
        assert Documentation(overlay).words("f" * 40) == frozenset()
