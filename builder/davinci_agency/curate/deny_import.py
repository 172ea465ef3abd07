"""A deny list from a benchmark's own file: Parquet or JSON Lines, in the layouts that are usual.

Of each row the repository, the number and the commits are kept, and the ids of its patches; no
text. Known layouts, told by the columns that are there:

- SWE-bench and its kin: ``instance_id``, ``repo``, ``base_commit``, ``patch``, ``test_patch``,
  and perhaps ``pull_number``;
- Multi-SWE-bench: ``org``, ``repo``, ``number``, ``base.sha``, ``fix_patch``, ``test_patch``;
- plain: ``repo``, ``number``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from davinci_agency.curate.deny_list import DeniedTask, DenyList, usual_instance_id
from davinci_agency.curate.patch_ids import patch_ids_of
from davinci_agency.curate.tables import table_rows
from davinci_agency.errors import CommandError, DataError

_COLUMNS = (
    "instance_id",
    "org",
    "repo",
    "number",
    "pull_number",
    "base",
    "base_commit",
    "patch",
    "fix_patch",
    "test_patch",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
_REPO = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_OBJECT_NAME = re.compile(r"[0-9a-f]{40}")
_NUMBER_AT_END = re.compile(r"(?:-|:pr-|\.pr_)([1-9]\d{0,8})$")
_COMMIT_AT_END = re.compile(r"-([0-9a-f]{40})(?:-v\w{1,40})?$")
_REPO_AT_BEGIN = re.compile(
    r"(?:instance_)?([A-Za-z0-9.-]{1,100})__([A-Za-z0-9._-]{1,100}?)"
    r"-(?:[1-9]\d{0,8}$|[0-9a-f]{40}(?:-|$))"
)


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A row of which no task could be made: its place, counted from 1, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedList:
    """What was read: ``rows == len(deny_list.tasks) + repeated + len(unusable)``.

    Attributes:
        rows: how many there were.
        repeated: rows that say what an earlier one says.
    """

    deny_list: DenyList
    rows: int
    repeated: int
    unusable: tuple[UnusableRow, ...]


def import_list(
    path: Path, *, name: str, title: str, source: str, as_of: str, note: str = ""
) -> ImportedList:
    """Make a deny list of a benchmark's file; a row that can't be used is named with its reason.

    Held in memory: the list, and some rows at a time. Raises `DataError` if the file as a whole
    can't be read, or none of its rows can be used; `CommandError` if there is no such file, or the
    name or the date is none.
    """
    _check(name, as_of)
    tasks: dict[str, DeniedTask] = {}
    unusable: list[UnusableRow] = []
    rows = repeated = 0
    for rows, row in enumerate(table_rows(path, _COLUMNS), start=1):
        task = row if isinstance(row, str) else _task(row)
        if isinstance(task, DeniedTask) and tasks.setdefault(task.instance_id, task) != task:
            task = f"{task.instance_id} stands in the file with other content, too"
        elif isinstance(task, DeniedTask):
            repeated = rows - len(tasks) - len(unusable)
        if isinstance(task, str):
            unusable.append(UnusableRow(rows, task))
    if not tasks:
        why = f"row 1: {unusable[0].reason}" if unusable else "it has no rows"
        raise DataError(f"{path}: no task can be read from it ({why}). See the known layouts.")
    made = DenyList(name, title, source, as_of, None, note, tuple(tasks.values()))
    return ImportedList(made, rows, repeated, tuple(unusable))


def _check(name: str, as_of: str) -> None:
    if not _NAME.fullmatch(name):
        raise CommandError(f"{name!r} is no name for a list; --name takes one like my-benchmark.")
    try:
        is_date = date.fromisoformat(as_of).isoformat() == as_of
    except ValueError:
        is_date = False
    if not is_date:
        raise CommandError(f"{as_of!r} is no date; --as-of takes one like 2025-01-31.")


def _task(row: Mapping[str, Any]) -> DeniedTask | str:
    """Return a row's task, or why it has none."""
    identifier = _text(row, "instance_id")
    repo = _repo(row, identifier)
    if repo is None:
        return "it names no repository (`repo` as owner/name, or `org` and `repo`)"
    number = _number(row, identifier)
    commit = _COMMIT_AT_END.search(identifier)
    base = _base_commit(row)
    patches = _patch_ids(row)
    if number is None and not (commit or base or patches):
        return "it names no pull request (`number`, `pull_number`), commit or patch"
    name = identifier[:300] or usual_instance_id(repo, number)
    if name is None:
        return "it has neither `instance_id` nor a number"
    return DeniedTask(repo, name, number, base, commit[1] if commit else None, patches)


def _text(row: Mapping[str, Any], *columns: str) -> str:
    values = (row.get(column) for column in columns)
    return next((value for value in values if isinstance(value, str)), "")


def _repo(row: Mapping[str, Any], identifier: str) -> str | None:
    org, repo = _text(row, "org"), _text(row, "repo")
    begin = _REPO_AT_BEGIN.match(identifier)
    known = (repo, f"{org}/{repo}", f"{begin[1]}/{begin[2]}" if begin else "")
    return next((name for name in known if _REPO.fullmatch(name)), None)


def _number(row: Mapping[str, Any], identifier: str) -> int | None:
    for column in ("number", "pull_number"):
        value = row.get(column)
        if isinstance(value, str) and re.fullmatch(r"[1-9]\d{0,8}", value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    end = _NUMBER_AT_END.search(identifier)
    return int(end[1]) if end else None


def _base_commit(row: Mapping[str, Any]) -> str | None:
    base = row.get("base")
    sha = _text(row, "base_commit") or (_text(base, "sha") if isinstance(base, dict) else "")
    return sha if _OBJECT_NAME.fullmatch(sha) else None


def _patch_ids(row: Mapping[str, Any]) -> tuple[str, ...]:
    return patch_ids_of(_text(row, "patch", "fix_patch"), _text(row, "test_patch"))
