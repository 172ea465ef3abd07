"""Pull requests read again, one at a time, when their texts or changes are needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from davinci_agency.chain.lines import ChangedLines, changed_lines
from davinci_agency.chain.nodes import Node
from davinci_agency.jsonl import RecordFiles
from davinci_agency.records import PullRequest

_HELD = 256
"""Pull requests whose lines are held, since neighbours are asked for again and again."""


class Reader:
    """Gives the records and the changed lines of nodes."""

    def __init__(self, records: RecordFiles[PullRequest]) -> None:
        self._records = records
        self._lines = lru_cache(_HELD)(self._read_lines)

    def pull(self, node: Node) -> PullRequest:
        """Return the record of a node."""
        return self._records.read(node.place)

    def lines(self, node: Node) -> Mapping[str, ChangedLines]:
        """Return the lines that a pull request changes, by file."""
        return self._lines(node.place)

    def _read_lines(self, place: int) -> Mapping[str, ChangedLines]:
        pull = self._records.read(place)
        return changed_lines(pull.patch, pull.test_patch)
