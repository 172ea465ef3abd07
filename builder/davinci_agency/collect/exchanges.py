"""The answers of a model that were paid for, kept in a folder, so that none is paid for twice.

After a kill a session begins anew, and its n-th question is answered from the n-th file, if it is
the same question but for what differs between two runs of one command: words with digits in them,
such as times, process numbers, addresses and temporary names. At the first other question the rest
is set aside, and still counts as paid.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import orjson

from davinci_agency.collect.budget import Usage
from davinci_agency.files import atomic_file

_WORD = re.compile(rb"[0-9A-Za-z_]+")
_DIGIT = re.compile(rb"[0-9]")


class Exchange(msgspec.Struct, frozen=True):
    """One answer.

    Attributes:
        question: the digest of the question, words with digits left out.
        content_type, body: what was answered.
        usage: what it took.
    """

    question: str
    content_type: str
    body: bytes
    usage: Usage


@dataclass(slots=True)
class Exchanges:
    """The answers of one session, in order.

    Attributes:
        folder: where they are kept.
        paid: what all of them took, those set aside too.
    """

    folder: Path
    paid: Usage
    _kept: list[Exchange]
    _next: int = 0

    @classmethod
    def open(cls, folder: Path) -> Exchanges:
        """Read what a folder holds; there may be none."""
        kept = [_read(path) for path in sorted(folder.glob("*.msgpack"))]
        aside = [_read(path) for path in sorted(folder.glob("*.unused"))]
        paid = sum((exchange.usage for exchange in [*kept, *aside]), Usage())
        return cls(folder, paid, kept)

    def replayed(self, question: bytes) -> Exchange | None:
        """Return the answer to the next question, if it was paid for already."""
        if self._next >= len(self._kept):
            return None
        exchange = self._kept[self._next]
        if exchange.question == digest(question):
            self._next += 1
            return exchange
        for place in range(self._next, len(self._kept)):
            path = self._path(place)
            path.rename(path.with_name(f"{path.stem}.{exchange.question[:12]}.unused"))
        del self._kept[self._next :]
        return None

    def keep(self, question: bytes, content_type: str, body: bytes, usage: Usage) -> Exchange:
        """Keep a new answer; it is on the disk when this returns."""
        exchange = Exchange(digest(question), content_type, body, usage)
        with atomic_file(self._path(self._next)) as file:
            file.write(msgspec.msgpack.encode(exchange))
        self._kept.append(exchange)
        self._next += 1
        self.paid = self.paid + usage
        return exchange

    def _path(self, place: int) -> Path:
        return self.folder / f"{place:06d}.msgpack"


def digest(question: bytes) -> str:
    """Return what two questions share that differ in nothing but words with digits."""
    without = _WORD.sub(lambda match: b"0" if _DIGIT.search(match[0]) else match[0], question)
    return hashlib.sha256(without).hexdigest()


def usage_in(body: bytes, content_type: str) -> Any:
    """Return the ``usage`` that an answer tells, of a stream the last; ``None`` if it tells none.

    Raises `ValueError` if the answer is cut or no JSON.
    """
    if not content_type.startswith("text/event-stream"):
        answer = orjson.loads(body)
        return answer.get("usage") if isinstance(answer, Mapping) else None
    told: Any = None
    is_done = False
    for line in body.split(b"\n"):
        data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
        if data == b"[DONE]":
            is_done = True
        elif data:
            event = orjson.loads(data)
            told = event.get("usage") or told if isinstance(event, Mapping) else told
    if not is_done:
        raise ValueError("the stream was cut")
    return told


def _read(path: Path) -> Exchange:
    return msgspec.msgpack.decode(path.read_bytes(), type=Exchange)
