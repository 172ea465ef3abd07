"""What OpenHands' readers share: tools, patches, and what a terminal said; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from davinci_agency.records import JsonObject
from davinci_agency.trajectories.assembling import Turns
from davinci_agency.trajectories.rollout import TrajectoryError, without_nulls


def terminal_text(printed: str, about: Any) -> str:
    """Return what a command printed as the model was shown it: with where and how it ended.

    OpenHands keeps these facts beside the text and puts them behind it when it asks the model.
    """
    facts = mapping(about)
    shown = f"{text(facts.get('prefix')) or ''}{printed}{text(facts.get('suffix')) or ''}"
    if folder := text(facts.get("working_dir")):
        shown += f"\n[Current working directory: {folder}]"
    if python := text(facts.get("py_interpreter_path")):
        shown += f"\n[Python interpreter: {python}]"
    code = facts.get("exit_code")
    if isinstance(code, int) and not isinstance(code, bool) and code != -1:
        shown += f"\n[Command finished with exit code {code}]"
    return shown


def tools_of(value: Any, turns: Turns) -> tuple[JsonObject, ...]:
    """Return tools as OpenAI has them, be they JSON as text; others have no schema and are counted.

    Raises `TrajectoryError` if the text is no JSON.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value or "[]")
        except orjson.JSONDecodeError as error:
            raise TrajectoryError("$.tools", "the tools are no JSON") from error
    given = without_nulls(value) if isinstance(value, list) else []
    plain = [
        tool for tool in given if isinstance(tool, dict) and isinstance(tool.get("function"), dict)
    ]
    turns.lost["schemas of tools, which the format does not hold"] += len(given) - len(plain)
    return tuple(plain)


def patch_of(value: Any) -> str:
    """Return a git patch; the empty string if it is none."""
    return value if isinstance(value, str) and value.startswith("diff --git ") else ""


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object; an empty one instead of anything else."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str | None:
    """Return a text; ``None`` instead of anything else."""
    return value if isinstance(value, str) else None


def truth(value: Any) -> bool | None:
    """Return whether a number or a truth value says yes; ``None`` if it is neither."""
    return bool(value) if isinstance(value, (bool, int, float)) else None
