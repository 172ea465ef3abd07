"""One go of a scaffold at one stage: the process in its sandbox, its model behind a gateway."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from davinci_agency.collect.budget import Budget, SessionLimits, Usage
from davinci_agency.collect.environments import (
    interpreter_folder,
    python_of,
    ready_environment,
)
from davinci_agency.collect.exchanges import Exchanges
from davinci_agency.collect.gateway import Gateway, Upstream
from davinci_agency.collect.scaffold import Scaffold
from davinci_agency.progress import SILENT, Progress
from davinci_agency.sandbox import Ended, Job, Limits, Mount, Sandbox

WORKSPACE = "/workspace"
_SESSION = "/session"
_TOOLS = "/scaffold"
_DOOR = "/gateway"
_REQUEST = "request.json"
_PORT = "8765"
_FORWARD = Path(__file__).parent / "forward.py"


@dataclass(frozen=True, slots=True)
class Session:
    """With what scaffolds are run.

    Attributes:
        scaffold: the agent program.
        sandbox, limits: what shuts it in.
        upstream, session_limits, budget: its model, and what may be asked of it.
        mounts: what of this machine it sees besides, such as the project's dependencies.
        environment: variables that it gets, such as ``PATH``.
        network: whether it may use the network.
    """

    scaffold: Scaffold
    sandbox: Sandbox
    upstream: Upstream
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    session_limits: SessionLimits = field(default_factory=SessionLimits)
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False


@dataclass(frozen=True, slots=True)
class Go:
    """How a go ended.

    Attributes:
        ended: what the sandbox says of the process.
        trajectory: the file that the scaffold left; ``None`` if it left none.
        limit: the limit of the model's use that ended it, if one did.
        usage: what it took of the model.
    """

    ended: Ended
    trajectory: Path | None
    limit: str | None
    usage: Usage


def run_session(
    session: Session,
    query: str,
    worktree: Path,
    folder: Path,
    *,
    feedback: str | None = None,
    earlier: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Progress = SILENT,
) -> Go:
    """Let a scaffold work on a query in a worktree; ``folder`` keeps what is left of it.

    With ``earlier``, the trajectory of a go before, it goes on with that after ``feedback``. The
    model's answers are in the folder from then on: after a kill the same call pays for none again.
    """
    scaffold = session.scaffold
    environment = ready_environment(scaffold.name, scaffold.pins, progress=progress)
    exposed = folder / "inside"
    shutil.rmtree(exposed, ignore_errors=True)
    exposed.mkdir(parents=True)
    request = {
        "query": query,
        "model": session.upstream.model,
        "steps": session.session_limits.steps,
        "feedback": feedback,
        "earlier": None if earlier is None else f"earlier-{scaffold.trajectory}",
    }
    if earlier is not None:
        shutil.copyfile(earlier, exposed / f"earlier-{scaffold.trajectory}")
    (exposed / _REQUEST).write_bytes(orjson.dumps(request))
    exchanges = Exchanges.open(folder / "exchanges")
    gateway = Gateway(session.upstream, exchanges, session.session_limits, session.budget)
    # The system takes no socket by a path longer than a hundred characters.
    with TemporaryDirectory(prefix="davinci-") as door, gateway.serving(Path(door)) as socket:
        job = _job(session, environment, worktree, exposed, socket)
        ended = session.sandbox.run(
            job, session.limits, lambda: gateway.ended_by is not None or should_stop()
        )
    left = exposed / scaffold.trajectory
    is_left = left.is_file() and not left.is_symlink()
    return Go(ended, left if is_left else None, gateway.ended_by, gateway.usage)


def _job(session: Session, environment: Path, worktree: Path, exposed: Path, socket: Path) -> Job:
    is_local = session.sandbox.name == "local"
    tools = session.scaffold.driver.parent
    workspace, inside, drivers, door = (
        (str(worktree), str(exposed), str(tools), str(socket.parent))
        if is_local
        else (WORKSPACE, _SESSION, _TOOLS, _DOOR)
    )
    forward = str(_FORWARD) if is_local else f"{_TOOLS}-{_FORWARD.name}"
    python = str(python_of(environment))
    serve = (python, "-I", forward, f"{door}/{socket.name}", "0" if is_local else _PORT)
    drive = (python, "-I", f"{drivers}/{session.scaffold.driver.name}", inside)
    return Job(
        command=(*serve, *drive),
        cwd=workspace,
        mounts=(
            Mount(interpreter_folder(), str(interpreter_folder())),
            Mount(environment, str(environment)),
            Mount(tools, drivers),
            Mount(_FORWARD, forward),
            Mount(socket.parent, door),
            *session.mounts,
            Mount(exposed, inside, writable=True),
            Mount(worktree, workspace, writable=True),
        ),
        environment={"HOME": "/home/agent", "LANG": "C.UTF-8", **session.environment},
        network=session.network,
    )
