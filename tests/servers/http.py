"""The HTTP below the loopback servers: threads, connections, and their orderly end."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


class Ending(Enum):
    """How a connection goes on after an answer."""

    WHOLE = auto()
    DROPPED = auto()  # it ends in the middle of the body
    HANG_UP = auto()  # it ends before the answer


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes out."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE


Wait = Callable[[float], object]
Answerer = Callable[[BaseHTTPRequestHandler, bytes, Wait], Answer]


class Host:
    """A server in a thread of its own, on a free port of 127.0.0.1."""

    def __init__(self, answerer: Answerer) -> None:
        self._server = _Server(answerer)
        # A short poll, because the end of each test waits for it.
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End every connection, join every thread, close every socket."""
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    # Joined by server_close(), which is sure to end: close_connections() wakes them all.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that has gone: many tests end in the middle of an answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes; with Nagle's rule the second waits for an acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass

    def _answer(self) -> None:
        server = cast("_Server", self.server)
        # Read even where nobody looks: what is left would be the next request of the connection.
        answer = server.answerer(self, self._read(), server.stopping.wait)
        if answer.ending is Ending.HANG_UP:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304) and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.ending is Ending.DROPPED:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        elif answer.status != 304 and self.command != "HEAD":
            self.wfile.write(answer.body)

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)
