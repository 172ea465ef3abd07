"""Lists of pull requests that stand in benchmarks: facts with their source and date.

A list holds names, numbers and hashes only: which repository, which pull request, the commit it
starts from, the commit that solves it, the patch ids of its gold and test patches; no patch, no
text of an issue, no code. The shipped ones lie beside this module in ``deny_lists/``, one file a
benchmark, one task a line, and say in ``note`` what is missing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import msgspec
import orjson

from davinci_agency.errors import DataError

SHIPPED = Path(__file__).resolve().parent / "deny_lists"
"""The folder of the lists that come with this project."""

Repo = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}\Z")]
ObjectName = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}\Z")]
Number = Annotated[int, msgspec.Meta(ge=1)]
Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}\Z")]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


@dataclass(frozen=True, slots=True)
class DeniedTask:
    """One task of a benchmark.

    Attributes:
        repo: ``owner/name`` as the benchmark spells it; it may have another name by now.
        instance_id: the benchmark's name for the task.
        number: of the pull request; ``None`` where the benchmark doesn't say.
        base_commit: where the task starts.
        commit: the one that solves it, where the benchmark names it.
        patch_ids: of the gold patch, the test patch and both together, as far as they are known.
    """

    repo: str
    instance_id: str
    number: int | None = None
    base_commit: str | None = None
    commit: str | None = None
    patch_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DenyList:
    """The tasks of one benchmark, as far as they are known.

    Attributes:
        name: a short one, for receipts: ``swe-bench-lite``.
        title: the benchmark's own name.
        source: where the facts stand, a public address.
        as_of: the date of what was read there, ``YYYY-MM-DD``.
        published: how many tasks the benchmark says it has; ``None`` if that is not known.
        note: what is known and what is not.
    """

    name: str
    title: str
    source: str
    as_of: str
    published: int | None
    note: str
    tasks: tuple[DeniedTask, ...]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    number: Number | None = None
    base_commit: ObjectName | None = None
    commit: ObjectName | None = None
    patch_ids: tuple[ObjectName, ...] = ()
    instance_id: Identifier | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    title: str
    source: str
    as_of: Date
    published: Number | None
    note: str
    repos: dict[Repo, tuple[_Line, ...]]


_DECODER = msgspec.json.Decoder(_File)


def load_shipped() -> list[DenyList]:
    """Return the lists that come with this project, by name. Raises `DataError` as `read_list`."""
    return [read_list(path) for path in sorted(SHIPPED.glob("*.json"))]


def read_list(path: Path) -> DenyList:
    """Read one list.

    Raises `DataError` if it can't be read, is no list, holds a task that names no number, commit
    or patch, or holds one twice.
    """
    try:
        file = _DECODER.decode(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; name a deny list that can be read.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error} (a deny list). Take it from its source again.") from error
    tasks = tuple(_task(path, repo, line) for repo, lines in file.repos.items() for line in lines)
    identifiers = sorted(task.instance_id for task in tasks)
    for one, next_one in itertools.pairwise(identifiers):
        if one == next_one:
            raise DataError(f"{path}: {one} stands there twice; keep the right one.")
    return DenyList(
        file.name, file.title, file.source, file.as_of, file.published, file.note, tasks
    )


def _task(path: Path, repo: str, line: _Line) -> DeniedTask:
    if line.number is None and not (line.base_commit or line.commit or line.patch_ids):
        who = line.instance_id or repo
        raise DataError(f"{path}: {who} names no number, commit or patch; add one, or drop it.")
    instance_id = line.instance_id or usual_instance_id(repo, line.number)
    if instance_id is None:
        raise DataError(f"{path}: a task of {repo} has neither `number` nor `instance_id`.")
    return DeniedTask(repo, instance_id, line.number, line.base_commit, line.commit, line.patch_ids)


def usual_instance_id(repo: str, number: int | None) -> str | None:
    """Return what SWE-bench and most others call a task; ``None`` without a number.

    >>> usual_instance_id("numpy/numpy", 12)
    'numpy__numpy-12'
    """
    return None if number is None else f"{repo.replace('/', '__', 1)}-{number}"


def render_list(deny_list: DenyList) -> bytes:
    """Return a list as a file that `read_list` reads: JSON, one task a line, in one order."""
    head = (
        ("name", deny_list.name),
        ("title", deny_list.title),
        ("source", deny_list.source),
        ("as_of", deny_list.as_of),
        ("published", deny_list.published),
        ("note", deny_list.note),
    )
    lines = [b"%s: %s,\n" % (orjson.dumps(key), orjson.dumps(value)) for key, value in head]
    by_repo = itertools.groupby(sorted(deny_list.tasks, key=_order), key=attrgetter("repo"))
    repos = b",\n".join(
        b"%s: [\n%s\n]" % (orjson.dumps(repo), b",\n".join(map(_render, tasks)))
        for repo, tasks in by_repo
    )
    return b'{\n%s"repos": {\n%s\n}}\n' % (b"".join(lines), repos)


def _order(task: DeniedTask) -> tuple[str, str, int, str]:
    return task.repo.lower(), task.repo, task.number or 0, task.instance_id


def _render(task: DeniedTask) -> bytes:
    usual = usual_instance_id(task.repo, task.number) == task.instance_id
    named = None if usual else task.instance_id
    line = _Line(task.number, task.base_commit, task.commit, task.patch_ids, named)
    return msgspec.json.encode(line)
