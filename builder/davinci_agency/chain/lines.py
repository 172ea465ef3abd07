"""Which lines of an earlier pull request a later one changed again, by their patches; pure.

A line counts if the earlier one added it and the later one took it away, in the same file and
letter for letter. That is what ``git blame`` would say of it, but for lines that are moved or
repeated, and it needs no repository.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SHORTEST = 8
"""Characters of a line that say something: shorter ones, such as ``return``, stand everywhere."""


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """The lines of one file that a pull request added and took away, without their indentation."""

    added: frozenset[str]
    taken: frozenset[str]


def changed_lines(*patches: str) -> dict[str, ChangedLines]:
    r"""Return what some patches change, by the file's path before and after.

    >>> patch = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-value = 1\n+value = 2\n"
    >>> changed_lines(patch)["x.py"].added
    frozenset({'value = 2'})
    """
    added: dict[str, set[str]] = {}
    taken: dict[str, set[str]] = {}
    for path, line in _lines(patches):
        words = line[1:].strip()
        if len(words) >= _SHORTEST:
            (added if line[0] == "+" else taken).setdefault(path, set()).add(words)
    return {
        path: ChangedLines(frozenset(added.get(path, ())), frozenset(taken.get(path, ())))
        for path in added.keys() | taken.keys()
    }


def _lines(patches: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield every added and removed line with its file: the new name's for what was added."""
    for patch in patches:
        old = new = ""
        in_hunk = False
        for line in patch.split("\n"):
            if line.startswith("diff --git "):
                in_hunk = False
            elif line.startswith("@@ "):
                in_hunk = True
            elif not in_hunk:
                if line.startswith("--- "):
                    old = line[len("--- a/") :]
                elif line.startswith("+++ "):
                    new = line[len("+++ b/") :]
            elif line.startswith("+"):
                yield new, line
            elif line.startswith("-"):
                yield old, line


def touched_lines(
    later: Mapping[str, ChangedLines], earlier: Mapping[str, ChangedLines]
) -> dict[str, int]:
    """Return how many lines of the earlier one the later one took away, by file."""
    counts = {
        path: len(lines.taken & earlier[path].added)
        for path, lines in later.items()
        if path in earlier
    }
    return {path: count for path, count in sorted(counts.items()) if count}
