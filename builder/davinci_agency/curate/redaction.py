"""Secrets and personal data in a record, replaced by placeholders; pure.

Equal values become equal placeholders within a record, wherever they stand in it, so that a
trajectory stays coherent: what was printed is what is used later. What a patch must find in the
repository can't be replaced; `Redacted.broken` tells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from davinci_agency.ids import login_id
from davinci_agency.secrets import Secret, find_secrets
from davinci_agency.secrets.rule import Kind
from davinci_agency.texts import Texts, with_strings

T = TypeVar("T")

_PATCHES = frozenset({"patch", "test_patch", "model_patch"})
_PLACEHOLDER = re.compile(rb"<[A-Z][A-Z0-9_]{0,60}>")
_MOST_ROUNDS = 12
_LEAST = 8
"""Characters of a value that is replaced wherever it stands; shorter ones may be other words."""
_MENTION = re.compile(
    r"(?<![\w@/.`-])@(?!user-[0-9a-f]{8}\b)([A-Za-z\d](?:-?[A-Za-z\d]){0,38})(?![\w/.-])"
)


@dataclass(frozen=True, slots=True)
class Redacted(Generic[T]):
    """A record without its secrets.

    Attributes:
        record: the record; the same object if nothing was found.
        texts: its strings.
        counts: replaced values by rule.
        broken: a secret that a patch can't do without, if there is one.
        last: the last one that was replaced; ``None`` if none was.
    """

    record: T
    texts: Texts
    counts: Mapping[str, int]
    broken: Secret | None
    last: Secret | None


def redact(record: T, gather: Callable[[T], Texts], kinds: frozenset[Kind]) -> Redacted[T]:
    """Return a record without secrets of some kinds; ``gather`` gives its strings.

    What is replaced may leave bare what it was grown together with, so it is looked again until
    nothing is found; where that takes too long, the last one counts as one that can't be replaced.
    """
    counts: Counter[str] = Counter()
    broken: Secret | None = None
    last: Secret | None = None
    texts = gather(record)
    for _ in range(_MOST_ROUNDS):
        found = [secret for secret in find_secrets(texts.buffer) if secret.kind in kinds]
        if not found:
            return Redacted(record, texts, counts, broken, last)
        last = found[-1]
        values = _values(texts, found)
        counts.update(secret.rule for secret in values.values())
        changed = _changed_strings(texts, found, _placeholders(values, texts), values)
        broken = broken or _broken(record, changed, values)
        record = with_strings(record, partial(_changed_to, changed))
        texts = gather(record)
    return Redacted(record, texts, counts, broken or last, last)


def _changed_to(changed: Mapping[str, str], text: str) -> str:
    return changed.get(text, text)


def _is_told(value: str, secret: Secret) -> bool:
    """Tell whether a value is the secret wherever it stands; without a digit it may be a word."""
    has_digit = any(char.isdigit() for char in value)
    return len(value) >= _LEAST and has_digit and secret.kind == "secret"


def _values(texts: Texts, found: Sequence[Secret]) -> dict[str, Secret]:
    """Return the first secret of every value, in the order of appearance."""
    values: dict[str, Secret] = {}
    for secret in found:
        for _, start, end in texts.places([(secret.start, secret.end)]):
            # Cut from the buffer's end of it: what lies in a key is none of the value.
            value = texts.buffer[secret.end - (end - start) : secret.end]
            values.setdefault(value.decode(), secret)
    return values


def _placeholders(values: Mapping[str, Secret], texts: Texts) -> dict[str, str]:
    """Return a placeholder for each value; none that stands in the texts already."""
    taken = set(_PLACEHOLDER.findall(texts.buffer))
    numbers: dict[str, int] = {}
    names: dict[str, str] = {}
    for value, secret in values.items():
        kind = secret.rule.upper().replace("-", "_")
        while True:
            numbers[kind] = numbers.get(kind, 0) + 1
            name = f"<{kind}_{numbers[kind]}>"
            if name.encode() not in taken:
                break
        names[value] = name
    return names


def _changed_strings(
    texts: Texts,
    found: Sequence[Secret],
    names: Mapping[str, str],
    values: Mapping[str, Secret],
) -> dict[str, str]:
    """Return every string that holds a value, with its placeholder instead."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for number, start, end in texts.places((secret.start, secret.end) for secret in found):
        spans.setdefault(number, []).append((start, end))
    told: dict[int, dict[str, str]] = {}
    for value in values:
        if _is_told(value, values[value]):
            for number in _parts_with(value, texts):
                told.setdefault(number, {})[value] = names[value]
    changed: dict[str, str] = {}
    for number in sorted(spans.keys() | told.keys()):
        old = texts.string(number)
        changed[old] = _without(old, spans.get(number, ()), names, told.get(number, {}))
    return changed


def _parts_with(value: str, texts: Texts) -> Iterator[int]:
    """Yield the parts that hold a value."""
    raw, at = value.encode(), -1
    while (at := texts.buffer.find(raw, at + 1)) >= 0:
        yield from texts.parts_at([at])


def _without(
    text: str,
    spans: Iterable[tuple[int, int]],
    names: Mapping[str, str],
    everywhere: Mapping[str, str],
) -> str:
    raw, pieces, last = text.encode(), [], 0
    for start, end in spans:
        pieces += [raw[last:start].decode(), names[raw[start:end].decode()]]
        last = end
    new = "".join([*pieces, raw[last:].decode()])
    # Longest first: one value may be a part of another.
    for value in sorted(everywhere, key=lambda value: (-len(value), value)):
        new = new.replace(value, everywhere[value])
    return new


def _broken(record: Any, changed: Mapping[str, str], values: Mapping[str, Secret]) -> Secret | None:
    """Return a secret that stands where a patch must match the repository."""
    for old in _patches(record):
        if old in changed and not _still_applies(old, changed[old]):
            return next(secret for value, secret in values.items() if value in old)
    return None


def _patches(value: Any) -> Iterator[str]:
    """Yield every patch in a record."""
    if isinstance(value, tuple):
        for item in value:
            yield from _patches(item)
    elif is_dataclass(value):
        for field in fields(value):
            inner = getattr(value, field.name)
            if field.name in _PATCHES and isinstance(inner, str):
                yield inner
            else:
                yield from _patches(inner)


def _still_applies(old: str, new: str) -> bool:
    """Tell whether only added lines of a patch were changed."""
    pairs = list(zip(old.split("\n"), new.split("\n"), strict=False))
    in_hunk = False
    for before, after in pairs:
        if before.startswith(("diff --git ", "@@ ")):
            in_hunk = before.startswith("@@ ")
        if before != after and not (in_hunk and before.startswith("+")):
            return False
    return old.count("\n") == new.count("\n")


def without_logins(text: str) -> str:
    """Return prose in which accounts that it mentions are pseudonyms.

    >>> without_logins("Thanks @octocat, see #7")
    'Thanks @user-88323fe9, see #7'
    """
    if "@" not in text:
        return text
    return _MENTION.sub(lambda match: f"@user-{login_id(match[1])[:8]}", text)
