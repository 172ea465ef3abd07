"""From chains to tasks: the stage's main sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from davinci_agency.ids import content_id
from davinci_agency.jsonl import open_records
from davinci_agency.leaks import Leak, Secrets, find_leaks
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.query.extractive import ExtractiveWriter
from davinci_agency.records import (
    SCHEMA_VERSION,
    Chain,
    ChainStage,
    QueryWriter,
    Task,
    TaskStage,
    as_stage,
)
from davinci_agency.stage import Summary, stage_output


class Writer(Protocol):
    """Somebody who writes queries: an extract of the author's words, or a model."""

    @property
    def identity(self) -> QueryWriter:
        """The writer's name and version, which go into every task."""

    def write(self, stages: Sequence[ChainStage]) -> list[str] | None:
        """Return one query for each stage, or ``None`` if there is nothing it can ask."""


def write_queries(
    chains: Sequence[Path],
    out: Path,
    writer: Writer | None = None,
    *,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write a task for each chain of some files of `Chain` records.

    Every query is held against the leak rules, whoever wrote it. Counted are the chains.
    """
    writer = writer or ExtractiveWriter()
    with (
        stage_output("query", out, strict=strict) as output,
        open_records(chains, Chain, output, progress) as records,
    ):
        for chain in track(records, progress, "write queries", len(records)):
            queries = writer.write(chain.stages)
            if queries is None:
                reason = "its authors' words leave nothing to ask without giving the change away"
                output.remove("pr-chain", chain.chain_id, "nothing-to-ask", reason)
            elif leaks := _leaks(queries, chain):
                reason = f"a query gives away the {leaks[0].kind} {leaks[0].text[:80]}"
                output.remove("pr-chain", chain.chain_id, "leak", reason, measure=float(len(leaks)))
            else:
                output.kept += 1
                output.write(make_task(chain, queries, writer.identity), chain.kind)
    return output.summary()


def _leaks(queries: Sequence[str], chain: Chain) -> list[Leak]:
    secrets = Secrets(chain.stages)
    return [leak for query in queries for leak in find_leaks(query, secrets)]


def make_task(chain: Chain, queries: Sequence[str], writer: QueryWriter) -> Task:
    """Return a chain as a task; a single pull request also under SWE-bench's names."""
    stages = tuple(
        as_stage(stage, TaskStage, query=query)
        for stage, query in zip(chain.stages, queries, strict=True)
    )
    only = stages[0] if chain.kind == "single-pr" else None
    return Task(
        schema_version=SCHEMA_VERSION,
        task_id=content_id("task", chain.chain_id, list(queries), writer.name, writer.version),
        chain_id=chain.chain_id,
        kind=chain.kind,
        repo=chain.repo,
        license=chain.license,
        language=chain.language,
        split_group=chain.split_group,
        split="train",
        marks=(),
        stages=stages,
        edges=chain.edges,
        query_writer=writer,
        instance_id=f"{chain.repo.replace('/', '__')}-{only.number}" if only else None,
        base_commit=only.base_commit if only else None,
        patch=only.patch if only else None,
        test_patch=only.test_patch if only else None,
        problem_statement=only.query if only else None,
    )
