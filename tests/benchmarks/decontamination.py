"""How fast are a benchmark's grams found, beside a Python set of 13-grams, and are they the same?

One run on the same texts: CPU seconds from a text's bytes to the numbers of the grams found in it.
The list is made of passages of some of the texts (so there are hits) and of as many texts of
another seed (so there is much to look for). The hits of both must be equal, text by text.

    python -m tests.benchmarks.decontamination [--rows 200] [--seed 2]
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence

from tests.benchmarks.corpus import rows, said

from davinci_agency.curate.grams import GRAM_WORDS, LEAST_WORDS, GramList
from davinci_agency.curate.words import word_hashes

Gram = tuple[bytes, ...]
Hits = list[list[int]]

WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


def _grams(words: Sequence[bytes], length: int) -> zip[Gram]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def plain_list(texts: Sequence[bytes]) -> dict[Gram, int]:
    """Return the grams of texts as tuples of words, numbered in order."""
    known: dict[Gram, int] = {}
    for text in texts:
        words = WORD.findall(text)
        if len(words) >= LEAST_WORDS:
            for gram in _grams(words, min(len(words), GRAM_WORDS)):
                known.setdefault(gram, len(known))
    return known


def plain_hits(texts: Sequence[bytes], known: dict[Gram, int]) -> Hits:
    """Look each gram of each text up."""
    lengths = {len(gram) for gram in known}
    hits = []
    for text in texts:
        words = WORD.findall(text)
        found = {gram for n in lengths for gram in _grams(words, n) if gram in known}
        hits.append(sorted(known[gram] for gram in found))
    return hits


def our_hits(texts: Sequence[bytes], grams: GramList) -> Hits:
    """Hash and look up."""
    return [grams.hits(word_hashes(text)).tolist() for text in texts]


def _timed(method: Callable[[], Hits]) -> tuple[float, Hits]:
    begun = time.process_time()
    hits = method()
    return time.process_time() - begun, hits


def main() -> None:
    """Compare both, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311
    texts = [said(row.attempt) for row in rows(options.rows, options.seed)]
    others = [said(row.attempt) for row in rows(options.rows, options.seed + 1)]
    passages = [
        text[start : start + 4000]
        for text in [*chance.sample(texts, len(texts) // 10), *others]
        for start in (chance.randrange(max(1, len(text) - 4000)),)
    ]
    grams, known = GramList(passages), plain_list(passages)
    our_hits(texts[:2], grams)  # Compiles.
    seconds, found = _timed(lambda: our_hits(texts, grams))
    cost, expected = _timed(lambda: plain_hits(texts, known))
    if found != expected or len(grams) != len(known):
        raise SystemExit("the hits differ")
    size = sum(map(len, texts)) / 1e6
    for name, took in (("davinci-agency", seconds), ("Python set", cost)):
        print(  # noqa: T201
            f"{name:15} {took:7.2f} s {size / took:7.1f} MB/s   {took / seconds:5.1f} times ours"
        )
    print(  # noqa: T201
        f"{len(texts)} texts, {size:.0f} MB; {len(known):,} grams; {sum(map(len, found)):,} hits, "
        "the same in each text"
    )


if __name__ == "__main__":
    main()
