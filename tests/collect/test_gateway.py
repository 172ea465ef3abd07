"""The way out of a sandbox: no key inside, no answer paid for twice, and an end to spending."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.collect import Budget, Gateway, Prices, SessionLimits, Upstream, Usage
from davinci_agency.collect.exchanges import Exchanges, digest
from tests.servers.llm import KEY, Answer, LanguageModel, Raw, Refusal, calls

EVENTS = (
    b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
    b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}\n\n'
    b"data: [DONE]\n\n"
)


class _Inside(http.client.HTTPConnection):
    """What a program inside does, without the port between."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def ask(path: Path, body: Any, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    connection = _Inside(path)
    given = {"Content-Type": "application/json", **(headers or {})}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), given)
    answer = connection.getresponse()
    content = answer.status, answer.read()
    connection.close()
    return content


def upstream(model: LanguageModel, **changes: Any) -> Upstream:
    values: dict[str, Any] = {"prices": Prices(1.0, 2.0), "patience": 0.01, **changes}
    return Upstream(model.url, "the-model", KEY, **values)


def gateway(
    model: LanguageModel,
    folder: Path,
    limits: SessionLimits | None = None,
    budget: Budget | None = None,
    **changes: Any,
) -> Gateway:
    kept = Exchanges.open(folder / "exchanges")
    return Gateway(upstream(model, **changes), kept, limits or SessionLimits(), budget or Budget())


def question(text: str) -> dict[str, Any]:
    return {"model": "whatever", "messages": [{"role": "user", "content": text}]}


def test_the_key_and_the_model_are_put_in_outside(tmp_path: Path) -> None:
    with LanguageModel(["Yes."]) as model:
        door = gateway(model, tmp_path, sampling={"temperature": 0.5})
        with door.serving(tmp_path) as path:
            status, body = ask(path, question("Well?"), {"Authorization": "Bearer made-up"})
    assert status == 200
    assert json.loads(body)["choices"][0]["message"]["content"] == "Yes."
    assert model.questions[0]["model"] == "the-model"
    assert model.questions[0]["temperature"] == 0.5
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
    assert KEY not in repr(upstream(model))


