"""The account of a curation: what came in, what each rule took out of which repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from davinci_agency.curate.register import Register
from davinci_agency.curate.rules import NAMES, RULES, Choice
from davinci_agency.files import atomic_file
from davinci_agency.records import Attempt, PullRequest, RecordName, Task

CURATION = "curation.json"
"""The account's file, by which a folder of curated records is known."""

_RECORDS: tuple[RecordName, ...] = (PullRequest.RECORD, Task.RECORD, Attempt.RECORD)
_ORDER = {rule.name: place for place, rule in enumerate(RULES)}


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the records; for each kind, in = out + removed + quarantined.

    Attributes:
        kept: how many of each kind stay, by repository.
        removed: how many of each kind went by each rule, by repository.
        marked: how many of each kind were marked by each rule.
        replaced: how many values of each kind of secret were replaced.
        quarantined: how many records could not be used.
    """

    kept: Counter[tuple[str, RecordName]]
    removed: Counter[tuple[str, RecordName, str]]
    marked: Counter[tuple[RecordName, str]]
    replaced: Counter[str]
    quarantined: int

    @classmethod
    def of(cls, register: Register, quarantined: int) -> Account:
        """Return the account of what was decided."""
        kept = register.rows(
            "SELECT repo, record, count(*) FROM staying GROUP BY repo, record ORDER BY repo, record"
        )
        removed = register.rows(
            "SELECT repo, record, rule, count(*) FROM record JOIN struck USING (id)"
            " GROUP BY repo, record, rule UNION ALL"
            " SELECT coalesce(repo, 'unknown'), copy.record, 'exact-copy', count(*)"
            " FROM copy LEFT JOIN record USING (record, key) GROUP BY repo, copy.record"
        )
        marked = register.rows(
            "SELECT record, rule, count(*) FROM staying JOIN mark USING (id) GROUP BY record, rule"
        )
        return cls(
            Counter({(repo, record): count for repo, record, count in kept}),
            Counter({(repo, record, rule): count for repo, record, rule, count in removed}),
            Counter({(record, rule): count for record, rule, count in marked}),
            register.replaced,
            quarantined,
        )

    def funnel(self) -> dict[str, int]:
        """Return how many there were on the way, kind by kind, in the order of the rules."""
        steps: dict[str, int] = {}
        for record in _RECORDS:
            left = sum(count for (_, kind), count in self.kept.items() if kind == record)
            rules = self._rules(record)
            left += sum(rules.values())
            steps[f"{record}s in"] = left
            for rule, count in rules.items():
                steps[f"  {record}: {rule}"] = -count
                left -= count
            steps[f"{record}s out"] = left
        return steps

    def _rules(self, record: RecordName) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for (_, kind, rule), count in self.removed.items():
            if kind == record:
                counts[rule] += count
        return dict(sorted(counts.items(), key=lambda item: _ORDER.get(item[0], -1)))

    def to_json(self) -> dict[str, Any]:
        """Return the account in JSON's types."""
        repos = sorted({repo for repo, *_ in (*self.kept, *self.removed)})
        return {
            "repositories": {repo: self._repository(repo) for repo in repos},
            "marked": _nested(self.marked),
            "replaced": dict(sorted(self.replaced.items())),
            "quarantined": self.quarantined,
        }

    def _repository(self, repo: str) -> dict[str, Any]:
        account: dict[str, Any] = {}
        for record in _RECORDS:
            out = self.kept[repo, record]
            removed = {
                rule: count
                for (name, kind, rule), count in sorted(self.removed.items())
                if (name, kind) == (repo, record)
            }
            if out or removed:
                account[record] = {
                    "in": out + sum(removed.values()),
                    "out": out,
                    "removed": removed,
                }
        return account


def _nested(counts: Mapping[tuple[RecordName, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (record, rule), count in sorted(counts.items()):
        nested.setdefault(record, {})[rule] = count
    return nested


def write_account(folder: Path, account: Account, choice: Choice) -> None:
    """Write the account of a curation, and which rules were on."""
    rules = {
        "on": [name for name in NAMES if choice.drops(name)],
        "marking": [name for name in NAMES if name in choice.marking],
        "off": [name for name in NAMES if name not in choice.on],
    }
    value = {**account.to_json(), "rules": rules}
    with atomic_file(folder / CURATION) as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read_account(folder: Path) -> dict[str, Any]:
    """Return the account of a folder of curated records."""
    account: dict[str, Any] = orjson.loads((folder / CURATION).read_bytes())
    return account
