"""What a judge must take, and what it must not: patches made from true ones; pure.

Known goods do just what the true change does; known bads can't be what was asked for. All but
``other-pull`` are patches that apply where the true one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from davinci_agency.evaluate.patch_parts import (
    FilePart,
    Hunk,
    parse_patch,
    split_hunk,
    write_patch,
)
from davinci_agency.records import Task, TaskStage

_SLASHES = {
    "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "go", "java", "js", "jsx", "mjs", "ts", "tsx", "kt",
    "rs", "scala", "swift", "dart", "zig", "php", "m",
}  # fmt: skip
_DASHES = {"sql", "lua", "hs"}


@dataclass(frozen=True, slots=True)
class Case:
    """A patch for a stage, and whether it is good enough, as everybody knows.

    Attributes:
        kind: how it was made.
        is_good: whether it must be taken.
        task, place: the stage.
        patch: the patch.
    """

    kind: str
    is_good: bool
    task: Task
    place: int
    patch: str


def cases_of(stages: Sequence[tuple[Task, int]]) -> Iterator[Case]:
    """Yield the cases of some tasks' stages; those that can't be made of a patch are left out."""
    for index, (task, place) in enumerate(stages):
        stage = task.stages[place]
        if not stage.patch.strip():
            continue
        for kind, make in (*_GOOD.items(), *_BAD.items()):
            patch = make(stage)
            if patch is not None:
                yield Case(kind, kind in _GOOD, task, place, patch)
        others = (other.stages[n] for other, n in (*stages[index + 1 :], *stages[:index]))
        other = next((each for each in others if _is_other(stage, each)), None)
        if other is not None:
            yield Case("other-pull", False, task, place, whole_patch(other))


def whole_patch(stage: TaskStage) -> str:
    """Return all that a pull request changes, tests too."""
    return stage.patch + stage.test_patch


def _is_other(stage: TaskStage, other: TaskStage) -> bool:
    paths = {file.path for file in stage.files}
    return bool(other.patch.strip()) and paths.isdisjoint(file.path for file in other.files)


def _reformatted(stage: TaskStage) -> str | None:
    """Return the change with its files turned round, and every new blank line doubled."""
    made = [
        replace(
            part,
            heading=tuple(line for line in part.heading if not line.startswith("index ")),
            hunks=tuple(replace(hunk, lines=tuple(_doubled(hunk.lines))) for hunk in part.hunks),
        )
        if part.hunks
        else part
        for part in reversed(parse_patch(whole_patch(stage)))
    ]
    return _unless_same(write_patch(made), stage)


def _doubled(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if line == "+":
            yield line


def _split(stage: TaskStage) -> str | None:
    """Return the change cut into as many hunks as can be."""
    made = [
        part.with_hunks(piece for hunk in part.hunks for piece in split_hunk(hunk))
        for part in parse_patch(whole_patch(stage))
    ]
    return _unless_same(write_patch(made), stage)


def _unless_same(patch: str, stage: TaskStage) -> str | None:
    return None if patch == write_patch(parse_patch(whole_patch(stage))) else patch


def _half(stage: TaskStage) -> str | None:
    """Return the first half of the change: of its files, else of its hunks, else of its lines."""
    parts = parse_patch(stage.patch)
    if len(parts) > 1:
        return write_patch(parts[: len(parts) // 2])
    pieces = [piece for hunk in parts[0].hunks for piece in split_hunk(hunk)]
    if len(pieces) > 1:
        return write_patch([parts[0].with_hunks(pieces[: len(pieces) // 2])])
    added = sum(hunk.count("+") for hunk in pieces)
    if added < 2 or any(line[:1] == "\\" for hunk in pieces for line in hunk.lines):
        return None
    kept = _first_added(pieces[0].lines, added // 2)
    return write_patch([parts[0].with_hunks([replace(pieces[0], lines=tuple(kept))])])


def _first_added(lines: Sequence[str], count: int) -> Iterator[str]:
    for line in lines:
        if line[:1] == "+":
            count -= 1
            if count < 0:
                continue
        yield line


def _comments_only(stage: TaskStage) -> str | None:
    """Return a patch that says in comments, where the change is, what was asked for."""
    words = " ".join(stage.query.split())[:80]
    parts = [
        part
        for part in parse_patch(stage.patch)
        if part.hunks and not part.is_gone and not part.is_submodule
    ]
    made = [
        part.with_hunks([_commented(part.hunks[0], f"+{_comment_mark(part.path)} {words}")])
        for part in parts
        if not any(line.startswith(("rename ", "copy ")) for line in part.heading)
    ]
    return write_patch(made) if made else None


def _commented(hunk: Hunk, comment: str) -> Hunk:
    lines: list[str] = []
    for changed, run in hunk.runs:
        if changed and comment not in lines:
            lines.append(comment)
        # What was to go stays; what was to come does not.
        lines += [f" {line[1:]}" if line[:1] == "-" else line for line in run if line[:1] in "- "]
    return replace(hunk, lines=tuple(lines))


def _comment_mark(path: str) -> str:
    suffix = path.rpartition(".")[2].lower()
    return "//" if suffix in _SLASHES else "--" if suffix in _DASHES else "#"


def _tests_deleted(stage: TaskStage) -> str | None:
    """Return the change with the tests around it taken out instead of mended."""
    parts = [part for part in parse_patch(stage.test_patch) if not part.is_new]
    emptied = [_emptied(part) for part in parts if part.hunks and not part.is_gone]
    made = [part for part in emptied if part.hunks]
    return stage.patch + write_patch(made) if made else None


def _emptied(part: FilePart) -> FilePart:
    return part.with_hunks(
        replace(hunk, lines=tuple(_removed([line for line in hunk.lines if line[:1] in "- "])))
        for hunk in part.hunks
        if not any(line[:1] == "\\" for line in hunk.lines)
    )


def _removed(old: Sequence[str]) -> Iterator[str]:
    """Yield old lines as removed ones, but for a line of context at either end: git asks for it."""
    for number, line in enumerate(old):
        is_edge = number in (0, len(old) - 1) and line[:1] == " "
        yield line if is_edge else f"-{line[1:]}"


_Make = Callable[[TaskStage], str | None]
_GOOD: dict[str, _Make] = {"true": whole_patch, "reformatted": _reformatted, "split": _split}
_BAD: dict[str, _Make] = {
    "empty": lambda _: "",
    "half": _half,
    "comments-only": _comments_only,
    "tests-deleted": _tests_deleted,
}
KINDS: dict[str, bool] = {
    **dict.fromkeys(_GOOD, True),
    **dict.fromkeys((*_BAD, "other-pull"), False),
}
"""Every kind of case, and whether it must be taken."""
