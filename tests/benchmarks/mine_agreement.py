"""Does what was mined hold the work of the pull request's own branch?

For every merged pull request whose head is there, the mined change (``base_commit`` to
``merge_commit``) is compared with the branch's, from ``merge_base`` to ``head_commit``; where the
last commits of a branch are its own and those below are others' (it is stacked on them), from the
first of its own. Compared are the patch-ids, where they differ those without lines of context,
which a merge may have changed, and then the files. Run it on clones that have the pull heads:

    python tests/benchmarks/mine_agreement.py numpy.git=numpy/numpy ruff.git=astral-sh/ruff
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import click
import msgspec

from davinci_agency.mine import MineOptions, mine_pulls, read_source
from davinci_agency.parallel import Pool
from davinci_agency.repository.overlay import Overlay, Pair, open_overlay


class Own(msgspec.Struct):
    """A commit of a record."""

    sha: str


class Line(msgspec.Struct):
    """What is compared of a record."""

    number: int
    merge_style: str
    merged_into: str
    base_commit: str
    merge_commit: str
    merge_base: str | None
    head_commit: str | None
    commits: list[Own]


def branch_pairs(overlay: Overlay, pulls: list[Line]) -> list[Pair]:
    """Return the last commit of every pull request's branch, and the one before its own work."""
    git = ["git", f"--git-dir={overlay.folder}", "rev-list", "--parents", "--stdin"]
    heads = "".join(f"{pull.head_commit}\n" for pull in pulls).encode()
    listed = subprocess.run(git, input=heads, capture_output=True, check=True).stdout.decode()
    parents = {name: before for name, *before in map(str.split, listed.splitlines())}

    def start(pull: Line) -> str:
        run = [own.sha for own in pull.commits]
        before = parents[run[0]][:1]
        is_run = all(
            parents[name] == [last] for last, name in zip([*before, *run], run, strict=False)
        )
        # A merge below is of the branch's own making too.
        is_whole = is_run and run[-1] == pull.head_commit and len(parents[before[0]]) < 2
        return before[0] if is_whole else pull.merge_base or ""

    return [(pull.head_commit or "", start(pull)) for pull in pulls]


def patch_ids(overlay: Overlay, pairs: list[Pair], context: int = 3) -> dict[str, str]:
    """Return the patch-id of every pair's diff, by its commit; none for an empty diff."""
    lines = "".join(f"{commit} {base}\n" for commit, base in pairs).encode()
    git = ["git", f"--git-dir={overlay.folder}"]
    with tempfile.TemporaryFile() as names:
        names.write(lines)
        names.seek(0)
        diff = subprocess.Popen(
            [*git, "diff-tree", "--stdin", "-p", "-r", f"-U{context}"],
            stdin=names,
            stdout=subprocess.PIPE,
        )
        ids = subprocess.run(
            [*git, "patch-id", "--stable"], stdin=diff.stdout, stdout=subprocess.PIPE, check=True
        )
        if diff.wait():
            raise RuntimeError("git diff-tree failed")
    return {commit: patch for patch, commit in map(str.split, ids.stdout.decode().splitlines())}


def compare(path: Path, repo: str) -> Counter[str]:
    """Mine a repository and count how its pull requests agree with their branches."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "pulls.jsonl"
        with Pool(2) as engine:
            mine_pulls([(path, MineOptions(repo=repo))], out, engine=engine)
        with out.open("rb") as file:
            pulls = [msgspec.json.decode(line, type=Line) for line in file]
    pulls = [p for p in pulls if p.head_commit and p.merge_base]
    ours = [(p.merge_commit, p.base_commit) for p in pulls]
    with open_overlay(read_source(path)) as overlay:
        theirs = branch_pairs(overlay, pulls)
        overlay.stand_in_for_missing([*ours, *theirs])
        mined, branch = patch_ids(overlay, ours), patch_ids(overlay, theirs)
        bare, bare_branch = patch_ids(overlay, ours, 0), patch_ids(overlay, theirs, 0)
        paths = zip(overlay.paths(ours), overlay.paths(theirs), strict=True)
        counts: Counter[str] = Counter()
        for pull, (here, there) in zip(pulls, paths, strict=True):
            one, other = mined.get(pull.merge_commit), branch.get(pull.head_commit or "")
            if not here or not there:
                kind = "empty"
            elif one == other:
                kind = "equal"
            elif bare.get(pull.merge_commit) == bare_branch.get(pull.head_commit or ""):
                kind = "equal but for context"
            elif here == there:
                kind = "same files"
            elif here & there:
                kind = "partly"
            else:
                kind = "disjoint"
                click.echo(f"  disjoint: #{pull.number} {pull.merge_style} {pull.merged_into}")
            counts[kind] += 1
    return counts


def main() -> None:
    """Print a line for each repository."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clones", nargs="+", metavar="PATH=OWNER/NAME")
    for clone in parser.parse_args().clones:
        path, _, repo = clone.partition("=")
        counts = compare(Path(path), repo)
        compared = sum(counts.values()) - counts["empty"]
        shares = ", ".join(f"{kind} {count:,}" for kind, count in counts.most_common())
        click.echo(
            f"{repo}: {counts['equal'] / max(1, compared):.2%} equal of {compared:,} ({shares})"
        )


if __name__ == "__main__":
    main()
