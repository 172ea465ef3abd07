"""How fast and how right is the search for near duplicates, beside rensa and datasketch?

One run on the same texts, seeded attempts with known copies: CPU seconds from a text's bytes to the
pairs, the join included, the extraction of the text from JSON not. The peers get the set of a
text's words, which finds scattered edits where their usual 5-grams don't, and the same least
Jaccard similarity; rensa's signatures are compared each with each, datasketch's and rensa's own
LSH look theirs up. Recall is the share of planted copies (exact and edited) that were found;
precision the share of what was found that are copies of the same attempt.

The thresholds in `curate/neighbours.py` were chosen on seed 1. Install the peers beside the
project: ``pip install rensa datasketch``.

    python -m tests.benchmarks.near_duplicates [--rows 600] [--seed 2]
"""

from __future__ import annotations

import argparse
import importlib
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
from tests.benchmarks.corpus import (
    Label,
    contained_pairs,
    duplicate_pairs,
    related_pairs,
    rows,
    said,
)

from davinci_agency.curate.neighbours import NEAR_WORDS, Pair, similar
from davinci_agency.curate.sketches import Sketch, sketch
from davinci_agency.curate.words import word_hashes

Texts = Mapping[str, bytes]
Found = set[tuple[str, str]]

PERMUTATIONS = 128
WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Ours:
    """What was found: names, of equal texts together, the pairs between their firsts, the bytes."""

    equal: list[list[str]]
    pairs: list[Pair]
    nbytes: int


def ours(texts: Texts) -> Ours:
    """Sketch, bring equal texts together, and join the rest."""
    held = 0
    equal: dict[tuple[object, ...], list[str]] = {}
    distinct: list[Sketch] = []
    for name, text in texts.items():
        one = sketch(word_hashes(text))
        held += one.nbytes
        samples = (one.words, one.pairs)
        names = equal.setdefault(tuple((s.rate, s.values.tobytes()) for s in samples), [])
        if not names:
            distinct.append(one)
        names.append(name)
    with tempfile.TemporaryDirectory() as folder:
        return Ours(list(equal.values()), list(similar(distinct, Path(folder))), held)


def by_rensa(texts: Texts) -> Found:
    """C-MinHash in rensa's fastest form, signatures compared each with each in numpy."""
    rensa = importlib.import_module("rensa")
    words = [set(WORD.findall(text)) for text in texts.values()]
    digests = np.array(rensa.CMinHash.digests64_from_token_sets(words, PERMUTATIONS, 42))
    names, found = list(texts), set()
    for place, one in enumerate(digests):
        shares = (digests[place + 1 :] == one).mean(axis=1)
        for other in np.flatnonzero(shares >= NEAR_WORDS):
            found.add(_ordered(names[place], names[place + 1 + int(other)]))
    return found


def by_rensa_lsh(texts: Texts) -> Found:
    """R-MinHash and LSH, both rensa's."""
    rensa = importlib.import_module("rensa")
    words = [set(WORD.findall(text)) for text in texts.values()]
    hashes = rensa.RMinHash.from_token_sets(words, PERMUTATIONS, 42)
    index = rensa.RMinHashLSH(NEAR_WORDS, PERMUTATIONS, 32)
    index.insert_many(hashes)
    names, found = list(texts), set()
    for place, candidates in enumerate(index.query_all(hashes)):
        for other in candidates:
            if other > place and hashes[place].jaccard(hashes[other]) >= NEAR_WORDS:
                found.add(_ordered(names[place], names[other]))
    return found


def by_datasketch(texts: Texts) -> Found:
    """MinHash and LSH, both datasketch's."""
    datasketch = importlib.import_module("datasketch")
    index = datasketch.MinHashLSH(threshold=NEAR_WORDS, num_perm=PERMUTATIONS)
    hashes: dict[str, Any] = {}
    for name, text in texts.items():
        hashes[name] = datasketch.MinHash(num_perm=PERMUTATIONS)
        hashes[name].update_batch(list(set(WORD.findall(text))))
        index.insert(name, hashes[name])
    return {
        _ordered(name, other)
        for name, one in hashes.items()
        for other in index.query(one)
        if other != name and one.jaccard(hashes[other]) >= NEAR_WORDS
    }


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def expanded(ours: Ours, chosen: Callable[[Pair], bool]) -> Found:
    """Return the chosen pairs with those that equal texts stand for."""
    found = {_ordered(*two) for names in ours.equal for two in combinations(names, 2)}
    for pair in filter(chosen, ours.pairs):
        groups = (ours.equal[pair.smaller], ours.equal[pair.larger])
        found |= {_ordered(*two) for two in product(*groups)}
    return found


def recall_and_precision(found: Found, labels: Sequence[Label]) -> tuple[float, float]:
    """Return the share of copies that were found, and of what was found that are copies."""
    copies = duplicate_pairs(labels)
    return len(found & copies) / len(copies), len(found & related_pairs(labels)) / len(found)


def _timed(method: Callable[[Texts], Any], texts: Texts) -> tuple[float, Any]:
    begun = time.process_time()
    result = method(texts)
    return time.process_time() - begun, result


def _say(name: str, seconds: float, size: float, rates: Iterable[float], ratio: float) -> None:
    recall, precision = rates
    print(  # noqa: T201
        f"{name:22} {seconds:8.2f} s {size / seconds:7.1f} MB/s   recall {recall:.4f}   "
        f"precision {precision:.4f}   {ratio:5.1f} times our time"
    )


def main() -> None:
    """Compare all, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    texts: dict[str, bytes] = {}
    labels: list[Label] = []
    for row in rows(options.rows, options.seed):
        texts[row.label.attempt_id] = said(row.attempt)
        labels.append(row.label)
    size = sum(map(len, texts.values())) / 1e6
    ours(dict(list(texts.items())[:20]))  # Compiles.
    seconds, result = _timed(ours, texts)
    found = expanded(result, lambda pair: pair.is_near)
    _say("davinci-agency", seconds, size, recall_and_precision(found, labels), 1.0)
    for name, method in (
        ("rensa C-MinHash", by_rensa),
        ("rensa R-MinHash, LSH", by_rensa_lsh),
        ("datasketch, LSH", by_datasketch),
    ):
        cost, theirs = _timed(method, texts)
        _say(name, cost, size, recall_and_precision(theirs, labels), cost / seconds)
    whole = {_ordered(*pair) for pair in contained_pairs(labels)}
    inside = expanded(result, lambda pair: pair.is_contained or pair.is_near)
    print(  # noqa: T201
        f"{len(texts)} texts, {size:.0f} MB; "
        f"sketches {result.nbytes / 1e6 / size:.2%} of the text; "
        f"{len(inside & whole)} of {len(whole)} truncated runs found; "
        f"{len(inside - related_pairs(labels))} of {len(inside)} pairs are none of one family"
    )


if __name__ == "__main__":
    main()
