"""The next stage starts from the agent's work instead of the truth, or says why it can't."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from davinci_agency.repository.carrying import Start, TrueStage, stage_start
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import read_source
from davinci_agency.repository.states import States
from tests.repositories import Repository

CODE = "".join(f"line {number}\n" for number in range(20))


class Chain:
    """Three pull requests, with other work between them."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository.init(folder)
        self.repository.commit("Begin", {"code": CODE, "old": "old\n"})
        self.stages = [
            self.pull(1, {"code": CODE.replace("line 3\n", "true 3\n"), "added": "true\n"}),
            self.pull(2, {"code": self.code().replace("line 9\n", "true 9\n")}),
            self.pull(3, {"code": self.code().replace("line 15\n", "true 15\n")}),
        ]

    def code(self) -> str:
        return (self.repository.folder / "code").read_text()

    def pull(self, number: int, files: dict[str, str]) -> TrueStage:
        self.repository.commit(f"Other {number}", {f"other{number}": "x\n"})
        base = self.repository.sha()
        merged = self.repository.commit(f"Pull {number}", files)
        patch = self.repository.git("diff", "--full-index", "--binary", base, merged) + "\n"
        return TrueStage(number, base, patch)


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path / "source")


@pytest.fixture
def states(chain: Chain) -> Iterator[States]:
    with open_overlay(read_source(chain.repository.folder)) as overlay:
        yield States(overlay)


def edited(states: States, tree: str, old: str, new: str) -> str:
    """Return a tree in which a line of the code is another one."""
    content = show(states, tree)
    patch = _patch(content, content.replace(f"{old}\n", f"{new}\n"))
    made = states.applied(tree, patch)
    assert made is not None
    return made


def _patch(before: str, after: str) -> str:
    import difflib

    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), "a/code", "b/code"
    )
    return "diff --git a/code b/code\n" + "".join(lines)


def show(states: States, tree: str, path: str = "code") -> str:
    shown = states.overlay.attempt(("cat-file", "blob", f"{tree}:{path}"), b"", {})
    return "" if shown is None else shown.decode()


def has(states: States, tree: str, path: str) -> bool:
    return states.overlay.attempt(("cat-file", "-e", f"{tree}:{path}"), b"", {}) is not None


def test_the_first_stage_starts_from_its_base(chain: Chain, states: States) -> None:
    base = chain.repository.sha(f"{chain.stages[0].base_commit}^{{tree}}")
    assert stage_start(states, chain.stages[:1], "", cumulative=False) == Start(base)


def test_going_on_is_going_on(chain: Chain, states: States) -> None:
    made = edited(
        states,
        stage_start(states, chain.stages[:1], "", cumulative=False).tree or "",
        "line 3",
        "agent 3",
    )
    assert stage_start(states, chain.stages[:2], made, cumulative=True) == Start(made)


def test_who_does_the_true_thing_starts_from_the_true_base(chain: Chain, states: States) -> None:
    made = stage_start(states, chain.stages[:1], "", cumulative=False).tree or ""
    for count in (1, 2):
        made = states.applied(made, chain.stages[count - 1].patch) or ""
        start = stage_start(states, chain.stages[: count + 1], made, cumulative=False)
        assert start == Start(states.tree_of(chain.stages[count].base_commit))
        made = start.tree or ""


def test_the_agent_s_work_stands_in_for_the_truth(chain: Chain, states: States) -> None:
    made = edited(
        states,
        stage_start(states, chain.stages[:1], "", cumulative=False).tree or "",
        "line 3",
        "agent 3",
    )
    second = stage_start(states, chain.stages[:2], made, cumulative=False).tree or ""
    assert "agent 3" in show(states, second)
    assert "true" not in show(states, second)
    assert has(states, second, "other2")
    assert not has(states, second, "added")
    made = edited(states, second, "line 9", "agent 9")
    third = stage_start(states, chain.stages, made, cumulative=False).tree or ""
    assert "agent 3" in show(states, third)
    assert "agent 9" in show(states, third)
    assert "true" not in show(states, third)
    assert has(states, third, "other3")


def test_work_that_does_not_merge_is_a_conflict_and_says_where(
    chain: Chain, states: States
) -> None:
    chain.repository.commit("Clash", {"code": chain.code().replace("line 5\n", "clash\n")})
    fourth = chain.pull(4, {"x": "x\n"})
    made = edited(
        states,
        stage_start(states, chain.stages[:1], "", cumulative=False).tree or "",
        "line 5",
        "agent 5",
    )
    start = stage_start(states, [chain.stages[0], fourth], made, cumulative=False)
    assert start.tree is None
    assert start.conflict is not None
    assert "in code" in start.conflict


def test_a_truth_that_is_not_in_the_base_is_not_taken_out(chain: Chain, states: States) -> None:
    # The second was merged after the first's base: as if somebody had listed them the other way.
    first, second, _ = chain.stages
    made = states.applied(states.tree_of(second.base_commit), second.patch) or ""
    start = stage_start(states, [second, first], made, cumulative=False)
    assert start.tree is not None
    assert "true 9" in show(states, start.tree)


def test_a_truth_that_was_overlaid_is_a_conflict(chain: Chain, states: States) -> None:
    chain.repository.commit("Clash", {"code": chain.code().replace("true 3\n", "overlaid\n")})
    fourth = chain.pull(4, {"x": "x\n"})
    made = states.tree_of(chain.stages[0].base_commit)
    start = stage_start(states, [chain.stages[0], fourth], made, cumulative=False)
    assert start.conflict == "#1 can't be taken out of the base of #4"


def test_what_the_truth_deleted_is_there_again(chain: Chain, states: States) -> None:
    base = chain.repository.sha()
    (chain.repository.folder / "old").unlink()
    merged = chain.repository.commit("Pull 4")
    patch = chain.repository.git("diff", "--full-index", base, merged) + "\n"
    fourth = TrueStage(4, base, patch)
    fifth = chain.pull(5, {"y": "y\n"})
    made = states.tree_of(base)
    start = stage_start(states, [fourth, fifth], made, cumulative=False)
    assert has(states, start.tree or "", "old")
