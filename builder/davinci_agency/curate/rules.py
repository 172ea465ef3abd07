"""Every rule of curation by name: what it looks at, what it takes out, in the order of speaking.

A record goes by the first rule that it breaks. A rule can be switched off, or only mark what breaks
it; `Choice` says which rules do what.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from davinci_agency.errors import CommandError
from davinci_agency.records import RecordName

Action = Literal["drop", "mark", "off"]

_PULL: RecordName = "pull-request"
_TASK: RecordName = "task"
_ATTEMPT: RecordName = "attempt"
_ALL = (_PULL, _TASK, _ATTEMPT)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: what receipts call it.
        records: what it looks at.
        text: what it takes out.
    """

    name: str
    records: tuple[RecordName, ...]
    text: str


RULES: tuple[Rule, ...] = (
    Rule("opted-out", (_PULL,), "work of authors who want no part in it"),
    Rule("license-not-allowed", _ALL, "code under a licence that is not allowed"),
    Rule("in-benchmark", (_PULL, _TASK), "what stands in a benchmark, by number or patch"),
    Rule("benchmark-text", (_PULL, _TASK), "runs of 13 words that stand in a benchmark's texts"),
    Rule("secrets", _ALL, "keys and passwords are replaced; what can't do without goes"),
    Rule("people", _ALL, "e-mail addresses and names of home directories likewise"),
    Rule("pull-left-out", (_TASK,), "tasks with a pull request that another rule took out"),
    Rule("task-left-out", (_ATTEMPT,), "attempts at tasks that another rule took out"),
    Rule("broken-conversation", (_ATTEMPT,), "calls not answered once and in order, unknown roles"),
    Rule("empty-run", (_ATTEMPT,), "runs without any call of a tool and without a patch"),
    Rule("truncated", (_ATTEMPT,), "runs that were cut off, or lack stages"),
    Rule("looping", (_ATTEMPT,), "the same calls over and over"),
    Rule("peeking", (_ATTEMPT,), "commands that read the future or the answer"),
    Rule("patch-not-from-messages", (_ATTEMPT,), "patches that the messages did not produce"),
    Rule("below-score", (_ATTEMPT,), "a score below --min-score"),
    Rule("too-many-refinements", (_ATTEMPT,), "more refinements than --max-refinements"),
    Rule("over-context", (_ATTEMPT,), "more tokens than --max-tokens"),
    Rule("backport", (_PULL, _TASK), "copies of an earlier change, by patch-id"),
    Rule("exact-duplicate", (_TASK, _ATTEMPT), "the same content under another name"),
    Rule("differs-in-noise", (_ATTEMPT,), "attempts that differ in times and temporary paths only"),
    Rule("near-duplicate", _ALL, "nearly the same words as a better record"),
    Rule("contained", (_ATTEMPT,), "runs that are a part of another one"),
    Rule("overlapping-chain", (_TASK,), "chains that share half of their stages with a better one"),
    Rule("joins-splits", (_PULL, _TASK), "new records that would join two splits"),
)  # fmt: skip
"""All rules, in the order in which they speak."""

NAMES = tuple(rule.name for rule in RULES)
_ALWAYS = frozenset({"pull-left-out", "task-left-out", "joins-splits"})
"""They follow from what others did: without them a release would not hold together."""
_REPLACING = frozenset({"secrets", "people"})


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rules are on, and which of these only mark."""

    on: frozenset[str]
    marking: frozenset[str]

    def drops(self, rule: str) -> bool:
        """Tell whether a record that breaks a rule goes."""
        return rule in self.on and rule not in self.marking


def choose(only: Iterable[str] = (), off: Iterable[str] = (), mark: Iterable[str] = ()) -> Choice:
    """Return which rules are on: all, or ``only`` some, without those that are ``off``.

    Raises `CommandError` if there is no such rule, or it can't be switched.
    """
    only, off, mark = frozenset(only), frozenset(off), frozenset(mark)
    for name in sorted(only | off | mark):
        if name not in NAMES:
            raise CommandError(
                f"There is no rule {name!r}; davinci-agency curate rules lists them."
            )
    for name in sorted((off | mark) & _ALWAYS):
        raise CommandError(f"{name} follows from other rules; switch those instead.")
    for name in sorted(mark & _REPLACING):
        raise CommandError(f"{name} replaces what it finds and marks nothing; switch it off.")
    on = (only or frozenset(NAMES)) - off | _ALWAYS
    return Choice(on, mark & on)
