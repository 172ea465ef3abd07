"""How fast is mining, in multiples of what git alone needs?

One run on a real clone with pull heads: git's own log and diffs, then mining from nothing with one
worker and two, again with nothing new, again with one pull request in a hundred new; and on a
sample of squashes PyDriller and GitPython's own diffs, if PyDriller is installed. CPU seconds are
those of the process and of everything that it starts; the ratios hold, the seconds are this
machine's.

    python tests/benchmarks/mine_speed.py numpy.git --repo numpy/numpy
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

HERE = Path(__file__).resolve()
SAMPLE = 300


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process and all that it started took; memory is that of the largest of them."""

    cpu: float
    wall: float
    peak_mb: float


def measure(command: list[str], stdin: Path | None = None) -> Cost:
    """Run a command to its end."""
    begun = time.monotonic()
    with (stdin or Path(os.devnull)).open("rb") as names:
        process = subprocess.Popen(command, stdin=names, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:4]} failed with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - begun, usage.ru_maxrss / 1024)


def show(what: str, cost: Cost, unit: Cost | None = None) -> None:
    """Print one line of the table."""
    ratio = "" if unit is None else f"{cost.cpu / unit.cpu:8.2f} x{cost.wall / unit.wall:8.2f} x"
    click.echo(f"{what:44}{cost.cpu:8.2f}{cost.wall:8.2f}{cost.peak_mb:7.0f}  {ratio}")


def without_newest(folder: Path, clone: Path, share: float) -> Path:
    """Return a repository that borrows a clone's objects and lacks its newest first parents."""
    git = ["git", f"--git-dir={clone}"]
    chain = subprocess.run(
        [*git, "rev-list", "--first-parent", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.split()
    old = chain[max(1, int(len(chain) * share))]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder], check=True)
    (folder / "objects/info/alternates").write_text(f"{(clone / 'objects').resolve()}\n")
    refs = subprocess.run(
        [*git, "for-each-ref", "--format=create %(refname) %(objectname)", "refs/pull"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    update = ["git", f"--git-dir={folder}", "update-ref", "--stdin"]
    subprocess.run(update, input=refs, check=True)
    subprocess.run(update, input=f"create refs/heads/main {old}\n".encode(), check=True)
    return folder


def advance(folder: Path, clone: Path) -> None:
    """Give the repository the clone's newest commit."""
    head = (
        subprocess.run(
            ["git", f"--git-dir={clone}", "rev-parse", "HEAD"], capture_output=True, check=True
        )
        .stdout.decode()
        .strip()
    )
    update = ["git", f"--git-dir={folder}", "update-ref", "refs/heads/main", head]
    subprocess.run(update, check=True)


def metadata_only(clone: Path, repo: str) -> None:
    """Read, verify and index the paths of every pull request, without any patch."""
    from davinci_agency.mine.mining import find_pulls
    from davinci_agency.repository.overlay import open_overlay
    from davinci_agency.repository.source import read_source

    source = read_source(clone)
    with open_overlay(source) as overlay:
        found = find_pulls(overlay, source, repo)
        index: dict[bytes, list[int]] = {}
        newest_first = found.merged[::-1]
        pairs = [(item.merge, item.base) for item in newest_first]
        for item, paths in zip(newest_first, overlay.paths(pairs), strict=True):
            for path in paths:
                index.setdefault(path, []).append(item.number)
    click.echo(f"{len(found.merged)} pull requests, {len(index)} paths", err=True)


def _trust() -> None:
    """Let git read a mirror that has no configuration of its own, or another owner."""
    trust = {"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    os.environ.update(trust, GIT_CONFIG_COUNT="1")


def with_gitpython(clone: Path, pairs: Path) -> None:
    """Read the diffs of pairs as GitPython's objects."""
    import git

    _trust()
    with git.Repo(clone) as repo:
        for line in pairs.read_text().splitlines():
            commit, base = line.split()
            for diff in repo.commit(base).diff(repo.commit(commit), create_patch=True):
                len(diff.diff or b"")


def with_pydriller(clone: Path, pairs: Path) -> None:
    """Read the diffs of the commits of pairs with PyDriller."""
    from pydriller import Git

    _trust()
    repository = Git(str(clone))
    for line in pairs.read_text().splitlines():
        for file in repository.get_commit(line.split()[0]).modified_files:
            len(file.diff or "")


def _write_pairs(path: Path, pairs: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f"{commit} {base}\n" for commit, base in pairs))
    return path


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--repo", required=True)
    parser.add_argument("--only", choices=["metadata", "gitpython", "pydriller"])
    parser.add_argument("--pairs", type=Path)
    chosen = parser.parse_args()
    clone, repo = chosen.clone.resolve(), chosen.repo
    if chosen.only == "metadata":
        metadata_only(clone, repo)
    elif chosen.only == "gitpython":
        with_gitpython(clone, chosen.pairs)
    elif chosen.only == "pydriller":
        with_pydriller(clone, chosen.pairs)
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(clone, repo, Path(folder))


def compare(clone: Path, repo: str, folder: Path) -> None:
    """Measure everything, one after the other."""
    git = ["git", f"--git-dir={clone}"]
    python = [sys.executable, str(HERE), str(clone), "--repo", repo]

    def mine(source: Path, place: str, workers: int) -> Cost:
        command = [sys.executable, "-m", "davinci_agency", "mine", str(source), "--repo", repo]
        out = folder / place / "pulls.jsonl"
        command += ["--cache", str(folder / place / "cache"), "--out", str(out), "--quiet"]
        return measure([*command, "--workers", str(workers)])

    click.echo(f"{'':44}{'CPU s':>8}{'wall s':>8}{'MB':>7}   ratio of CPU and wall")
    log = measure([*git, "log", "--all"])
    show("git log --all", log)
    show("metadata, verification, path index", measure([*python, "--only", "metadata"]), log)
    one = mine(clone, "one", 1)
    pairs, squashes = [], []
    with (folder / "one/pulls.jsonl").open("rb") as file:
        for line in file:
            pull = json.loads(line)
            pairs.append((pull["merge_commit"], pull["base_commit"]))
            if pull["merge_style"] == "squash":
                squashes.append(pairs[-1])
    names = _write_pairs(folder / "pairs", pairs)
    raw = measure([*git, "diff-tree", "--stdin", "-p"], names)
    show(f"git diff-tree --stdin -p of {len(pairs):,}", raw)
    show("mine, one worker", one, raw)
    show("mine, two workers", mine(clone, "two", 2), raw)
    show("mine again, nothing new", mine(clone, "one", 1), one)
    borrowed = without_newest(folder / "borrowed.git", clone, 0.01)
    mine(borrowed, "growing", 1)
    advance(borrowed, clone)
    show("mine again, 1 % new", mine(borrowed, "growing", 1), one)
    # Of a merge PyDriller shows nothing, so the peers get what was squashed.
    sample = random.Random(300).sample(squashes, min(SAMPLE, len(squashes)))  # noqa: S311
    few = _write_pairs(folder / "few", sample)
    raw_few = measure([*git, "diff-tree", "--stdin", "-p"], few)
    show(f"git diff-tree --stdin -p of {len(sample)}", raw_few)
    # The peers want a configuration, which a mirror may lack.
    python[2] = str(borrowed)
    for peer in ("gitpython", "pydriller"):
        show(peer, measure([*python, "--only", peer, "--pairs", str(few)]), raw_few)


if __name__ == "__main__":
    main()
