"""A release from an S3 server into an S3 server, by a Ray cluster: byte for byte the local one.

Takes minutes and the network of a package registry: ``make test-all``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from tests.command import davinci, environment, tree
from tests.matrix.test_clients import install
from tests.samples import attempt, task, write_lines
from tests.servers.ray_nodes import RayNodes

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parents[2]
COPY = "import fsspec, sys; fs = fsspec.filesystem('s3'); {}"


@dataclass(frozen=True)
class Store:
    """An S3 server, and the environment of who speaks to it."""

    python: Path
    variables: dict[str, str]

    def run(self, *arguments: str | Path) -> str:
        """Run this project's command line."""
        return self._python("-m", "davinci_agency", *arguments)

    def do(self, code: str, *arguments: str | Path) -> str:
        """Run some lines with ``fs``, the server's file system."""
        return self._python("-c", COPY.format(code), *arguments)

    def _python(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            [self.python, *arguments],
            env={**environment(), **self.variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def serving(python: Path, log: Path) -> Iterator[str]:
    """Start an S3 server of its own, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as file:
        server = subprocess.Popen(
            [python.parent / "moto_server", "-p", str(port)], stdout=file, stderr=file
        )
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("s3")
    python = install(folder / "env", f"{ROOT}[ray,s3]", "moto[server]")
    with serving(python, folder / "log") as address, RayNodes(python) as nodes:
        nodes.add()
        yield Store(
            python,
            {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": "nobody",
                "AWS_SECRET_ACCESS_KEY": "nothing",
                "AWS_DEFAULT_REGION": "us-east-1",
                "NO_PROXY": "127.0.0.1",
                "RAY_ADDRESS": nodes.address,
                "XDG_CACHE_HOME": str(folder / "cache"),
                "PATH": os.environ["PATH"],
            },
        )


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_a_release_in_a_bucket_is_the_release_of_files(
    executor: str, store: Store, tmp_path: Path
) -> None:
    tasks = write_lines(tmp_path / "tasks.jsonl", [task("task-1")])
    given = [attempt(f"attempt-{n}", "task-1", score=0.9) for n in range(200)]
    attempts = tmp_path / "attempts.jsonl.zst"
    attempts.write_bytes(
        zstandard.compress(write_lines(tmp_path / "attempts.jsonl", given).read_bytes())
    )
    here = davinci(
        "build", "--tasks", tasks, "--attempts", attempts, "--out", tmp_path / "here" / "release"
    )
    assert here.code == 0, here.stderr
    bucket = f"s3://lab-{executor}"
    store.do("fs.mkdir(sys.argv[1]); fs.put(sys.argv[2:], sys.argv[1] + '/')",
             bucket, str(tasks), str(attempts))  # fmt: skip
    build = (
        "build", "--tasks", f"{bucket}/tasks.jsonl", "--attempts", f"{bucket}/attempts.jsonl.zst",
        "--out", f"{bucket}/release", "--executor", executor, "--workers", "2",
        "--scratch", tmp_path / "scratch", "--json",
    )  # fmt: skip
    store.run(*build)
    store.do("fs.get(sys.argv[1], sys.argv[2], recursive=True)",
             f"{bucket}/release", tmp_path / "there")  # fmt: skip
    assert tree(tmp_path / "there") == tree(tmp_path / "here" / "release")
    assert '"skipped":true' in store.run(*build)
    store.run("validate", f"{bucket}/release")
