"""Mining a repository of the tests, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from davinci_agency.mine import MineOptions, mine_pulls
from davinci_agency.parallel import Pool
from davinci_agency.stage import Summary, side_file
from tests.samples import read_lines

REPO = "example/thing"


@dataclass(frozen=True, slots=True)
class Mined:
    """What mining left: pull requests by number, receipts, the account, the bytes."""

    pulls: dict[int, dict[str, Any]]
    receipts: list[dict[str, Any]]
    summary: Summary
    content: bytes

    @property
    def rules(self) -> list[tuple[str, str]]:
        """The number and the rule of every receipt."""
        return [(r["record_id"].partition("#")[2], r["rule"]) for r in self.receipts]


def mine(
    repository: Path,
    out: Path,
    options: dict[str, Any] | None = None,
    *,
    workers: int = 1,
    cache: Path | None = None,
) -> Mined:
    """Mine one repository into a folder, and return what came of it."""
    path = out / "pulls.jsonl"
    settings = MineOptions(**{"repo": REPO, **(options or {})})
    with Pool(workers) as engine:
        summary = mine_pulls([(repository, settings)], path, engine=engine, cache=cache)
    return Mined(
        pulls={pull["number"]: pull for pull in read_lines(path)},
        receipts=read_lines(side_file(path, "removed")),
        summary=summary,
        content=path.read_bytes(),
    )


def change(pull: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the changed file of a pull request at a path."""
    found: dict[str, Any]
    (found,) = [file for file in pull["files"] if file["path"] == path]
    return found
