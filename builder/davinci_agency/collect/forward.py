"""Runs inside a sandbox: joins a port of its loopback with a Unix socket, and runs a command.

    python -I forward.py SOCKET PORT COMMAND...

Programs know how to speak to a port, and the socket is the only way out. The command finds the
address in ``MODEL_URL``; its exit status is this program's. Needs nothing but Python's standard
library.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

_BLOCK = 1 << 16


def main(arguments: list[str]) -> int:
    """Run a command beside the forwarding, and return its exit status."""
    path, port, *command = arguments
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=32)
    threading.Thread(target=_accept, args=(listener, path), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    status = subprocess.call(command, env={**os.environ, "MODEL_URL": url})
    return status if status >= 0 else 128 - status


def _accept(listener: socket.socket, path: str) -> None:
    while True:
        inside, _ = listener.accept()
        threading.Thread(target=_join, args=(inside, path), daemon=True).start()


def _join(inside: socket.socket, path: str) -> None:
    outside = socket.socket(socket.AF_UNIX)
    try:
        outside.connect(path)
    except OSError:
        inside.close()
        return
    back = threading.Thread(target=_copy, args=(outside, inside), daemon=True)
    back.start()
    _copy(inside, outside)
    back.join()
    inside.close()
    outside.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while block := source.recv(_BLOCK):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side hung up: so does the other.
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
