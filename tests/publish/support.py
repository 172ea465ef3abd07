"""A small release, a Hub to publish it on, and the command line that does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from davinci_agency.build import BuildInputs, write_release
from davinci_agency.card import write_card
from tests.command import Result, davinci
from tests.samples import attempt, example, task, write_lines
from tests.servers.hub import TOKEN, Hub

NAME = "org/tally"


def make_release(
    folder: Path, tasks: int = 3, *, pulls: Sequence[dict[str, Any]] | None = None, word: str = ""
) -> Path:
    """Build a release of four configs; ``word`` is in every sample's last message."""
    folder.mkdir(parents=True)
    said = [{"role": "user", "content": "Do it."}, {"role": "assistant", "content": f"Done{word}."}]
    names = [f"task-{number}" for number in range(tasks)]
    inputs = BuildInputs(
        pulls=(write_lines(folder / "pulls.jsonl", pulls or [example("pull-request")]),),
        tasks=(write_lines(folder / "tasks.jsonl", [task(name) for name in names]),),
        attempts=(
            write_lines(
                folder / "attempts.jsonl",
                [attempt(f"attempt-{name}", name, messages=said) for name in names],
            ),
        ),
    )
    write_release(inputs, folder / "release", finish=write_card)
    return folder / "release"


def hub_environment(hub: Hub, folder: Path, token: str = TOKEN) -> dict[str, str]:
    """Return what a client needs in its environment to talk to this Hub and no other."""
    return {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": token,
        "HF_HOME": str(folder / "hf-home"),
        "HF_HUB_DISABLE_XET": "0" if hub.xet else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def publish(hub: Hub, release: Path, *more: str, token: str = TOKEN) -> Result:
    """Publish a release, without being asked."""
    return on_hub(hub, release.parent, "publish", release, NAME, "--yes", "--json", *more,
                  token=token)  # fmt: skip


def on_hub(hub: Hub, folder: Path, *arguments: str | Path, token: str = TOKEN) -> Result:
    """Run a command that talks to a Hub."""
    return davinci(*arguments, env=hub_environment(hub, folder, token))


def shown(hub: Hub) -> dict[str, bytes]:
    """Return every file that ``main`` shows, large ones by their pointers; empty if nothing."""
    if NAME not in hub.datasets:
        return {}
    git = hub.datasets[NAME].git
    head = git.resolve("main")
    assert head is not None
    return {
        entry.path: git.read(entry.oid)
        for entry in git.entries(head)
        if entry.kind == "blob" and entry.path != ".gitattributes"
    }


def commits(hub: Hub, revision: str = "main") -> list[str]:
    """Return the titles of a branch's commits, the newest first."""
    git = hub.datasets[NAME].git
    head = git.resolve(revision)
    assert head is not None
    return [commit.title for commit in git.log(head)]


def tags(hub: Hub) -> dict[str, str]:
    """Return the tags of releases and the commits that they are at."""
    found = hub.datasets[NAME].git.refs("refs/tags") if NAME in hub.datasets else {}
    return {name: commit for name, commit in found.items() if not name.startswith("script-")}
