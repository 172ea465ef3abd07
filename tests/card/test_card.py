"""What a card says, and what untrusted names can't do in it."""

from __future__ import annotations

from pathlib import Path

import yaml

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.card import card_is_true, write_card
from tests.samples import example, write_lines


def _card(folder: Path, pulls: list[dict[str, object]]) -> str:
    inputs = BuildInputs(pulls=(write_lines(folder / "pulls.jsonl", pulls),))
    write_release(inputs, folder / "release", finish=write_card)
    assert card_is_true(folder / "release")
    return (folder / "release" / "README.md").read_text()


def test_one_licence_is_named_as_the_hub_spells_it_and_several_are_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = _card(tmp_path / "a", [example("pull-request", license="Apache-2.0")])
    two = _card(
        tmp_path / "b",
        [
            example("pull-request", license="Apache-2.0"),
            example("pull-request", license="MIT", number=2),
        ],
    )
    assert yaml.safe_load(one.split("---\n")[1])["license"] == "apache-2.0"
    assert yaml.safe_load(two.split("---\n")[1])["license"] == "other"


def test_text_from_data_is_shown_and_does_nothing(tmp_path: Path) -> None:
    hostile = "{{ 7*7 }} <script>alert(1)</script> | x |\n---\n[click](javascript:1) `rm`"
    card = _card(tmp_path, [example("pull-request", language=hostile)])
    assert "49" not in card
    assert "<script>" not in card
    assert "[click](" not in card
    assert "alert(1)" in card


def test_every_column_is_described(tmp_path: Path) -> None:
    pull = example("pull-request")
    card = _card(tmp_path, [pull])
    for column in pull:
        assert f"| `{column}" in card
