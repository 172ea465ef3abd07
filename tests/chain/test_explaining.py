"""A chain explained: to people, to machines, and never in the words of a stranger's terminal."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from davinci_agency import printable as module_of_printable
from davinci_agency.chain.drawing import svg
from davinci_agency.chain.explaining import explanation, find_chain, mermaid
from davinci_agency.errors import CommandError
from davinci_agency.printable import printable
from tests.chain.support import chains_of, pull
from tests.command import COMMAND, environment

HOSTILE = 'End"]; click p1 "javascript:alert(1)"\x1b]0;owned\x07\u202e #quot; <b> (#1) `x`'


@pytest.fixture
def chains(tmp_path: Path) -> Path:
    """A file of the chains of three pull requests, two of them tied."""
    pulls = [
        pull(1, "Add it"),
        pull(2, HOSTILE, body="It was slow. Follow-up to #1.\x1b[2J", paths=["core.py", "b.py"]),
        pull(3, "Other", author="grace", paths=["c.py"]),
    ]
    chains_of(pulls, tmp_path)
    return tmp_path / "chains.jsonl"


def semantic(chains: Path) -> str:
    rows = map(json.loads, chains.read_text().splitlines())
    return next(str(row["chain_id"]) for row in rows if row["kind"] == "semantic-chain")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "explain", *arguments]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)


def test_the_examples_in_the_docstrings_are_true() -> None:
    results = doctest.testmod(module_of_printable)
    assert (results.failed, results.attempted > 0) == (0, True)


def test_a_chain_is_found_by_its_id_and_by_its_beginning(chains: Path) -> None:
    key = semantic(chains)
    assert find_chain(chains, key).chain_id == key
    assert find_chain(chains, key[:14]).chain_id == key


def test_a_chain_of_several_is_found_by_a_member(tmp_path: Path) -> None:
    pulls = [pull(1), pull(2, "Fix #1", author="grace")]
    chains_of(pulls, tmp_path)
    found = find_chain(tmp_path / "chains.jsonl", "example/thing#1")
    assert (found.kind, [stage.number for stage in found.stages]) == ("semantic-chain", [1, 2])


@pytest.mark.parametrize("wanted", ["chain-none", "example/thing#9", "example/thing", "#1", ""])
def test_what_is_no_chain_or_may_be_several_is_the_command_s_fault(
    wanted: str, chains: Path
) -> None:
    with pytest.raises(CommandError, match=r"name (a chain_id|one of them)"):
        find_chain(chains, wanted)


def test_lines_that_can_t_be_used_are_passed_over(chains: Path) -> None:
    key = semantic(chains)
    chains.write_text(f'{{"chain_id": "{key}"}}\n{key} no json\n' + chains.read_text())
    assert find_chain(chains, key).chain_id == key


def test_an_explanation_has_every_tie_with_what_both_change_and_no_patch(chains: Path) -> None:
    row = explanation(find_chain(chains, semantic(chains)))
    (edge,) = row["edges"]
    assert (edge["source"], edge["target"], edge["type"]) == (2, 1, "follows-up")
    assert edge["shared_files"] == ["core.py"]
    assert edge["evidence"][0]["quote"].startswith("Follow-up to #1.")
    assert "patch" not in row["stages"][0]
    shown = run(semantic(chains), "--chains", str(chains), "--json")
    assert json.loads(shown.stdout) == row


def test_a_page_names_members_ties_quotes_and_places(chains: Path) -> None:
    page = run(semantic(chains), "--chains", str(chains))
    assert page.returncode == 0
    for words in ("#1 Add it", "follows-up #1", "“Follow-up to #1.", "body of #2, characters 13"):
        assert words in page.stdout
    assert "both change core.py" in page.stdout


def test_no_text_of_a_stranger_steers_the_terminal_or_the_chart(chains: Path) -> None:
    key = semantic(chains)
    page = run(key, "--chains", str(chains)).stdout
    assert not set("\x1b\x07\u202e") & set(page)
    chart = run(key, "--chains", str(chains), "--mermaid").stdout
    assert chart == mermaid(find_chain(chains, key))
    labels = re.findall(r'^  p\d+\["(.*)"\]$', chart, re.MULTILINE)
    assert len(labels) == 2
    assert all(re.fullmatch(r"(?:[\w ]|#\d+;)*", label) for label in labels)


def test_a_text_of_several_lines_is_printed_on_one() -> None:
    assert printable("a\n\tb\u2028c") == "a b c"


def test_a_chain_that_is_not_there_exits_with_two(chains: Path) -> None:
    shown = run("chain-none", "--chains", str(chains))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "has no chain chain-none" in shown.stderr
    assert run("x", "--chains", str(chains.parent / "none.jsonl")).returncode == 2


def test_a_picture_is_well_formed_whatever_people_wrote(chains: Path) -> None:
    picture = run(semantic(chains), "--chains", str(chains), "--svg").stdout
    assert picture == svg(find_chain(chains, semantic(chains)))
    root = ElementTree.fromstring(picture)  # noqa: S314
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("#1 Add it" in text for text in texts)
    assert "follows-up #1 0.95" in texts
    assert not [each for each in root.iter() if each.tag.endswith(("script", "a"))]
    assert not set("\x1b\x07\u202e") & set(picture)


def test_a_page_has_scores_and_neighbours_with_what_they_were_left_out_for(tmp_path: Path) -> None:
    pulls = [pull(1), pull(2, "Fix #1"), pull(3, "The same as #2", author="grace")]
    chains_of(pulls, tmp_path)
    page = run("example/thing#3", "--chains", str(tmp_path / "chains.jsonl"))
    assert page.returncode == 2
    chains = tmp_path / "chains.jsonl"
    page = run(semantic(chains), "--chains", str(chains))
    assert "score 0.49" in page.stdout
    assert "1 author" in page.stdout
    assert "#3 weak-tie: mentions 0.50 with #2\n    The same as #2\n" in page.stdout


def damaged(chains: Path, tmp_path: Path, **changes: object) -> Path:
    """Write the semantic chain with its one tie changed."""
    rows = map(json.loads, chains.read_text().splitlines())
    row = next(row for row in rows if row["kind"] == "semantic-chain")
    row["edges"][0] |= changes
    row["stages"][0]["url"] = "https://h/\x1b[31m\u202e\nx"
    path = tmp_path / "damaged.jsonl"
    path.write_text(json.dumps(row) + "\n")
    return path


@pytest.mark.parametrize("end", ["source", "target"])
@pytest.mark.parametrize("form", ["", "--svg", "--json"])
def test_a_tie_to_nobody_is_the_data_s_fault(
    end: str, form: str, chains: Path, tmp_path: Path
) -> None:
    path = damaged(chains, tmp_path, **{end: 999})
    done = run("chain-", "--chains", str(path), *filter(None, [form]))
    assert (done.returncode, done.stdout) == (1, "")
    assert "has a tie" in done.stderr


def test_an_address_steers_no_terminal(chains: Path, tmp_path: Path) -> None:
    done = run("chain-", "--chains", str(damaged(chains, tmp_path)))
    assert done.returncode == 0
    assert not re.search("[\x1b\u202e]", done.stdout)
    assert "https://h/\ufffd[31m\ufffd x" in done.stdout


def test_it_is_told_in_any_encoding_and_width_and_to_closed_streams(chains: Path) -> None:
    arguments = [*COMMAND, "explain", semantic(chains), "--chains", str(chains)]
    for more in ({"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "0"}, {"COLUMNS": "1"}):
        done = subprocess.run(
            arguments, env={**environment(), **more}, capture_output=True, check=False
        )
        assert (done.returncode, b"Follow-up to #1." in done.stdout) == (0, True), more
    quoted = " ".join(f"'{argument}'" for argument in arguments)
    for closed in ("2>&-", "<&-", ">&-"):
        done = subprocess.run(
            ["sh", "-c", f"{quoted} {closed}"], env=environment(), capture_output=True, check=False
        )
        assert done.returncode == 0, (closed, done.stderr)


def test_an_id_that_is_no_text_is_not_found(chains: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "explain", b"\xff", "--chains", str(chains)],
        env=environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, b"has no chain" in done.stderr) == (2, True)
