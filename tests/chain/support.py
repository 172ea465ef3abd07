"""Pull requests for the tests of chaining, and chains for those of query writing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from davinci_agency.chain import ChainOptions, find_chains
from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.edges import find_evidence, make_edges
from davinci_agency.chain.nodes import Node, make_node
from davinci_agency.records import Edge, PullRequest, from_json
from davinci_agency.stage import Summary
from tests.samples import example, read_lines, write_lines


def sha(word: str) -> str:
    """Return a commit's name made of a word."""
    return hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest()


def changed_file(path: str, **changes: Any) -> dict[str, Any]:
    """Return a changed file."""
    values = {"old_path": None, "status": "modified", "additions": 1, "deletions": 1}
    return {"path": path, **values, "is_test": False, "omitted": None, **changes}


def pull(number: int, title: str = "Change it", body: str = "", **changes: Any) -> dict[str, Any]:
    """Return a pull request in JSON's types, merged on the day of its number, of ``core.py``."""
    day = changes.pop("day", number)
    paths = changes.pop("paths", ("core.py",))
    author = changes.pop("author", "ada")
    commits = [
        {
            "sha": sha(f"{number}.{place}"),
            "authored_at": "2024-01-01T00:00:00Z",
            "author_id": sha(author)[:16],
            "author_kind": "person",
            "message": message,
        }
        for place, message in enumerate(changes.pop("messages", [title]))
    ]
    values = {
        "repo": "example/thing",
        "number": number,
        "url": f"https://github.com/example/thing/pull/{number}",
        "title": title,
        "body": body,
        "author_id": sha(author)[:16],
        "merged_at": f"2024-{1 + (day - 1) // 28:02}-{1 + (day - 1) % 28:02}T12:00:00Z",
        "merge_commit": sha(str(number)),
        "commits": commits,
        "files": [changed_file(path) for path in paths],
        "patch": "".join(f"diff --git a/{path} b/{path}\n" for path in paths),
        "test_patch": "",
        "additions": 1,
        "deletions": 1,
        "gaps": [],
    }
    return example("pull-request", **{**values, **changes})


def node(number: int, title: str = "Change it", body: str = "", **changes: Any) -> Node:
    """Return what chaining holds of a pull request."""
    return make_node(from_json(pull(number, title, body, **changes), PullRequest), number)


def find_edges(nodes: Sequence[Node], commits: CommitIndex) -> dict[int, list[Edge]]:
    """Return the edges that words, branches and issues make between nodes, by their source."""
    edges: dict[int, list[Edge]] = {}
    for edge in make_edges(find_evidence(nodes, commits)):
        edges.setdefault(edge.source, []).append(edge)
    return edges


def chains_of(
    pulls: Iterable[dict[str, Any]], folder: Path, options: ChainOptions | None = None
) -> tuple[list[dict[str, Any]], Summary]:
    """Write pull requests to a file and return their chains, with the account."""
    folder.mkdir(parents=True, exist_ok=True)
    path = write_lines(folder / "pulls.jsonl", pulls)
    summary = find_chains([path], folder / "chains.jsonl", options)
    return read_lines(folder / "chains.jsonl"), summary


def numbers(chain: dict[str, Any]) -> list[int]:
    """Return the numbers of a chain's members."""
    return [stage["number"] for stage in chain["stages"]]
