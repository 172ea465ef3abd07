"""The table of trajectory formats, and which of them a value has; pure.

A trajectory is a *document* (a file that is one JSON value), a *line* of JSON Lines, a *session* (a
file of JSON Lines as a whole), a *folder* of JSON files, or a *row* of a Parquet table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from davinci_agency.records import SourceFormat
from davinci_agency.trajectories import (
    atif,
    claude_code,
    codex,
    gemini_cli,
    mini_swe_agent,
    openai_messages,
    openhands,
    openhands_messages,
    openhands_sdk,
    pi,
    sharegpt,
    sii_cli,
    sii_sdk,
    swe_agent,
)
from davinci_agency.trajectories.rollout import Conversation

Unit = Literal["document", "line", "session", "folder", "row"]


@dataclass(frozen=True, slots=True)
class Format:
    """One layout of one format.

    Attributes:
        name: the format.
        unit: what one trajectory is.
        fits: tells whether a value looks like it; never raises.
        read: makes a conversation of it; raises `TrajectoryError` if it is bad.
    """

    name: SourceFormat
    unit: Unit
    fits: Callable[[Any], bool]
    read: Callable[[Any], Conversation]


FORMATS: tuple[Format, ...] = (
    Format("mini-swe-agent", "document", mini_swe_agent.fits, mini_swe_agent.read),
    Format("atif", "document", atif.fits, atif.read),
    Format("claude-code", "session", claude_code.fits, claude_code.read),
    Format("codex", "session", codex.fits, codex.read),
    Format("gemini-cli", "session", gemini_cli.fits, gemini_cli.read),
    Format("gemini-cli", "document", gemini_cli.fits, gemini_cli.read),
    Format("pi", "session", pi.fits, pi.read),
    Format("openhands", "folder", openhands_sdk.fits, openhands_sdk.read),
    Format("openhands", "folder", openhands.fits_names, openhands.read_files),
    Format(
        "openhands",
        "folder",
        openhands_messages.fits_completion_names,
        openhands_messages.read_completion_files,
    ),
    Format("openhands", "document", openhands.fits, openhands.read),
    Format(
        "openhands",
        "document",
        openhands_messages.fits_completion,
        openhands_messages.read_completion,
    ),
    Format("openhands", "line", openhands.fits, openhands.read),
    Format("openhands", "line", openhands_messages.fits_row, openhands_messages.read_row),
    Format("openhands", "row", openhands_messages.fits_row, openhands_messages.read_row),
    Format("sii-cli", "document", sii_cli.fits, sii_cli.read),
    Format("sii-sdk", "document", sii_sdk.fits, sii_sdk.read),
    Format("sii-sdk", "session", sii_sdk.fits, sii_sdk.read),
    Format("swe-agent", "document", swe_agent.fits, swe_agent.read),
    Format("sharegpt", "line", sharegpt.fits, sharegpt.read),
    Format("sharegpt", "document", sharegpt.fits, sharegpt.read),
    Format("sharegpt", "row", sharegpt.fits, sharegpt.read),
    Format("openai-messages", "line", openai_messages.fits, openai_messages.read),
    Format("openai-messages", "document", openai_messages.fits, openai_messages.read),
    Format("openai-messages", "row", openai_messages.fits, openai_messages.read),
)


def recognise(value: Any, unit: Unit, name: SourceFormat | None = None) -> Format | None:
    """Return the format that a value has; of one name only, if there is one; ``None`` if none fits.

    A name alone is believed even where the value looks like nothing: its reader says what is wrong.
    """
    candidates = list(_with(unit, name))
    fitting = next((each for each in candidates if each.fits(value)), None)
    return fitting or (candidates[0] if name and candidates else None)


def _with(unit: Unit, name: SourceFormat | None) -> Iterator[Format]:
    return (each for each in FORMATS if each.unit == unit and name in (None, each.name))
