"""The battery of known goods and bads: real patches that apply, and what a judge makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.evaluate.battery import KINDS, Case, cases_of, whole_patch
from davinci_agency.evaluate.patch_parts import parse_patch, split_hunk, write_patch
from davinci_agency.records import Task, from_json
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import read_source
from davinci_agency.repository.states import States
from tests.command import davinci
from tests.mined import make_tasks
from tests.samples import read_lines
from tests.servers.llm import KEY, Answer, LanguageModel, Refusal

COMMENT = "Something is missing."


@pytest.fixture(scope="module")
def tasks(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tasks of the example's single pull requests."""
    return make_tasks(repository, tmp_path_factory.mktemp("battery"), "single-pr")


def cases(tasks: Path) -> list[Case]:
    return list(cases_of([(from_json(line, Task), 0) for line in read_lines(tasks)]))


def test_every_case_applies_and_does_what_its_name_says(tasks: Path, repository: Path) -> None:
    made = cases(tasks)
    assert {case.kind for case in made} == set(KINDS)
    with open_overlay(read_source(repository)) as overlay:
        states = States(overlay)
        for case in made:
            stage = case.task.stages[0]
            base = states.tree_of(stage.base_commit)
            true = states.applied(base, whole_patch(stage))
            tree = states.applied(base, case.patch)
            if case.kind == "other-pull":
                assert case.patch not in (stage.patch, whole_patch(stage))
            elif case.kind in ("true", "split"):
                assert tree == true
            elif case.kind == "reformatted":
                assert tree is not None
            elif case.kind == "empty":
                assert tree == base
            else:
                assert tree not in (None, true, base), (case.kind, stage.number)


lines = st.lists(st.sampled_from(["a", "", "-- x", "++ y", "diff --git a/x b/x", "@@ -1 +1 @@"]))


@given(lines, lines, st.booleans())
def test_a_patch_is_read_and_written_without_loss(
    old: list[str], new: list[str], ends: bool
) -> None:
    patch = _diff(old, new, ends)
    parts = parse_patch(patch)
    assert write_patch(parts) == patch
    for part in parts:
        for hunk in part.hunks:
            pieces = split_hunk(hunk)
            assert tuple(line for piece in pieces for line in piece.lines) == hunk.lines
            assert all(sum(changed for changed, _ in piece.runs) == 1 for piece in pieces)


def _diff(old: list[str], new: list[str], ends: bool) -> str:
    """Return a patch as git words it, with one hunk that holds both files whole."""
    import difflib

    body: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            body += [f" {line}" for line in old[a:b]]
        else:
            body += [f"-{line}" for line in old[a:b]] + [f"+{line}" for line in new[c:d]]
    if old == new:
        return ""
    if not ends:
        body.append("\\ No newline at end of file")
    counts = ["" if len(side) == 1 else f",{len(side)}" for side in (old, new)]
    first = [f"{int(bool(side))}{count}" for side, count in zip((old, new), counts, strict=True)]
    heading = "diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n"
    return heading + "\n".join([f"@@ -{first[0]} +{first[1]} @@", *body]) + "\n"


def careful(question: Any) -> Answer:
    """Judge by the lines that are changed, blank ones aside."""
    asked = json.loads(question["messages"][1]["content"])
    wanted, made = (
        sorted(line for line in text.split("\n") if line[:1] in "+-" and line[1:].strip())
        for text in (asked["true_patch"] + asked["true_tests"], asked["attempt_patch"])
    )
    return json.dumps({"score": float(wanted == made), "comment": COMMENT})


def generous(_: Any) -> Answer:
    return json.dumps({"score": 1.0, "comment": "Fine."})


@pytest.fixture
def calibrate(tasks: Path, tmp_path: Path) -> Callable[..., Any]:
    def calibrate(judge: Callable[[Any], Answer], *more: str | Path) -> Any:
        out = tmp_path / "report.json"
        with LanguageModel(judge) as model:
            done = davinci(
                "judge", "--calibrate", tasks, "--out", out, "--llm", model.url, "--model", "m",
                "--rubric", "gair-v1", "--json", *more,
                env={"JUDGE_API_KEY": KEY, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            )  # fmt: skip
        assert done.code == 0, done.stderr
        report = json.loads(out.read_bytes())
        assert done.summary == {key: value for key, value in report.items() if key != "cases"}
        return report

    return calibrate


def test_a_careful_judge_makes_no_mistake(calibrate: Callable[..., Any]) -> None:
    report = calibrate(careful)
    for name in ("goods_rejected", "bads_accepted"):
        assert (report[name]["wrong"], report[name]["rate"]) == (0, 0.0)
        assert report[name]["of"] > 15
    assert {kind["kind"] for kind in report["kinds"]} == set(KINDS)
    assert all(kind["errors"] == 0 for kind in report["kinds"])


def test_a_generous_one_is_found_out_but_for_what_the_gates_stop(
    calibrate: Callable[..., Any],
) -> None:
    report = calibrate(generous)
    wrong = {kind["kind"]: kind["wrong"] / kind["cases"] for kind in report["kinds"]}
    assert wrong["empty"] == 0
    assert wrong["half"] == wrong["comments-only"] == 1
    # Another pull request's patch may move tests, too.
    assert wrong["other-pull"] > 0.8
    assert wrong["tests-deleted"] < 1
    assert report["goods_rejected"]["wrong"] == 0


def test_a_judge_that_is_down_is_neither_right_nor_wrong(calibrate: Callable[..., Any]) -> None:
    report = calibrate(lambda _: Refusal(401), "--limit", "2")
    assert report["goods_rejected"] == {"wrong": 0, "of": 0, "rate": None}
    errors = {kind["kind"]: kind["errors"] for kind in report["kinds"]}
    assert errors["true"] == 2
    assert errors["empty"] == 0
