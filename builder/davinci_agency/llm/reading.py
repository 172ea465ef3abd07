"""A model's words as a value of a type; pure."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

T = TypeVar("T")

_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


def read_json(words: str, kind: type[T]) -> T | None:
    """Return a model's words as a type, also from within a fence; ``None`` if they are none.

    >>> read_json(' {"a": 1} ', dict[str, int])
    {'a': 1}
    """
    fenced = _FENCED.fullmatch(words)
    try:
        return msgspec.json.decode(fenced[1] if fenced else words, type=kind)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
