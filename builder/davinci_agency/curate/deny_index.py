"""Whether a pull request stands in a benchmark; pure.

A task is met by the strongest of four signs:

- ``number``: the same repository and number;
- ``commit``: one of the pull request's commits is the one that solves the task;
- ``patch``: the same patch id, in whatever repository: a fork's or another branch's copy too;
- ``base-commit``: the same repository and start, for a task without a number only. Where a number
  is known it decides, since several pull requests may begin at one commit.

Names of repositories are compared without regard to case, and a former name is the present one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from davinci_agency.curate.deny_list import DeniedTask, DenyList

Sign = Literal["number", "commit", "patch", "base-commit"]

_RENAMED = {
    "callemall/material-ui": "mui/material-ui",
    "cdr/code-server": "coder/code-server",
    "deluan/navidrome": "navidrome/navidrome",
    "facebook/immutable-js": "immutable-js/immutable-js",
    "google/jax": "jax-ml/jax",
    "huggingface/pytorch-transformers": "huggingface/transformers",
    "kennethreitz/requests": "psf/requests",
    "mui-org/material-ui": "mui/material-ui",
    "pycqa/pylint": "pylint-dev/pylint",
    "pycqa/astroid": "pylint-dev/astroid",
    "requests/requests": "psf/requests",
    "spulec/moto": "getmoto/moto",
    "stedolan/jq": "jqlang/jq",
    "vector-im/element-web": "element-hq/element-web",
    "vector-im/riot-web": "element-hq/element-web",
}
"""Former names of repositories, in lower case; GitHub keeps the numbers when one is moved."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A task that a pull request meets: of which list, by what sign, and its name there."""

    list_name: str
    by: Sign
    instance_id: str


def same_repo(repo: str) -> str:
    """Return what is equal for all names of a repository.

    >>> same_repo("PyCQA/pylint") == same_repo("pylint-dev/pylint")
    True
    """
    folded = repo.lower()
    return _RENAMED.get(folded, folded)


class DenyIndex:
    """Some lists, to be asked for one pull request at a time.

    Held in memory: some 300 bytes a task, and as much for each of its patch ids.
    """

    def __init__(self, lists: Iterable[DenyList]) -> None:
        self._tasks: list[tuple[str, DeniedTask]] = [
            (deny_list.name, task) for deny_list in lists for task in deny_list.tasks
        ]
        self._places: dict[tuple[object, ...], list[int]] = defaultdict(list)
        self._lists_of: dict[str, set[str]] = defaultdict(set)
        for place, (name, task) in enumerate(self._tasks):
            self._lists_of[same_repo(task.repo)].add(name)
            for key in _keys(task):
                self._places[key].append(place)

    @property
    def repos(self) -> frozenset[str]:
        """The repositories with a task in any list, as `same_repo` names them."""
        return frozenset(self._lists_of)

    def lists_with(self, repo: str) -> tuple[str, ...]:
        """Return the names of the lists that have a task in a repository, sorted."""
        return tuple(sorted(self._lists_of.get(same_repo(repo), ())))

    def hits(
        self,
        repo: str,
        number: int,
        base_commit: str,
        patch_ids: Iterable[str],
        commits: Iterable[str] = (),
    ) -> tuple[Hit, ...]:
        """Return what a pull request meets, one hit a task, sorted by list and task.

        ``patch_ids`` are of its patch, its test patch and both together; ``commits`` are its merge
        commit and its branch's own.
        """
        name = same_repo(repo)
        asked: list[tuple[Sign, tuple[object, ...]]] = [
            ("number", ("number", name, number)),
            *[("commit", ("commit", commit)) for commit in commits],
            *[("patch", ("patch", patch)) for patch in patch_ids],
            ("base-commit", ("base-commit", name, base_commit)),
        ]
        met: dict[int, Sign] = {}
        for sign, key in asked:
            for place in self._places.get(key, ()):
                met.setdefault(place, sign)
        found = [
            Hit(self._tasks[at][0], by, self._tasks[at][1].instance_id) for at, by in met.items()
        ]
        return tuple(sorted(found, key=lambda hit: (hit.list_name, hit.instance_id)))


def _keys(task: DeniedTask) -> Iterable[tuple[object, ...]]:
    name = same_repo(task.repo)
    if task.number is not None:
        yield "number", name, task.number
    elif task.base_commit:
        yield "base-commit", name, task.base_commit
    if task.commit:
        yield "commit", task.commit
    for patch in task.patch_ids:
        yield "patch", patch
