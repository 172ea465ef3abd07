"""A row of a config, cut short so that a person sees what it is; pure."""

from __future__ import annotations

import json
import re
from typing import Any

_TEXT = 100
_ITEMS = 2
_KEYS = 40
"""Characters of a text, items of a list and keys of an object that are shown."""
_UNSEEN = re.compile(r"[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Characters that are not seen, or change the order of those that are."""
_TICKS = re.compile(r"`+")


def excerpt(row: dict[str, Any]) -> str:
    """Return a row as a block of JSON in Markdown, with long texts and lists cut short.

    The fence is longer than any that the row holds, so that nothing gets out of it.
    """
    text = json.dumps(_cut(row), indent=2, ensure_ascii=False)
    text = _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    # A lone surrogate is no UTF-8.
    text = text.encode(errors="backslashreplace").decode()
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in _TICKS.findall(text)), 3)
    return f"{fence}json\n{text}\n{fence}"


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _TEXT:
        return f"{value[:_TEXT]}… ({len(value):,} characters)"
    if isinstance(value, list):
        more = len(value) - _ITEMS
        shown = [_cut(item) for item in value[:_ITEMS]]
        return shown if more <= 0 else [*shown, f"… and {more:,} more"]
    if isinstance(value, dict):
        return {key[:_TEXT]: _cut(value[key]) for key in list(value)[:_KEYS]}
    return value
