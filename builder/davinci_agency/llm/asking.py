"""The edge to a language model: OpenAI's chat completions, through OpenAI's own client.

Every answer is kept in a folder, by a hash of all that was asked, so nothing is asked for twice,
and a run that was killed goes on where it was for nothing.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from davinci_agency.errors import CommandError, RemoteError
from davinci_agency.files import atomic_file
from davinci_agency.ids import content_digest

if TYPE_CHECKING:
    from openai import OpenAI

_TRIES = 4
_TIMEOUT = 300.0
_LONGEST_WAIT = 60.0
"""Seconds."""
_ADDRESS = re.compile(r"https?://[^/@\s]+(?:/[^@\s]*)?")

Turn = Mapping[str, str]
"""{"role", "content"}"""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn; what is ``None`` the endpoint chooses."""

    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A language model behind an address.

    Attributes:
        url: the address of its interface, such as ``https://api.openai.com/v1``.
        model: its name.
        key: the key that lets one in; never shown.
        sampling: how answers are drawn.
        patience: seconds to wait after the first refusal; each further one doubles them.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    sampling: Sampling = field(default_factory=Sampling)
    patience: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said.

    Attributes:
        text: its words; empty if the answer has another shape.
        prompt_tokens, completion_tokens: as the endpoint counts; ``None`` if it does not.
        was_kept: whether it was answered before, so that it cost nothing now.
    """

    text: str
    prompt_tokens: int | None
    completion_tokens: int | None
    was_kept: bool = False


@dataclass(slots=True)
class Spent:
    """What was asked so far."""

    asked: int = 0
    kept: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __str__(self) -> str:
        return (
            f"{self.asked:,} questions, {self.prompt_tokens:,} + {self.completion_tokens:,} "
            f"tokens, {self.kept:,} answered before"
        )


class Model:
    """A language model; several threads may ask it at once.

    Attributes:
        endpoint: where it is.
        spent: what was asked so far.
    """

    def __init__(self, endpoint: Endpoint, answers: Path) -> None:
        self.endpoint = endpoint
        self.spent = Spent()
        self._answers = answers
        self._lock = threading.Lock()
        self._client = _client(endpoint)
        self._takes_schemas = True

    def ask(
        self,
        turns: Sequence[Turn],
        *,
        schema: Mapping[str, Any] | None = None,
        again: int = 0,
    ) -> Answer:
        """Return the model's answer, from the folder if it is there.

        With a JSON ``schema`` the endpoint is asked to hold the answer to it; one that can't do
        that is asked without. ``again`` tells equal questions apart: votes, and second tries.

        Raises `RemoteError` if it can't be reached or refuses to answer.
        """
        sampling = asdict(self.endpoint.sampling)
        asked = [self.endpoint.url, self.endpoint.model, sampling, list(turns), schema, again]
        place = self._answers / f"{content_digest(asked)}.json"
        if place.is_file():
            answer = msgspec.json.decode(place.read_bytes(), type=Answer)
            answer = _as_kept(answer)
        else:
            answer = self._asked(turns, schema)
            with atomic_file(place) as file:
                file.write(msgspec.json.encode(answer))
        self._count(answer)
        return answer

    def _count(self, answer: Answer) -> None:
        with self._lock:
            if answer.was_kept:
                self.spent.kept += 1
                return
            self.spent.asked += 1
            self.spent.prompt_tokens += answer.prompt_tokens or 0
            self.spent.completion_tokens += answer.completion_tokens or 0

    def _asked(self, turns: Sequence[Turn], schema: Mapping[str, Any] | None) -> Answer:
        import openai

        wanted = {k: v for k, v in asdict(self.endpoint.sampling).items() if v is not None}
        said = "no answer"
        for attempt in range(_TRIES):
            wait = self.endpoint.patience * 2**attempt
            form = _response_format(schema) if self._takes_schemas else {}
            try:
                raw = self._client.chat.completions.with_raw_response.create(
                    model=self.endpoint.model, messages=cast(Any, list(turns)), **wanted, **form
                )
                return _read(raw.text)
            except openai.APIStatusError as error:
                said = f"{error.status_code} {HTTPStatus(error.status_code).phrase}"
                if error.status_code == HTTPStatus.BAD_REQUEST and form:
                    self._takes_schemas = False
                    continue
                if not _passes(error.status_code):
                    break
                wait = _asked_wait(error.response.headers.get("Retry-After"), wait)
            except (openai.APIError, ValueError) as error:
                # Its text may hold the address, and that a password.
                said = type(error).__name__
            if attempt + 1 < _TRIES:
                time.sleep(min(wait, _LONGEST_WAIT))
        raise RemoteError(
            f"{self.endpoint.url} does not answer: {said}. Are the address, --model and "
            "OPENAI_API_KEY right? What it answered is kept; run it again to go on."
        )


def open_model(
    url: str | None, model: str | None, answers: Path, sampling: Sampling | None = None
) -> Model | None:
    """Return the model that a command names, with the key in ``OPENAI_API_KEY``; or none.

    Raises `CommandError` if only half of it is named, or the address is none.
    """
    if url is None and model is None:
        return None
    if url is None or model is None:
        raise CommandError("--llm and --model go together; give both or neither.")
    if not _ADDRESS.fullmatch(url):
        # It is not shown, since it may hold a password.
        raise CommandError("--llm is no address such as https://api.openai.com/v1; mend it.")
    key = os.environ.get("OPENAI_API_KEY")
    return Model(Endpoint(url.rstrip("/"), model, key, sampling or Sampling()), answers)


def _client(endpoint: Endpoint) -> OpenAI:
    try:
        from openai import OpenAI
    except ImportError as error:
        raise CommandError(
            "To ask a model takes another package: pip install 'davinci-agency[llm]'."
        ) from error
    return OpenAI(
        base_url=endpoint.url,
        # The client wants a key even where the endpoint does not.
        api_key=endpoint.key or "none",
        max_retries=0,
        timeout=_TIMEOUT,
    )


def _response_format(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    if schema is None:
        return {}
    form = {"name": "answer", "strict": True, "schema": dict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def _read(body: str) -> Answer:
    """Return an answer's words; raises `ValueError` if the body is no JSON."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError("the answer is no JSON") from error
    try:
        content = value["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        content = None
    usage = value.get("usage") if isinstance(value, dict) else None
    counts = usage if isinstance(usage, dict) else {}
    prompt, completion = (counts.get(f"{what}_tokens") for what in ("prompt", "completion"))
    return Answer(
        content if isinstance(content, str) else "",
        prompt if isinstance(prompt, int) else None,
        completion if isinstance(completion, int) else None,
    )


def _as_kept(answer: Answer) -> Answer:
    return Answer(answer.text, answer.prompt_tokens, answer.completion_tokens, was_kept=True)


def _passes(status: int) -> bool:
    """Tell whether a refusal may pass if one waits."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _asked_wait(told: str | None, otherwise: float) -> float:
    try:
        return max(float(told), 0.0) if told is not None else otherwise
    except ValueError:
        return otherwise
