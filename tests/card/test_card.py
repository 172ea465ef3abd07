"""What a card says, and what untrusted names can't do in it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from huggingface_hub import DatasetCardData

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.card import card_is_true, measure_release, write_card
from davinci_agency.card.excerpts import excerpt
from davinci_agency.card.plots import Bars, svg
from davinci_agency.parallel import Pool
from davinci_agency.release import read_manifest
from tests.samples import attempt, example, task, write_lines


def _card(folder: Path, pulls: list[dict[str, object]]) -> str:
    inputs = BuildInputs(pulls=(write_lines(folder / "pulls.jsonl", pulls),))
    write_release(inputs, folder / "release", finish=write_card)
    assert card_is_true(folder / "release")
    return (folder / "release" / "README.md").read_text()


def _without_rows(card: str) -> str:
    """Return a card without its blocks of code, where everything is shown as it is."""
    return re.sub(r"^(`{3,})\w*\n.*?^\1$", "", card, flags=re.DOTALL | re.MULTILINE)


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


def test_figures_do_not_depend_on_who_counts(tmp_path: Path) -> None:
    pulls = [example("pull-request", number=number, split=split)
             for number, split in enumerate(("train", "validation", "test"), start=1)]  # fmt: skip
    _card(tmp_path, pulls)
    with Pool(2) as engine:
        assert measure_release(tmp_path / "release", engine) == measure_release(
            tmp_path / "release"
        )
        assert card_is_true(tmp_path / "release", engine)


def test_text_from_data_is_shown_and_does_nothing(tmp_path: Path) -> None:
    hostile = "{{ 7*7 }} <script>alert(1)</script> | x |\n---\n[click](javascript:1) `rm`"
    card = _without_rows(_card(tmp_path, [example("pull-request", language=hostile)]))
    assert "49" not in card
    assert "<script>" not in card
    assert "[click](" not in card
    assert "alert(1)" in card


def test_every_column_is_described(tmp_path: Path) -> None:
    pull = example("pull-request")
    card = _card(tmp_path, [pull])
    for column in pull:
        assert f"| `{column}" in card


HOSTILE = "</text><script>alert(1)</script>&\x00\x1b[31m\u202e\ud800 ` ``` ```` ]]>"


def _release(folder: Path) -> Path:
    """Build a release of every config, one attempt of three refused."""
    tasks = [task("task-1"), task("task-2", stages=3, kind="semantic-chain")]
    stages = example("attempt")["stages"]
    attempts = [
        attempt("attempt-1", "task-1", num_tool_calls=7, num_tokens=900),
        attempt("attempt-2", "task-2", num_tool_calls=150, stages=stages * 3),
        attempt("attempt-3", "task-1", score=0.25),
    ]
    inputs = BuildInputs(
        pulls=(write_lines(folder / "pulls.jsonl", [example("pull-request")]),),
        tasks=(write_lines(folder / "tasks.jsonl", tasks),),
        attempts=(write_lines(folder / "attempts.jsonl", attempts),),
    )
    write_release(inputs, folder / "release", finish=write_card)
    return folder / "release"


def test_the_figures_are_those_of_the_rows(tmp_path: Path) -> None:
    card = (_release(tmp_path) / "README.md").read_text()
    for line in (
        "| pull requests mined | 1 |",
        "| tasks | 2 |",
        "| attempts | 3 |",
        "| samples | 2 |",
        "| short, below 20 | 1 | 0 |",
        "| long, 100 or more | 0 | 1 |",
        "| build | attempt | below-threshold | 1 |",
        "**Contamination was not looked for**",
    ):
        assert line in card


def test_its_metadata_are_what_the_hub_knows(tmp_path: Path) -> None:
    release = _release(tmp_path)
    front = yaml.safe_load((release / "README.md").read_text().split("---\n")[1])
    assert yaml.safe_load(str(DatasetCardData(**front))) == front
    assert "dataset_info" not in front
    configs = {each["config_name"] for each in front["configs"]}
    assert configs == {name for name, rows in read_manifest(release).rows.items() if rows}


def test_a_plot_that_was_changed_or_does_not_belong_is_noticed(tmp_path: Path) -> None:
    release = _release(tmp_path)
    plots = sorted(path.name for path in (release / "plots").iterdir())
    assert plots == [
        "chain-length.svg", "funnel.svg", "languages.svg", "repositories.svg", "scores.svg",
        "tokens.svg", "tool-calls.svg",
    ]  # fmt: skip
    drawn = release / "plots" / "scores.svg"
    kept = drawn.read_bytes()
    drawn.write_bytes(kept.replace(b">1</text>", b">9</text>"))
    assert not card_is_true(release)
    drawn.write_bytes(kept)
    (release / "plots" / "other.svg").write_bytes(kept)
    assert not card_is_true(release)
    write_card(release)
    assert card_is_true(release)


def test_every_plot_is_well_formed_whatever_its_labels_are(tmp_path: Path) -> None:
    root = ElementTree.fromstring(svg(Bars("x", "A <title>", [HOSTILE], {"<a>": [1], "b": [2]})))  # noqa: S314 - our own
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    for path in (_release(tmp_path) / "plots").iterdir():
        ElementTree.parse(path)  # noqa: S314 - our own


@pytest.mark.parametrize("text", [HOSTILE, "`" * 500, "```\n```", "x" * 100_000])
def test_nothing_gets_out_of_the_block_that_shows_a_row(text: str) -> None:
    shown = excerpt({"text": text, text[:50]: [text] * 50})
    first, *_, last = shown.splitlines()
    fence = first.removesuffix("json")
    assert (last, set(fence)) == (fence, {"`"})
    assert shown.count(fence) == 2
    assert len(shown) < 4_000
    assert "\u202e" not in shown
    shown.encode()