FAULTS: dict[str, Answer] = {
    "limit": Refusal(429, "0.01"),
    "odd-limit": Refusal(429, "soon"),
    "fault": Refusal(500),
    "no-json": Raw(b"<html>Bad gateway</html>"),
    "cut": Raw(b'{"choices": [', is_cut=True),
    "cut-stream": Raw(EVENTS[:40] + b"\n\n", "text/event-stream"),
    "cut-stream-body": Raw(EVENTS, "text/event-stream", is_cut=True),
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_faults_that_pass_are_waited_out(name: str, tmp_path: Path) -> None:
    answers = [FAULTS[name], FAULTS[name], "Yes."]
    with LanguageModel(answers) as model, gateway(model, tmp_path).serving(tmp_path) as path:
        status, body = ask(path, question("Well?"))
    assert (status, b"Yes." in body) == (200, True)
    assert len(model.questions) == 3


def test_a_fault_that_stays_is_told_without_the_key(tmp_path: Path) -> None:
    with (
        LanguageModel([Refusal(503)]) as model,
        gateway(model, tmp_path, patience=0.001).serving(tmp_path) as path,
    ):
        status, body = ask(path, question("Well?"))
    assert status == 503
    assert KEY.encode() not in body
    assert not list((tmp_path / "exchanges").glob("*"))


def test_a_wrong_key_is_told_at_once(tmp_path: Path) -> None:
    with LanguageModel(["Yes."]) as model:
        door = Gateway(
            Upstream(model.url, "m", "wrong", patience=9.0),
            Exchanges.open(tmp_path / "exchanges"),
            SessionLimits(),
            Budget(),
        )
        with door.serving(tmp_path) as path:
            assert ask(path, question("Well?"))[0] == 401


def test_a_stream_is_passed_on_and_counted(tmp_path: Path) -> None:
    with LanguageModel([Raw(EVENTS, "text/event-stream")]) as model:
        door = gateway(model, tmp_path)
        with door.serving(tmp_path) as path:
            status, body = ask(path, {**question("Well?"), "stream": True})
    assert (status, body) == (200, EVENTS)
    assert model.questions[0]["stream_options"] == {"include_usage": True}
    assert door.usage == Usage(1, 7, 3, 13e-6)


def test_what_was_paid_for_is_answered_again_for_nothing(tmp_path: Path) -> None:
    budget = Budget()
    with LanguageModel([calls("ls", 1), calls("pwd", 2), "Last."]) as model:
        with gateway(model, tmp_path).serving(tmp_path) as path:
            first = [ask(path, question("run in 0.31 s")), ask(path, question("at 0x7f3a: done"))]
        door = gateway(model, tmp_path, budget=budget)
        with door.serving(tmp_path) as path:
            again = [ask(path, question("run in 0.29 s")), ask(path, question("at 0xbe11: done"))]
            assert len(model.questions) == 2
            ask(path, question("and now?"))
    assert again == first
    assert len(model.questions) == 3
    assert (door.usage.steps, budget.spent.steps) == (3, 3)


def test_after_the_first_other_question_the_model_is_asked_again(tmp_path: Path) -> None:
    budget = Budget()
    with LanguageModel([calls("ls", 1), calls("pwd", 2), "Other.", "Last."]) as model:
        with gateway(model, tmp_path).serving(tmp_path) as path:
            ask(path, question("first"))
            ask(path, question("second"))
        door = gateway(model, tmp_path, budget=budget)
        with door.serving(tmp_path) as path:
            ask(path, question("first"))
            assert b"Other." in ask(path, question("something else"))[1]
    assert door.usage.steps == 2
    # What was set aside was paid for all the same.
    assert budget.spent.steps == 3
    assert gateway(model, tmp_path, budget=Budget())._exchanges.paid.steps == 3


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (SessionLimits(steps=2), "step-limit"),
        (SessionLimits(tokens=200), "token-limit"),
        (SessionLimits(cost=0.0002), "cost-limit"),
    ],
)
def test_a_limit_ends_the_session(limits: SessionLimits, name: str, tmp_path: Path) -> None:
    with LanguageModel([calls("ls", 1)]) as model:
        door = gateway(model, tmp_path, limits)
        with door.serving(tmp_path) as path:
            statuses = [ask(path, question(f"{word}"))[0] for word in ("a", "b", "c", "d")]
    assert statuses == [200, 200, 403, 403]
    assert door.ended_by == name
    assert len(model.questions) == 2


def test_the_budget_of_a_run_ends_all_its_sessions(tmp_path: Path) -> None:
    budget = Budget(max_cost=0.0002)
    with LanguageModel([calls("ls", 1)]) as model:
        for number, expected in enumerate(([200, 200], [403, 403])):
            door = gateway(model, tmp_path / str(number), budget=budget)
            with door.serving(tmp_path) as path:
                assert [ask(path, question(word))[0] for word in "ab"] == expected
    assert door.ended_by == "run-cost-limit"


def test_a_question_without_end_is_refused(tmp_path: Path) -> None:
    with LanguageModel(["Yes."]) as model, gateway(model, tmp_path).serving(tmp_path) as path:
        connection = _Inside(path)
        connection.putrequest("POST", "/v1/chat/completions")
        connection.putheader("Content-Length", str(1 << 40))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


@given(st.text("ab01_ ", max_size=12), st.text("ab01_ ", max_size=12))
def test_questions_are_the_same_only_if_they_differ_in_words_with_digits(a: str, b: str) -> None:
    def bones(text: str) -> list[str]:
        pieces = text.replace(" ", "\0 \0").split("\0")
        return ["0" if any(char.isdigit() for char in piece) else piece for piece in pieces]

    assert (digest(a.encode()) == digest(b.encode())) == (bones(a) == bones(b))
