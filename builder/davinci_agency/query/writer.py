"""What a writer of queries is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from davinci_agency.leaks import Secrets
from davinci_agency.records import ChainStage, QueryWriter


@dataclass(frozen=True, slots=True)
class Written:
    """The queries of a chain, one for each stage, and who wrote them."""

    queries: tuple[str, ...]
    writer: QueryWriter


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a chain has no queries: the rule, the reason, and a measure if there is one."""

    rule: str
    reason: str
    measure: float | None = None


class Writer(Protocol):
    """Somebody who writes queries: an extract of the author's words, or a model."""

    def write(self, stages: Sequence[ChainStage], secrets: Secrets) -> Written | Refused:
        """Return one query for each stage, none of which gives away the secrets, or why not."""
