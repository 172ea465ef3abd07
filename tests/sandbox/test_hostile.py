"""Programs that behave as badly as they can: each is shut in, its end told, and the next one runs.

They run in bubblewrap, and, where that makes sense, without any sandbox.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from davinci_agency.errors import CommandError
from davinci_agency.sandbox import Ended, Job, Limits, Mount, Sandbox, open_sandbox
from davinci_agency.sandbox.docker import container_arguments
from davinci_agency.sandbox.processes import family

SMALL = Limits(seconds=5, memory=300 << 20, output=1 << 20, disk=8 << 20, processes=60)
needs_bubblewrap = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not there")
SECRET = "sk-nobody-may-see-this"  # noqa: S105


@pytest.fixture(params=[pytest.param("bubblewrap", marks=needs_bubblewrap), "local"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return open_sandbox(request.param)


@pytest.fixture
def bubblewrap() -> Sandbox:
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not there")
    return open_sandbox("bubblewrap")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = set(family(os.getpid()))
    yield
    assert set(family(os.getpid())) <= before


def run(sandbox: Sandbox, folder: Path, script: str, limits: Limits = SMALL) -> Ended:
    """Run a shell script in a writable folder."""
    where = "/workspace" if sandbox.name == "bubblewrap" else str(folder)
    mount = Mount(folder, where, writable=True)
    return sandbox.run(Job(("/bin/sh", "-c", script), where, (mount,)), limits)


@pytest.mark.parametrize("status", [0, 1, 3, 77, 127, 255])
def test_any_exit_status_is_told(sandbox: Sandbox, tmp_path: Path, status: int) -> None:
    ended = run(sandbox, tmp_path, f"echo out; echo err >&2; exit {status}")
    assert (ended.reason, ended.status) == ("exited", status)
    assert (ended.stdout, ended.stderr, ended.output_bytes) == (b"out\n", b"err\n", 8)


def test_an_end_by_a_signal_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    assert run(sandbox, tmp_path, "kill -SEGV $$").reason == "signalled"


def test_a_program_that_hangs_is_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    limits = replace(SMALL, seconds=0.5)
    assert run(sandbox, tmp_path, "trap '' TERM INT; sleep 1000", limits).reason == "timed-out"


def test_a_daemon_that_keeps_the_pipes_open_is_ended_with_its_parent(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    ended = run(sandbox, tmp_path, "echo said; (setsid sleep 1000 &) ; exit 4")
    assert (ended.reason, ended.status, ended.stdout) == ("exited", 4, b"said\n")
    assert ended.seconds < 4


def test_forking_without_end_is_stopped(sandbox: Sandbox, tmp_path: Path) -> None:
    bomb = "i=0; while [ $i -lt 400 ]; do sleep 100 & i=$((i+1)); done; wait"
    assert run(sandbox, tmp_path, bomb).reason == "too-many-processes"


def test_a_gigabyte_of_output_takes_no_memory_of_ours(sandbox: Sandbox, tmp_path: Path) -> None:
    ended = run(sandbox, tmp_path, "echo first; head -c 1000000000 /dev/zero")
    assert ended.reason == "too-much-output"
    assert ended.stdout.startswith(b"first\n")
    assert len(ended.stdout) < SMALL.output * 1.2


def test_a_disk_is_not_filled_by_one_file(sandbox: Sandbox, tmp_path: Path) -> None:
    ended = run(sandbox, tmp_path, "exec head -c 50000000 /dev/zero > big")
    assert ended.reason == "disk-full"
    assert (tmp_path / "big").stat().st_size <= SMALL.disk


def test_a_disk_is_not_filled_by_many_files(sandbox: Sandbox, tmp_path: Path) -> None:
    script = "i=0; while :; do head -c 2000000 /dev/zero > f$i; i=$((i+1)); sleep 0.05; done"
    assert run(sandbox, tmp_path, script).reason == "disk-full"


def test_memory_has_an_end(sandbox: Sandbox, tmp_path: Path) -> None:
    script = f"exec {sys.executable} -c 'x = bytearray(800 << 20); import time; time.sleep(20)'"
    prefix = Mount(Path(sys.base_prefix), sys.base_prefix)
    where = "/workspace" if sandbox.name == "bubblewrap" else str(tmp_path)
    mounts = (Mount(tmp_path, where, writable=True), prefix)
    script = script.replace(sys.executable, f"{sys.base_prefix}/bin/python3")
    ended = sandbox.run(Job(("/bin/sh", "-c", script), where, mounts), SMALL)
    assert ended.reason == "out-of-memory"
    assert ended.peak_memory > SMALL.memory


def test_everything_it_may_write_to_can_be_deleted_and_the_next_one_runs(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert run(sandbox, tmp_path, "rm -rf .git ./* && mkdir gone && chmod 0 gone").status == 0
    assert not (tmp_path / ".git").exists()
    assert run(sandbox, tmp_path, "echo again").stdout == b"again\n"


def test_a_job_can_be_stopped_from_outside(sandbox: Sandbox, tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    where = "/" if sandbox.name == "bubblewrap" else str(tmp_path)
    ended = sandbox.run(Job(("/bin/sleep", "100"), where), SMALL, stop.is_set)
    assert ended.reason == "stopped"


def test_nothing_but_the_given_environment_is_there(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    ended = run(sandbox, tmp_path, "env; cat /proc/self/environ; cat /proc/*/environ 2>/dev/null")
    if sandbox.name == "bubblewrap":
        assert SECRET.encode() not in ended.stdout
    assert b"OPENAI_API_KEY" not in ended.stdout.split(b"\0")[0]


def test_a_program_that_is_not_there_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    where = "/" if sandbox.name == "bubblewrap" else str(tmp_path)
    ended = sandbox.run(Job(("/no/such/program",), where), SMALL)
    assert (ended.reason, ended.status != 0, bool(ended.stderr)) == ("exited", True, True)


def test_what_is_read_from_standard_input_is_given(sandbox: Sandbox, tmp_path: Path) -> None:
    where = "/" if sandbox.name == "bubblewrap" else str(tmp_path)
    ended = sandbox.run(Job(("/bin/cat",), where, stdin=b"x" * 100_000), SMALL)
    assert ended.stdout == b"x" * 100_000


READS = {
    "home": "find /root /home /work /mnt /srv /var /opt -mindepth 1 | grep -v '^/home/agent'",
    "processes": "ls /proc | grep -c '^[0-9]' | grep -v '^[1-6]$'",
    "outside": "cat /etc/shadow /etc/machine-id /etc/hostname 2>/dev/null",
    "sockets": "find / -xdev -type s 2>/dev/null",
    "network": "cat /proc/net/tcp /proc/net/route 2>/dev/null | grep -v 'sl \\|Iface'",
    "parent": "ls -a /workspace/.. | grep -x 'neighbour'",
    "kernel": "find /proc -maxdepth 4 -not -path '/proc/[0-9]*' -not -path '/proc/*self*' -type f"
    " -writable 2>/dev/null",
    "namespaces": "unshare --user --map-root-user true 2>/dev/null && echo made one",
    "capabilities": "grep CapEff /proc/self/status | grep -v '0000000000000000'",
}


@pytest.mark.parametrize("name", list(READS))
def test_nothing_of_the_machine_is_seen(name: str, bubblewrap: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "neighbour").write_text("a secret")
    (tmp_path / "inside").mkdir()
    ended = run(bubblewrap, tmp_path / "inside", READS[name])
    assert ended.stdout == b""


WRITES = [
    "/usr/x",
    "/etc/passwd",
    "/etc/x",
    "/x",
    "/proc/sys/kernel/core_pattern",
    "../x",
    "/bin/x",
]


@pytest.mark.parametrize("place", WRITES)
def test_nothing_outside_can_be_written(place: str, bubblewrap: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    ended = run(bubblewrap, folder, f"echo bad > {place}")
    assert ended.status != 0
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert "bad" not in Path("/etc/passwd").read_text()


def test_the_temporary_folder_has_an_end(bubblewrap: Sandbox, tmp_path: Path) -> None:
    limits = replace(SMALL, disk=1 << 30)
    ended = run(
        bubblewrap, tmp_path, "head -c 200000000 /dev/zero > /tmp/x; wc -c < /tmp/x", limits
    )
    assert int(ended.stdout) <= limits.memory // 4


def test_there_is_a_loopback_without_a_network(bubblewrap: Sandbox, tmp_path: Path) -> None:
    script = (
        "import socket; s = socket.create_server(('127.0.0.1', 8000));"
        "c = socket.create_connection(('127.0.0.1', 8000)); print('joined')\n"
        "try: socket.create_connection(('192.0.2.1', 80), 1)\n"
        "except OSError: print('shut in')"
    )
    python = f"{sys.base_prefix}/bin/python3"
    mounts = (Mount(Path(sys.base_prefix), sys.base_prefix),)
    ended = bubblewrap.run(Job((python, "-c", script), "/", mounts), SMALL)
    assert ended.stdout == b"joined\nshut in\n"


def test_what_it_writes_is_ours(bubblewrap: Sandbox, tmp_path: Path) -> None:
    run(bubblewrap, tmp_path, "id -u; echo made > made")
    assert (tmp_path / "made").stat().st_uid == os.getuid()


def test_a_job_s_variables_stand_in_no_list_of_processes(sandbox: Sandbox, tmp_path: Path) -> None:
    where = "/" if sandbox.name == "bubblewrap" else str(tmp_path)
    job = Job(("/bin/sleep", "1"), where, environment={"TOKEN": SECRET})
    seen: list[bytes] = []

    def look() -> bool:
        for pid in family(os.getpid()):
            try:
                seen.append(Path(f"/proc/{pid}/cmdline").read_bytes())
            except OSError:
                continue
        return False

    sandbox.run(job, SMALL, look)
    assert any(b"sleep" in command for command in seen)
    assert not any(SECRET.encode() in command for command in seen)


def test_no_sandbox_is_chosen_for_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CommandError, match="apt-get install bubblewrap"):
        open_sandbox()
    with pytest.raises(CommandError, match="needs --image"):
        open_sandbox("docker")


def test_local_shows_nothing_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't show"):
        open_sandbox("local").run(Job(("/bin/true",), "/", (Mount(tmp_path, "/elsewhere"),)), SMALL)


def test_a_container_gets_limits_and_no_network(tmp_path: Path) -> None:
    job = Job(("make", "test"), "/w", (Mount(tmp_path, "/w", True),), {"TOKEN": SECRET})
    words = container_arguments(job, SMALL, "name-1", "image:1")
    assert words[-3:] == ["image:1", "make", "test"]
    joined = " ".join(words)
    assert "--network none" in joined
    assert f"--memory {SMALL.memory} --memory-swap {SMALL.memory}" in joined
    assert "--pids-limit 60" in joined
    assert "--cap-drop ALL --security-opt no-new-privileges" in joined
    assert SECRET not in joined


def test_it_dies_with_us(sandbox: Sandbox, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from davinci_agency.sandbox import *\n"
        f"open_sandbox({sandbox.name!r}).run("
        f"Job(('/bin/sh', '-c', 'echo > started; exec sleep 1234'), {str(tmp_path)!r},"
        f" (Mount(Path({str(tmp_path)!r}), {str(tmp_path)!r}, True),)), Limits())"
    )
    ours = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 20
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = [child for child in family(ours.pid) if child != ours.pid]
    assert children
    ours.kill()
    ours.wait()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{child}/exe").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
