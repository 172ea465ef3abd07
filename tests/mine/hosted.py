"""A repository with many pull requests, as git has it and as GitHub has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.repositories import run_git
from tests.servers.github_data import (
    Comment,
    CrossReference,
    Issue,
    Pull,
    Review,
    ReviewComment,
)

REPO = "octo/demo"
START = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Hosted:
    """A bare repository, and its pull requests as GitHub tells of them."""

    folder: Path
    pulls: tuple[Pull, ...]


def moment(seconds: int) -> str:
    """Return a time as GitHub writes it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_hosted(folder: Path, count: int) -> Hosted:
    """Make a bare repository with ``count`` squashed pull requests and one that is open.

    Every tenth has more comments than fit into GitHub's first page.
    """
    run_git(folder.parent, "init", "-q", "--bare", "-b", "main", folder)
    run_git(folder, "fast-import", "--quiet", stdin="".join(_stream(count)).encode())
    refs = run_git(folder, "for-each-ref", "--format=%(refname) %(objectname)").decode()
    tips = dict(line.split() for line in refs.splitlines())
    chain = run_git(folder, "rev-list", "--reverse", "main").decode().split()
    pulls = [
        _pull(number, tips[f"refs/pull/{number}/head"], chain[number])
        for number in range(1, count + 1)
    ]
    head = tips[f"refs/pull/{count + 1}/head"]
    still_open = Pull(count + 1, title="Not yet", state="OPEN", head_oid=head)
    return Hosted(folder, (*pulls, still_open))


def _stream(count: int) -> list[str]:
    """Return what ``git fast-import`` makes the commits and refs from."""
    commands = [_commit("refs/heads/main", 1, START, "Begin", "", "begin.txt", "1\n")]
    for number in range(1, count + 2):
        when = START + number * 3600
        text = f"value = {number}\n"
        ref, path = f"refs/pull/{number}/head", f"src/part_{number}.py"
        subject = f"Change part {number}"
        tip = f":{2 * number - 1 if number > 1 else 1}"
        commands.append(_commit(ref, 2 * number, when, subject, tip, path, text))
        if number <= count:
            subject = f"{subject} (#{number})"
            mark = 2 * number + 1
            commands.append(_commit("refs/heads/main", mark, when + 60, subject, tip, path, text))
    return commands


def _commit(ref: str, mark: int, when: int, message: str, parent: str, path: str, text: str) -> str:
    who = f"Ada <ada@example.org> {when} +0000"
    return (
        f"commit {ref}\nmark :{mark}\nauthor {who}\ncommitter {who}\n"
        f"data {len(message)}\n{message}\n"
        + (f"from {parent}\n" if parent else "")
        + f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"
    )


def _pull(number: int, head: str, merge: str) -> Pull:
    when = START + number * 3600
    talk = 40 if number % 10 == 0 else number % 8
    return Pull(
        number,
        title=f"Part {number}, as GitHub has it",
        body=f"The words of {number}. Reported-by: Grace <grace@example.org>",
        author="ada",
        state="MERGED",
        created_at=moment(when),
        updated_at=moment(when + 7200),
        merged_at=moment(when + 60),
        merge_commit=merge,
        head_oid=head,
        base_ref="main",
        labels=("part", "bug"),
        comments=tuple(
            Comment(f"Comment {n} on {number}", created_at=moment(when + n)) for n in range(talk)
        ),
        reviews=(
            Review(
                state="CHANGES_REQUESTED",
                body="Not yet.",
                submitted_at=moment(when + 100),
                comments=tuple(
                    ReviewComment(f"src/part_{number}.py", f"Why {n}?", created_at=moment(when + n))
                    for n in range(number % 5)
                ),
            ),
        ),
        closes=(Issue(10_000 + number, title="It fails", body="Always."),),
        cross_references=((CrossReference(number - 1, title="See"),) if number > 1 else ()),
    )
