"""A Ray cluster on the loopback; each node is a process group, to be killed at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.command import environment


class RayNodes:
    """A cluster of one node, to begin with; give it the Python whose environment has Ray."""

    def __init__(self, python: Path, processors: int = 1) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._ray = python.with_name("ray")
        self._processors = processors
        self._nodes: list[subprocess.Popen[bytes]] = []
        self._stack = ExitStack()

    def __enter__(self) -> RayNodes:
        # Not below pytest's own folder: a socket's path has no more than 107 letters.
        name = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
        self._folder = Path(self._stack.enter_context(name))
        self._stack.callback(self._kill_all)
        port = self.address.split(":")[1]
        with ExitStack() as undo:
            undo.callback(self._stack.close)
            self._start("--head", "--port", port, "--temp-dir", str(self._folder))
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self) -> subprocess.Popen[bytes]:
        """Start another node, and return its first process when the cluster has it."""
        return self._start("--address", self.address)

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """Kill a node with all of its processes, as if its machine lost power."""
        self._nodes.remove(node)
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()

    def _kill_all(self) -> None:
        for node in reversed([*self._nodes]):
            self.kill(node)

    def _start(self, *where: str) -> subprocess.Popen[bytes]:
        room = ("--num-cpus", str(self._processors), "--object-store-memory", "200000000")
        where = (*where, "--node-ip-address", "127.0.0.1")
        log = self._folder / f"node-{len(self._nodes)}.log"
        with log.open("wb") as file:
            node = subprocess.Popen(
                [str(self._ray), "start", "--block", *where, *room],
                env={**environment(), "RAY_USAGE_STATS_ENABLED": "0"},
                start_new_session=True,
                stdout=file,
                stderr=file,
            )
        self._nodes.append(node)
        deadline = time.monotonic() + 60
        while "Ray runtime started" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        return node
