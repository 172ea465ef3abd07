"""How good a chain is, by its texts and changes; pure.

Every share is an overlap coefficient, |A and B| / min(|A|, |B|): a small repair of a large feature
is as much about it as two of one size are about each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from statistics import fmean

from davinci_agency.chain.lines import ChangedLines
from davinci_agency.records import ChainScores, Edge, PullRequest

_WORD = re.compile(r"[^\W\d_]{3,40}")
_NAME = re.compile(r"[^\W\d]\w{3,80}")
_HEAD = 1_000
"""Characters of a description that tell what it is about; what follows is often a log."""
_COMMON_WORDS = """
the and for with that this from not are was were has have had will would can could should may but
its it's into when where which then than also all any some use used uses using only now new add
adds added fix fixes fixed bug enh doc maint tst api pull request see close closes
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_DIGITS = 3


def score_chain(
    pulls: Sequence[PullRequest],
    lines: Sequence[Mapping[str, ChangedLines]],
    edges: Sequence[Edge],
) -> ChainScores:
    """Return the scores of a chain's members, in order, with the lines that they change."""
    place = {pull.number: place for place, pull in enumerate(pulls)}
    ties = [(place[edge.source], place[edge.target]) for edge in edges]

    def share(sets: Iterable[frozenset[str]]) -> float | None:
        if not ties:
            return None
        held = list(sets)
        return round(
            fmean(_overlap(held[later], held[earlier]) for later, earlier in ties), _DIGITS
        )

    strength = _strength(edges)
    topic = share(_words(f"{pull.title}\n{pull.body[:_HEAD]}") for pull in pulls)
    files = share(frozenset(file.path for file in pull.files) for pull in pulls)
    symbols = share(_names(changed.values()) for changed in lines)
    parts = [part for part in (strength, topic, files, symbols) if part is not None]
    return ChainScores(
        overall=round(fmean(parts), _DIGITS) if parts else None,
        edge_strength=strength,
        topic_consistency=topic,
        file_overlap=files,
        symbol_overlap=symbols,
        span_days=round((pulls[-1].merged_at - pulls[0].merged_at) / timedelta(days=1), 1),
        authors=len({pull.author_id for pull in pulls}),
        lines=sum(pull.additions + pull.deletions for pull in pulls),
    )


def _strength(edges: Sequence[Edge]) -> float | None:
    """Return the confidence of the weakest link: each member's best tie counts."""
    best: dict[int, float] = {}
    for edge in edges:
        best[edge.source] = max(best.get(edge.source, 0.0), edge.confidence)
    return min(best.values(), default=None)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(_found(_WORD.findall, [text.lower()])) - _COMMON


def _names(changes: Iterable[ChangedLines]) -> frozenset[str]:
    return _found(_NAME.findall, (line for c in changes for line in (*c.added, *c.taken)))


def _found(find: Callable[[str], list[str]], texts: Iterable[str]) -> frozenset[str]:
    return frozenset(name for text in texts for name in find(text))
