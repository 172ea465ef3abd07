"""A chain and its queries as a task; pure."""

from __future__ import annotations

from collections.abc import Sequence

from davinci_agency.ids import content_id
from davinci_agency.records import SCHEMA_VERSION, Chain, QueryWriter, Task, TaskStage, as_stage


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
