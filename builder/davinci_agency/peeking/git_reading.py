"""Which commands read, by way of git, what is not in the history of the work; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from davinci_agency.peeking.hidden import Hidden

_READS = frozenset(
    {"log", "show", "diff", "difftool", "diff-tree", "checkout", "switch", "restore", "reset",
     "cherry-pick", "merge", "rebase", "revert", "cat-file", "rev-list", "shortlog",
     "whatchanged", "blame", "annotate", "ls-tree", "archive", "format-patch", "read-tree",
     "range-diff", "worktree"}
)  # fmt: skip
"""What shows or takes what is in the commits that it is given."""
_HISTORIES = frozenset(
    {"log", "show", "rev-list", "shortlog", "whatchanged", "format-patch", "blame"}
)
_WRITES_WORDS = frozenset({"commit", "tag", "notes", "config", "add", "branch", "push"})
"""What is given a message, or names and no contents."""
_EVERYTHING = re.compile(r"--(?:all|remotes(?:=.*)?|branches(?:=.*)?|tags(?:=.*)?|glob=.*|reflog)")
_WITH_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace"})
_REMOTE = re.compile(
    r"(?<![^.])(?:(?:refs/)?(?:remotes/)?(?:origin|upstream)/|refs/(?:remotes|pull)/"
    r"|(?:FETCH|ORIG)_HEAD(?!\w))|@\{u(?:pstream)?\}"
)
"""At the beginning of a word or of what a range goes to; ``^origin/main`` leaves it out."""
_RANGE = re.compile(r"\.{2,3}")
_FILE = re.compile(r"(?:^|/)\.git/(?:packed-refs|logs|objects|refs|[A-Z]{1,20}_HEAD)(?![\w-])")
_FOLDER = re.compile(r"(?:^|/)\.git/?$")
_SEARCHERS = frozenset({"grep", "egrep", "fgrep", "rg", "ag", "ack"})
_READERS = _SEARCHERS | {
    "cat", "less", "more", "head", "tail", "ls", "find", "strings", "xxd", "hexdump", "od", "tree",
    "cp", "zcat", "file", "sed", "awk", "bat", "nl", "tac", "dd", "sort", "tar",
}  # fmt: skip
_OF_PATTERN = frozenset({"-e", "-f", "-g", "--glob", "--exclude", "--exclude-dir", "--regexp"})


def reads_future(arguments: Sequence[str], hidden: Hidden) -> str | None:
    """Return what git reads that is hidden, given its arguments; ``None`` if nothing.

    That is: histories of everything (``--all``, ``--remotes``); the reflog and what git lost; a
    hidden commit; branches of a remote and the heads that git keeps aside, but for the ranges that
    show one's own work alone (``git diff origin/main...HEAD``, ``git log origin/main..``); and
    whatever fetches. Names of branches are none: ``git branch -a`` is no reading.
    """
    while arguments and arguments[0].startswith("-"):
        arguments = arguments[2 if arguments[0] in _WITH_VALUE else 1 :]
    if not arguments:
        return None
    command, *rest = arguments
    if command in ("fetch", "pull", "ls-remote"):
        return f"git {command}"
    if command == "remote":
        return "git remote update" if rest[:1] == ["update"] else None
    if command == "clone":
        return "git clone of the project" if _clones(rest, hidden) else None
    if command == "reflog":
        return None if rest[:1] in (["expire"], ["delete"]) else "git reflog"
    if command == "fsck":
        lost = not {"--lost-found", "--unreachable", "--dangling"}.isdisjoint(rest)
        return "git fsck for lost commits" if lost else None
    return _reads(command, rest, hidden)


def _reads(command: str, rest: Sequence[str], hidden: Hidden) -> str | None:
    revisions = rest[: rest.index("--")] if "--" in rest else rest
    if command in _HISTORIES and any(_EVERYTHING.fullmatch(word) for word in revisions):
        return f"git {command} of everything"
    if command == "log" and not {"-g", "--walk-reflogs"}.isdisjoint(revisions):
        return "git log of the reflog"
    if command == "cat-file" and "--batch-all-objects" in revisions:
        return "git cat-file of everything"
    if command in _WRITES_WORDS:
        return None
    if any(map(hidden.names_commit, revisions)):
        return f"git {command} of a hidden commit"
    if command in _READS and any(_names_remote(command, word) for word in revisions):
        return f"git {command} of a remote's branch or a head kept aside"
    return None


def _names_remote(command: str, word: str) -> bool:
    match = _REMOTE.search(word)
    if match is None or word.startswith("-"):
        return False
    first, *others = _RANGE.split(word, maxsplit=1)
    if not others or _REMOTE.match(others[0]) or others[0] not in ("", "HEAD", "@"):
        return True
    # One's own work alone: diff begins where the two part, log shows what the remote lacks.
    own = "..." if command in ("diff", "difftool") else ".."
    return word[len(first) :].removesuffix(others[0]) != own


def _clones(arguments: Sequence[str], hidden: Hidden) -> bool:
    for word in arguments:
        if not word.startswith("-") and ("://" in word or re.match(r"[\w.-]{1,60}@|gh:", word)):
            name = re.split(r"[/:]", word.rstrip("/"))[-1].lower().removesuffix(".git")
            return name == hidden.project
    return False


def reads_git_folder(words: Sequence[str]) -> bool:
    """Tell whether a command reads what git keeps: references, logs, objects, heads kept aside.

    To list ``.git`` itself, to read its configuration or to remove a lock is none, nor is to name
    it so that a search passes it over.
    """
    program = words[0].rpartition("/")[2]
    if program not in _READERS:
        return False
    paths = _paths(program, words[1:])
    # These go through a folder that they are given.
    goes_down = program in ("find", "tree", "rg", "ag") or (
        program in ("grep", "ls") and any(re.match(r"-\w{0,9}[rR]", word) for word in words[1:])
    )
    return any(_FILE.search(path) or (goes_down and _FOLDER.search(path)) for path in paths)


def is_git_file(path: str) -> bool:
    """Tell whether a path is one of what git keeps below ``.git``."""
    return _FILE.search(path) is not None


def _paths(program: str, words: Sequence[str]) -> list[str]:
    """Return the words that may be paths to read."""
    if program == "find":
        ends = (n for n, word in enumerate(words) if word[:1] in "-(!" and word[:2] != "-L")
        return list(words[: next(ends, len(words))])
    paths = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in _OF_PATTERN
    ]
    # The first is what is searched for, unless an option gave it.
    has_pattern = program in _SEARCHERS and not {"-e", "-f", "--files"} & set(words)
    return paths[1:] if has_pattern else paths
