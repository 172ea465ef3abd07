"""A stand-in for a language model: OpenAI's chat completions over real HTTP, with scripted answers.

    with LanguageModel([Refusal(429, "1"), "some words"]) as model:
        requests.post(f"{model.url}/chat/completions", ...)

The last answer is given again for every further question. Instead of answers it takes a function of
the question, too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

KEY = "key-of-ada"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none: a status, and the ``Retry-After`` header, if there is one."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer byte for byte; a cut one says that more follows, and hangs up."""

    body: bytes
    content_type: str = "application/json"
    is_cut: bool = False


Answer = str | Refusal | Raw | dict[str, Any]


def calls(command: str, number: int, say: str = "So.", tokens: int = 100) -> dict[str, Any]:
    """Return an answer that calls the tool ``bash``."""
    function = {"name": "bash", "arguments": json.dumps({"command": command})}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    message = {"role": "assistant", "content": say, "tool_calls": [call]}
    return {
        "id": f"answer-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
        "usage": {"prompt_tokens": tokens, "completion_tokens": 10, "total_tokens": tokens + 10},
    }


class LanguageModel:
    """A server on the loopback.

    Attributes:
        questions: the bodies that it was sent, in order.
    """

    def __init__(self, answers: Sequence[Answer] | Callable[[Any], Answer]) -> None:
        self.questions: list[dict[str, Any]] = []
        self._answers = [] if callable(answers) else list(answers)
        self._script = answers if callable(answers) else None
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.headers.get("Authorization") != f"Bearer {KEY}":
                    self._send(Refusal(401))
                elif self.path != "/v1/chat/completions":
                    self._send(Refusal(404))
                else:
                    self._send(owner._answer(body))

            def _send(self, answer: Answer) -> None:
                if isinstance(answer, Raw):
                    self._send_raw(answer)
                    return
                refused = isinstance(answer, Refusal)
                self.send_response(answer.status if isinstance(answer, Refusal) else 200)
                if isinstance(answer, Refusal) and answer.retry_after:
                    self.send_header("Retry-After", answer.retry_after)
                if isinstance(answer, str):
                    message = {"role": "assistant", "content": answer}
                    answer = {"choices": [{"index": 0, "message": message}]}
                payload = b"{}" if refused else json.dumps(answer).encode()
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def _send_raw(self, answer: Raw) -> None:
                self.send_response(200)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body) + answer.is_cut))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = True

            def log_message(self, *args: Any) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def _answer(self, question: dict[str, Any]) -> Answer:
        with self._lock:
            self.questions.append(question)
            if self._script is not None:
                return self._script(question)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def __enter__(self) -> Self:
        """Answer from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
