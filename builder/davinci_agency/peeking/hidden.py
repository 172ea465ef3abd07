"""What is hidden from whoever works at a stage of a task: its merge, and what came later; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from davinci_agency.records import Task

_HEX = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{7,64}(?![0-9a-zA-Z])")
_NUMBER = re.compile(
    r"(?:p(?<!\wp)ulls?/|p(?<!\wp)ull%2F|P(?<!\wP)Rs?[ -]?#?|#(?<![&#$]#))([1-9]\d{0,8})(?!\w)"
)
"""What stands before is looked at second: so a search leaps to the next ``p``, ``P`` or ``#``."""
_SURE = 100
"""Below it ``#N`` is as likely the number of an item in a list, or of a colour."""
_ADDRESS = re.compile(
    r"(?:https?|git|ssh)(?:://|%3A%2F%2F)(?:[\w.-]{1,100}@)?"
    r"(?P<host>github\.com|api\.github\.com|raw\.githubusercontent\.com|codeload\.github\.com"
    r"|patch-diff\.githubusercontent\.com|ungh\.cc|cdn\.jsdelivr\.net)"
    r"/(?P<path>[^\s'\"<>`\\|]{0,400})",
    re.IGNORECASE,
)
_BEFORE_OWNER = re.compile(r"(?:repos|raw|gh)/")


@dataclass(frozen=True, slots=True)
class Hidden:
    """What must not be looked up.

    Attributes:
        repo: ``owner/name``.
        commits: the names of the merges and of the trees they make.
        numbers: the numbers of the pull requests.
        digits: the same, as they are written.
    """

    repo: str
    commits: tuple[str, ...]
    numbers: frozenset[int]
    digits: tuple[str, ...]

    @property
    def project(self) -> str:
        """The repository's name without its owner, in lower case."""
        return self.repo.rpartition("/")[2].lower()

    def names_commit(self, word: str) -> bool:
        """Tell whether a word holds one of the commits, perhaps shortened to seven digits."""
        return any(
            commit.startswith(match[0]) for match in _HEX.finditer(word) for commit in self.commits
        )

    def names_number(self, text: str) -> bool:
        """Tell whether a text names one of the pull requests: ``pull/12``, ``PR #12``, ``#123``.

        A bare ``#N`` counts from 100 on.
        """
        return any(map(text.__contains__, self.digits)) and any(
            (number := int(match[1])) in self.numbers
            and (number >= _SURE or not match[0].startswith("#"))
            for match in _NUMBER.finditer(text)
        )

    def is_address(self, text: str) -> bool:
        """Tell whether a text holds an address of the project, or of a fork of it, on GitHub."""
        return any(self._is_page(match["path"].lower()) for match in _ADDRESS.finditer(text))

    def _is_page(self, path: str) -> bool:
        path = unquote(path)
        if path.startswith("search/"):
            return self.repo.lower() in path
        path = path[place.end() :] if (place := _BEFORE_OWNER.match(path)) else path
        _, _, rest = path.partition("/")
        name = re.split(r"[/?#@]", rest, maxsplit=1)[0]
        return name.removesuffix(".git") == self.project


def hidden_by_stage(task: Task) -> list[Hidden]:
    """Return what is hidden at each stage of a task. What an earlier stage merged is history."""
    return [
        Hidden(
            task.repo,
            tuple(
                name
                for stage in task.stages[number:]
                for name in (stage.merge_commit, stage.result_tree)
                if name
            ),
            frozenset(stage.number for stage in task.stages[number:]),
            tuple(str(stage.number) for stage in task.stages[number:]),
        )
        for number in range(len(task.stages))
    ]
