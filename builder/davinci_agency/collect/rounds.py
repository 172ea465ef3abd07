"""One go at a stage: worktree, session, what was handed in. Done once, whatever is killed.

A go's folder is named by all that it depends on, so nothing in it is ever stale: a finished go is
read back, one that was killed begins anew with the answers that were paid for.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import orjson

from davinci_agency.collect.budget import Usage
from davinci_agency.collect.session import Session, run_session
from davinci_agency.errors import DataError, RemoteError
from davinci_agency.files import atomic_file
from davinci_agency.ids import content_digest
from davinci_agency.printable import printable
from davinci_agency.records import RoundMode
from davinci_agency.repository.changes import read_changes
from davinci_agency.repository.states import States
from davinci_agency.repository.worktree import apply_in, scratch_worktree
from davinci_agency.trajectories import Conversation, TrajectoryError, recognise

_ENDED = "ended.json"
_OUTPUT = "output.txt"
_RUN_IS_OVER = "run-cost-limit"


class BudgetError(RemoteError):
    """What a run may cost is used up."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an agent is let loose on.

    Attributes:
        query: what is asked of it.
        base_commit: where its history ends.
        start: the tree that it starts from.
        mode: how the go begins.
        feedback: what it is told after the go before.
        before: the go that it continues, with its folder.
    """

    query: str
    base_commit: str
    start: str
    mode: RoundMode = "first"
    feedback: str | None = None
    before: Handed | None = None


class Ended(msgspec.Struct, frozen=True):
    """How a go ended, as its folder keeps it."""

    patch: str
    tree: str
    exit_status: str | None
    left_out: tuple[str, ...]
    usage: Usage
    seconds: float


@dataclass(frozen=True, slots=True)
class Handed:
    """What a go handed in.

    Attributes:
        folder: where it is kept.
        ended: how it ended.
        said: its conversation; ``None`` if it left none that can be read.
        problem: why there is none.
        sha256: the digest of the trajectory.
    """

    folder: Path
    ended: Ended
    said: Conversation | None
    problem: str | None
    sha256: str


def hand_in(
    session: Session,
    states: States,
    request: Request,
    above: Path,
    should_stop: Callable[[], bool] = lambda: False,
) -> Handed:
    """Let the scaffold work, or return what it handed in before.

    A go that left no conversation is done again: what it lacked may be there now, and what it paid
    for is kept. Raises `BudgetError` if the run's money is gone; the go can be taken up later.
    """
    folder = above / _name(session, request)
    trajectory = folder / session.scaffold.trajectory
    if (folder / _ENDED).is_file() and (handed := _handed(session, folder, trajectory)).said:
        session.budget.spend(handed.ended.usage)
        _make_again(states, request.start, handed.ended)
        return handed
    (folder / _ENDED).unlink(missing_ok=True)
    trajectory.unlink(missing_ok=True)
    _work(session, states, request, folder, trajectory, should_stop)
    return _handed(session, folder, trajectory)


def _handed(session: Session, folder: Path, trajectory: Path) -> Handed:
    said, problem, sha256 = _said(session, trajectory)
    return Handed(folder, _read(folder), said, problem, sha256)


def _make_again(states: States, start: str, ended: Ended) -> None:
    """Make the tree that a go left: trees are kept no longer than a run."""
    if states.applied(start, ended.patch) != ended.tree:
        raise DataError("what was handed in before can't be made again; remove its --runs folder.")


def _work(
    session: Session,
    states: States,
    request: Request,
    folder: Path,
    trajectory: Path,
    should_stop: Callable[[], bool],
) -> None:
    if session.budget.is_used_up:
        raise BudgetError("what the run may cost is used up; raise --max-cost and run it again.")
    goes_on = request.mode == "continue" and request.before is not None
    with scratch_worktree(states.overlay, request.base_commit, request.start) as worktree:
        if goes_on and request.before:
            apply_in(worktree, request.before.ended.patch)
        query = request.query
        if request.mode == "restart" and request.feedback:
            query = f"{query}\n\nAn earlier try was not accepted: {request.feedback}"
        go = run_session(
            session,
            query,
            worktree,
            folder,
            feedback=request.feedback,
            earlier=_trajectory_of(session, request.before) if goes_on else None,
            should_stop=should_stop,
        )
        if go.limit == _RUN_IS_OVER or (go.ended.reason == "stopped" and go.limit is None):
            raise BudgetError("the run was stopped, or may cost no more; run it again to go on.")
        changes = read_changes(states, request.start, worktree)
    if go.trajectory is not None:
        shutil.copyfile(go.trajectory, trajectory)
    ended = Ended(
        patch=changes.patch,
        tree=changes.tree,
        exit_status=go.limit or (None if go.ended.reason == "exited" else go.ended.reason),
        left_out=changes.left_out,
        usage=go.usage,
        seconds=go.ended.seconds,
    )
    shutil.rmtree(folder / "inside", ignore_errors=True)
    with atomic_file(folder / _OUTPUT) as file:
        file.write(go.ended.stdout + go.ended.stderr)
    with atomic_file(folder / _ENDED) as file:
        file.write(msgspec.json.encode(ended))


def _said(session: Session, trajectory: Path) -> tuple[Conversation | None, str | None, str]:
    """Return a trajectory's conversation, or why there is none; and its digest."""
    if not trajectory.is_file():
        return None, f"the scaffold left no trajectory{_last_words(trajectory.parent)}", ""
    raw = trajectory.read_bytes()
    sha256 = hashlib.sha256(raw).hexdigest()
    try:
        value = orjson.loads(raw)
        form = recognise(value, "document", session.scaffold.source_format)
        said = form.read(value) if form else None
    except (orjson.JSONDecodeError, TrajectoryError) as error:
        return None, f"its trajectory can't be read: {error}", sha256
    if said is None:
        return None, "its trajectory is of no known format", sha256
    return replace(said, model=session.upstream.model), None, sha256


def _last_words(folder: Path) -> str:
    """Return the last line that a go's program printed, after a colon."""
    lines = (folder / _OUTPUT).read_text("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {printable(last[:200])}" if last else ""


def _trajectory_of(session: Session, handed: Handed | None) -> Path | None:
    return None if handed is None else handed.folder / session.scaffold.trajectory


def _read(folder: Path) -> Ended:
    return msgspec.json.decode((folder / _ENDED).read_bytes(), type=Ended)


def _name(session: Session, request: Request) -> str:
    """Return the name of a go's folder: by all that it depends on."""
    upstream = session.upstream
    key = content_digest(
        [
            [session.scaffold.name, session.scaffold.version, session.sandbox.name],
            [upstream.model, dict(upstream.sampling)],
            msgspec.to_builtins(session.session_limits),
            [request.query, request.base_commit, request.start, request.mode, request.feedback],
            request.before.folder.name if request.before else None,
        ]
    )
    return f"go-{key[:16]}"
