"""From chains to tasks: the stage's main sentence."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, groupby, repeat
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType

import orjson

from davinci_agency.jsonl import InspectedFiles, open_inspected
from davinci_agency.leaks import Leak, Secrets, find_leaks
from davinci_agency.parallel import HERE, Engine, threaded_map
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.query.extractive import ExtractiveWriter
from davinci_agency.query.writer import Refused, Writer, Written
from davinci_agency.records import Chain, Kind, from_json, to_json
from davinci_agency.repository.documentation import HeldWords, words_along
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import Source
from davinci_agency.spooling import LineReader, Location
from davinci_agency.stage import StageOutput, Summary, stage_output
from davinci_agency.surveying import Seen
from davinci_agency.tasks import make_task

NO_CLONES: Mapping[str, Source] = MappingProxyType({})

_PORTION_CHAINS = 1024
"""Written about by one process in a row: at its beginning it reads all of a documentation."""
_PORTION_BYTES = 16 << 20


def write_queries(
    chains: Sequence[Path],
    out: Path,
    writer: Writer | None = None,
    *,
    clones: Mapping[str, Source] = NO_CLONES,
    concurrency: int = 1,
    engine: Engine = HERE,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write a task for each chain of some files of `Chain` records.

    Every query is held against the leak rules, whoever wrote it; words of a repository's
    documentation, as it was before the chain, may be said where there is a clone (by owner/name).
    Counted are the chains. Without a writer they are the authors' own words, which ``engine``
    finds; if it has several workers, the calling script needs the usual
    ``if __name__ == "__main__"``. A writer is asked here, about ``concurrency`` chains at once.
    """
    with (
        stage_output("query", out, strict=strict) as output,
        open_inspected(chains, Chain, _beginning, output, progress, engine=engine) as records,
    ):
        portions = _portions(records)
        outcomes: Iterable[Iterable[Outcome]]
        if writer is None:
            outcomes = engine.map(_Writing(ExtractiveWriter(), dict(clones)), portions)
        else:
            outcomes = map(_Writing(writer, clones, concurrency).along, portions)
        each = chain.from_iterable(outcomes)
        for outcome in track(each, progress, "write queries", len(records)):
            _settle(outcome, output)
    return output.summary()


def _beginning(chain: Chain) -> Seen[tuple[str, str]]:
    """Return whose a chain is, and from which commit it begins."""
    return Seen((chain.repo, chain.stages[0].base_commit))


@dataclass(frozen=True, slots=True)
class Portion:
    """Chains of one repository: where they stand, and from which commits they begin."""

    repo: str
    lines: tuple[Location, ...]
    bases: tuple[str, ...]


def _portions(records: InspectedFiles[Chain, tuple[str, str]]) -> Iterator[Portion]:
    """Yield all chains in order, those that follow each other together."""
    each = (
        (repo, line, base)
        for (_, line), (repo, base) in zip(records.locations(), records.seen(), strict=True)
    )
    for repo, some in groupby(each, key=itemgetter(0)):
        lines: list[Location] = []
        bases: list[str] = []
        size = 0
        for _, line, base in some:
            if len(lines) == _PORTION_CHAINS or (lines and size + line.length > _PORTION_BYTES):
                yield Portion(repo, tuple(lines), tuple(bases))
                lines, bases, size = [], [], 0
            lines.append(line)
            bases.append(base)
            size += line.length
        yield Portion(repo, tuple(lines), tuple(bases))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a chain: the line of a task, or why there is none."""

    chain_id: str
    kind: Kind
    said: bytes | Refused


@dataclass(frozen=True, slots=True)
class _Writing:
    """Makes tasks of portions, and holds what it has read for one for the next."""

    writer: Writer
    clones: Mapping[str, Source]
    concurrency: int = 1
    held: HeldWords = field(default_factory=HeldWords)

    def __call__(self, portion: Portion) -> list[Outcome]:
        """Return what became of each chain, in order."""
        return list(self.along(portion))

    def along(self, portion: Portion) -> Iterator[Outcome]:
        """Yield what became of each chain, in order; some are asked about at once."""
        with ExitStack() as stack:
            reader = stack.enter_context(LineReader())
            clone = self.clones.get(portion.repo)
            vocabularies: Iterable[Container[str]] = (
                repeat(())
                if clone is None
                else words_along(stack.enter_context(open_overlay(clone)), portion.bases, self.held)
            )
            records = (from_json(orjson.loads(reader.read(at)), Chain) for at in portion.lines)
            pairs = (
                (record, Secrets(record.stages, words))
                for record, words in zip(records, vocabularies, strict=False)
            )
            yield from threaded_map(self._outcome, pairs, self.concurrency)

    def _outcome(self, pair: tuple[Chain, Secrets]) -> Outcome:
        chain, secrets = pair
        said = self.writer.write(chain.stages, secrets)
        return Outcome(chain.chain_id, chain.kind, _held(chain, said, secrets))


def _held(chain: Chain, said: Written | Refused, secrets: Secrets) -> bytes | Refused:
    """Return the line of a chain's task, if its queries give nothing away."""
    if isinstance(said, Refused):
        return said
    leaks = _leaks(said.queries, secrets)
    if leaks:
        reason = f"a query gives away the {leaks[0].kind} {leaks[0].text[:80]}"
        return Refused("leak", reason, float(len(leaks)))
    return to_json(make_task(chain, said.queries, said.writer))


def _leaks(queries: Sequence[str], secrets: Secrets) -> list[Leak]:
    return [leak for query in queries for leak in find_leaks(query, secrets)]


def _settle(outcome: Outcome, output: StageOutput) -> None:
    """Write a task, or the receipt of a chain that is none."""
    said = outcome.said
    if isinstance(said, Refused):
        output.remove("pr-chain", outcome.chain_id, said.rule, said.reason, measure=said.measure)
    else:
        output.kept += 1
        output.write_line(said, outcome.kind)
