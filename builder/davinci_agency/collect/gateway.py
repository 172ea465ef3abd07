"""The only way from inside a sandbox to a model: an HTTP server on a Unix socket, outside.

What comes in goes to an OpenAI-compatible endpoint. The key is put in here, so none is inside; so
are the model and the sampling that the run asks for. Rate limits, faults and cut answers are waited
out, every answer is kept before it is passed on (`exchanges`), and where a limit is reached the
answer is 403, on which scaffolds stop at once.
"""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import orjson
import requests

from davinci_agency.collect.budget import (
    Budget,
    LimitName,
    Prices,
    SessionLimits,
    Usage,
    usage_of,
)
from davinci_agency.collect.exchanges import Exchanges, usage_in

SOCKET = "model.socket"
_TRIES = 6
_LONGEST_WAIT = 60.0
_LARGEST = 256 << 20
"""Bytes of a question or an answer."""
_TIMEOUT = (30.0, 900.0)
"""Seconds to connect, and between two pieces of an answer: models may think for minutes."""
_LIMIT_REACHED = 403
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A model behind an endpoint.

    Attributes:
        url: the root of its interface, such as ``https://api.openai.com/v1``.
        model: its name there.
        key: the key that lets one in; never shown.
        sampling: what is put into every question, such as ``{"temperature": 0.7}``.
        prices: what its tokens cost, if known.
        patience: seconds to wait after the first refusal; each further one doubles them.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    prices: Prices | None = None
    patience: float = 1.0


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content_type: str
    body: bytes


class Gateway:
    """Answers the questions of one session.

    Attributes:
        usage: what the session took so far.
        ended_by: the limit that ended it, if one did.
    """

    def __init__(
        self, upstream: Upstream, exchanges: Exchanges, limits: SessionLimits, budget: Budget
    ) -> None:
        self.usage = Usage()
        self.ended_by: LimitName | None = None
        self._upstream = upstream
        self._exchanges = exchanges
        self._limits = limits
        self._budget = budget
        self._lock = threading.Lock()
        budget.spend(exchanges.paid)

    @contextmanager
    def serving(self, folder: Path) -> Iterator[Path]:
        """Serve on a socket in a folder, and give its path."""
        path = folder / SOCKET
        path.unlink(missing_ok=True)
        with _Server(str(path), _handler_of(self)) as server:
            # Whoever the program is to the system inside, it may speak here.
            path.chmod(0o666)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield path
            finally:
                server.shutdown()
                thread.join()
                path.unlink(missing_ok=True)

    def answer(self, method: str, path: str, body: bytes) -> _Answer:
        """Return the answer to a request; one at a time, so that their order is known."""
        with self._lock:
            if method == "GET":
                return self._pass_on(method, path, b"")
            return self._answer_question(path, self._as_asked(body))

    def _answer_question(self, path: str, question: bytes) -> _Answer:
        if self._budget.is_used_up:
            self.ended_by = "run-cost-limit"
        else:
            self.ended_by = self._limits.passed(self.usage)
        if self.ended_by is not None:
            return _refusal(_LIMIT_REACHED, f"the {self.ended_by} is reached")
        exchange = self._exchanges.replayed(question)
        if exchange is None:
            answer = self._pass_on("POST", path, question)
            if answer.status >= 400:
                return answer
            told = usage_in(answer.body, answer.content_type)
            usage = usage_of(told, self._upstream.prices)
            exchange = self._exchanges.keep(question, answer.content_type, answer.body, usage)
            self._budget.spend(usage)
        self.usage = self.usage + exchange.usage
        return _Answer(200, exchange.content_type, exchange.body)

    def _as_asked(self, body: bytes) -> bytes:
        """Return a question with the model and the sampling of the run."""
        try:
            question = orjson.loads(body)
        except orjson.JSONDecodeError:
            return body
        if not isinstance(question, dict):
            return body
        question |= {"model": self._upstream.model, **self._upstream.sampling}
        if question.get("stream"):
            question["stream_options"] = {"include_usage": True}
        return orjson.dumps(question)

    def _pass_on(self, method: str, path: str, body: bytes) -> _Answer:
        """Ask the endpoint until it answers, as often as is decent."""
        key = self._upstream.key
        headers = {"Content-Type": _JSON, **({"Authorization": f"Bearer {key}"} if key else {})}
        last = _refusal(502, "the endpoint can't be reached")
        for attempt in range(_TRIES):
            wait = self._upstream.patience * 2**attempt
            try:
                answer = requests.request(
                    method,
                    self._upstream.url.rstrip("/") + path,
                    data=body,
                    headers=headers,
                    timeout=_TIMEOUT,
                )
                last = _checked(answer)
            except (requests.RequestException, ValueError) as error:
                # Its text may hold the address, and that a password.
                last = _refusal(502, f"the endpoint failed: {type(error).__name__}")
            else:
                if last.status < 500 and last.status != 429:
                    return last
                wait = _asked_wait(answer, wait)
            if attempt + 1 < _TRIES:
                time.sleep(min(wait, _LONGEST_WAIT))
        return last


def _checked(answer: requests.Response) -> _Answer:
    """Return an answer as it is passed on; raises `ValueError` if it is cut or no JSON."""
    content_type = answer.headers.get("Content-Type", _JSON)
    if answer.ok:
        usage_in(answer.content, content_type)
    return _Answer(answer.status_code, content_type, answer.content)


def _refusal(status: int, what: str) -> _Answer:
    body = {"error": {"message": what, "type": "davinci-agency", "code": status}}
    return _Answer(status, _JSON, orjson.dumps(body))


def _asked_wait(answer: requests.Response, otherwise: float) -> float:
    try:
        return max(float(answer.headers.get("Retry-After", otherwise)), 0.0)
    except ValueError:
        return otherwise


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 32


def _handler_of(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > _LARGEST:
                self.close_connection = True
                self._send(_refusal(413, "the question has no length, or too much of it"))
                return
            self._send(gateway.answer("POST", self._path(), self.rfile.read(int(length))))

        def do_GET(self) -> None:
            self._send(gateway.answer("GET", self._path(), b""))

        def _path(self) -> str:
            return "/" + self.path.lstrip("/").removeprefix("v1/")

        def _send(self, answer: _Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def address_string(self) -> str:
            return "inside"

        def log_message(self, *args: Any) -> None:
            """Print nothing."""

    return Handler
