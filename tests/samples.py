"""Small valid records for tests, made from the schemas' own examples."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from davinci_agency.schema import load_schema


def example(record: str, **changes: Any) -> dict[str, Any]:
    """Return a record's own example in JSON's types, with some properties changed."""
    value = copy.deepcopy(load_schema(record).document["examples"][0])
    assert set(changes) <= set(value)
    return {**value, **changes}


def task(task_id: str, stages: int = 1, kind: str = "single-pr") -> dict[str, Any]:
    """Return a task of so many stages."""
    whole = example("task", task_id=task_id, kind=kind)
    return {
        **whole,
        "stages": [{**whole["stages"][0], "number": number + 1} for number in range(stages)],
    }


def attempt(attempt_id: str, task_id: str, **changes: Any) -> dict[str, Any]:
    """Return an accepted attempt at a task of one stage; stages say no more than they are given."""
    messages = [{"role": "user", "content": "Do it."}, {"role": "assistant", "content": "Done."}]
    values = {
        "attempt_id": attempt_id,
        "task_id": task_id,
        "messages": messages,
        "score": 1.0,
        "judge": {"name": "unittest", "rationale": None},
        "resolved": True,
        "not_carried": [],
        **changes,
    }
    made = example("attempt", **values)
    unsaid: dict[str, Any] = {"score": None, "start_tree": None, "rounds": []}
    given = changes.get("stages", [{**stage, **unsaid} for stage in made["stages"]])
    made["stages"] = [unsaid | stage for stage in given]
    return made


def write_lines(path: Path, values: Iterable[Any]) -> Path:
    """Write values as JSON Lines, and return the path."""
    with path.open("wb") as file:
        file.writelines(orjson.dumps(value) + b"\n" for value in values)
    return path


def read_lines(path: Path) -> list[Any]:
    """Return the values of a file of JSON Lines."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
