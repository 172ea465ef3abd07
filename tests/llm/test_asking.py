"""A model is asked once for each question, through real HTTP, and its faults are waited out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.errors import RemoteError
from davinci_agency.llm import Answer, Endpoint, Model, Sampling, read_json
from tests.servers.llm import KEY, LanguageModel, Raw, Refusal

TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Well?"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def said(text: str) -> dict[str, Any]:
    return {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3},
    }


def model_of(server: LanguageModel, folder: Path, **sampling: Any) -> Model:
    endpoint = Endpoint(server.url, "some-model", KEY, Sampling(**sampling), patience=0.01)
    return Model(endpoint, folder)


def test_an_answer_is_kept_with_what_it_took(tmp_path: Path) -> None:
    with LanguageModel([said("Yes."), said("No.")]) as server:
        model = model_of(server, tmp_path)
        assert model.ask(TURNS) == Answer("Yes.", 12, 3)
        assert model_of(server, tmp_path).ask(TURNS) == Answer("Yes.", 12, 3, was_kept=True)
        assert model.ask(TURNS, again=1).text == "No."
        assert model.ask(TURNS, again=1).was_kept
    assert str(model.spent) == "2 questions, 24 + 6 tokens, 1 answered before"
    assert server.questions[0]["temperature"] == 0.0
    assert "seed" not in server.questions[0]


def test_another_sampling_is_another_question(tmp_path: Path) -> None:
    with LanguageModel([said("Yes."), said("No.")]) as server:
        model_of(server, tmp_path).ask(TURNS)
        answer = model_of(server, tmp_path, temperature=0.7, seed=3, max_tokens=50).ask(TURNS)
    assert answer.text == "No."
    last = server.questions[1]
    assert (last["temperature"], last["seed"], last["max_tokens"]) == (0.7, 3, 50)


FAULTS = [
    Refusal(429, "0.01"),
    Refusal(500),
    Raw(b"<html>Bad gateway</html>"),
    Raw(b'{"choices": [', is_cut=True),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_is_waited_out(fault: Refusal | Raw, tmp_path: Path) -> None:
    with LanguageModel([fault, fault, said("Yes.")]) as server:
        assert model_of(server, tmp_path).ask(TURNS).text == "Yes."


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_ends_it_and_nothing_is_kept(
    fault: Refusal | Raw, tmp_path: Path
) -> None:
    with LanguageModel([fault]) as server:
        with pytest.raises(RemoteError, match="run it again") as raised:
            model_of(server, tmp_path).ask(TURNS)
        assert len(server.questions) == 4
    assert KEY not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_an_endpoint_that_knows_no_schemas_is_asked_without(tmp_path: Path) -> None:
    with LanguageModel([Refusal(400), said('{"a": 1}')]) as server:
        model = model_of(server, tmp_path)
        assert read_json(model.ask(TURNS, schema=SCHEMA).text, dict[str, int]) == {"a": 1}
        model.ask(TURNS, schema=SCHEMA, again=1)
    forms = ["response_format" in question for question in server.questions]
    assert forms == [True, False, False]
    assert server.questions[0]["response_format"]["json_schema"]["schema"] == SCHEMA


@pytest.mark.parametrize("value", [{}, {"choices": []}, [], {"choices": [{"message": None}]}])
def test_an_answer_of_another_shape_says_nothing(value: Any, tmp_path: Path) -> None:
    with LanguageModel([Raw(json.dumps(value).encode())]) as server:
        assert model_of(server, tmp_path).ask(TURNS) == Answer("", None, None)


@pytest.mark.parametrize("words", ["", "yes", "{", '{"a": "b"}', "```json\n{}", '{"a": 1} or so'])
def test_words_that_are_no_such_value_are_none(words: str) -> None:
    assert read_json(words, dict[str, int]) is None


def test_words_in_a_fence_are_read() -> None:
    assert read_json('\n```json\n{"a": 1}\n```\n', dict[str, int]) == {"a": 1}
