"""From chains to tasks: the stage's main sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from davinci_agency.jsonl import open_inspected
from davinci_agency.leaks import Leak, Secrets, find_leaks
from davinci_agency.parallel import threaded_map
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.query.extractive import ExtractiveWriter
from davinci_agency.query.writer import Refused, Writer, Written
from davinci_agency.records import Chain
from davinci_agency.repository.documentation import words_along
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import Source
from davinci_agency.stage import StageOutput, Summary, stage_output
from davinci_agency.surveying import Seen
from davinci_agency.tasks import make_task


def write_queries(
    chains: Sequence[Path],
    out: Path,
    writer: Writer | None = None,
    *,
    clones: Mapping[str, Source] | None = None,
    concurrency: int = 1,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write a task for each chain of some files of `Chain` records.

    Every query is held against the leak rules, whoever wrote it; words of a repository's
    documentation, as it was before the chain, may be said where there is a clone (by owner/name).
    At most ``concurrency`` chains are written about at once. Counted are the chains.
    """
    writer = writer or ExtractiveWriter()
    with (
        stage_output("query", out, strict=strict) as output,
        open_inspected(chains, Chain, _beginning, output, progress) as records,
        ExitStack() as stack,
    ):
        vocabularies = {
            repo: words_along(
                stack.enter_context(open_overlay(source)),
                [base for of, base in records.seen() if of == repo],
            )
            for repo, source in (clones or {}).items()
        }

        def with_secrets(chain: Chain) -> tuple[Chain, Secrets]:
            words = vocabularies.get(chain.repo)
            return chain, Secrets(chain.stages, next(words) if words else ())

        def written(pair: tuple[Chain, Secrets]) -> tuple[Chain, Secrets, Written | Refused]:
            chain, secrets = pair
            return chain, secrets, writer.write(chain.stages, secrets)

        pairs = map(with_secrets, track(records, progress, "write queries", len(records)))
        for chain, secrets, said in threaded_map(written, pairs, concurrency):
            _settle(chain, secrets, said, output)
    return output.summary()


def _beginning(chain: Chain) -> Seen[tuple[str, str]]:
    """Return whose a chain is, and from which commit it begins."""
    return Seen((chain.repo, chain.stages[0].base_commit))


def _settle(chain: Chain, secrets: Secrets, said: Written | Refused, output: StageOutput) -> None:
    """Write a task, or the receipt of a chain that is none."""
    if isinstance(said, Refused):
        output.remove("pr-chain", chain.chain_id, said.rule, said.reason, measure=said.measure)
    elif leaks := _leaks(said.queries, secrets):
        reason = f"a query gives away the {leaks[0].kind} {leaks[0].text[:80]}"
        output.remove("pr-chain", chain.chain_id, "leak", reason, measure=float(len(leaks)))
    else:
        output.kept += 1
        output.write(make_task(chain, said.queries, said.writer), chain.kind)


def _leaks(queries: Sequence[str], secrets: Secrets) -> list[Leak]:
    return [leak for query in queries for leak in find_leaks(query, secrets)]
