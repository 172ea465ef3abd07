"""From pull requests to chains: the stage's main sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.edges import find_edges, reverted
from davinci_agency.chain.nodes import Node, make_node
from davinci_agency.chain.select import Members, semantic_chains, temporal_chains
from davinci_agency.jsonl import RecordFiles, open_records
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import (
    KINDS,
    SCHEMA_VERSION,
    Chain,
    ChainStage,
    Edge,
    Kind,
    PullRequest,
    as_stage,
    chain_id,
)
from davinci_agency.stage import StageOutput, Summary, stage_output


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """Which chains to make.

    Attributes:
        kinds: the kinds to make.
        max_length: the most pull requests in a chain.
    """

    kinds: tuple[Kind, ...] = KINDS
    max_length: int = 5


def find_chains(
    pulls: Sequence[Path],
    out: Path,
    options: ChainOptions | None = None,
    *,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write the chains of some files of `PullRequest` records.

    Counted are the pull requests. Held in memory: what `Node` holds of each one, no patch.
    """
    options = options or ChainOptions()
    with (
        stage_output("chain", out, strict=strict) as output,
        open_records(pulls, PullRequest, output, progress) as records,
    ):
        nodes, commits = _read_nodes(records, progress)
        for repo, group in groupby(nodes, key=lambda node: node.repo):
            index = CommitIndex(commits.get(repo, {}))
            eligible = list(_eligible(list(group), index, output))
            output.kept += len(eligible)
            chains = list(_chains(eligible, index, options))
            for kind, (members, edges) in track(
                chains, progress, f"write chains of {repo}", len(chains)
            ):
                pulls_of_chain = [records.read(node.place) for node in members]
                output.write(_chain(kind, edges, pulls_of_chain), kind)
    return output.summary()


def _read_nodes(
    records: RecordFiles[PullRequest], progress: Progress
) -> tuple[list[Node], dict[str, dict[str, int]]]:
    nodes: list[Node] = []
    commits: dict[str, dict[str, int]] = {}
    for place, pull in enumerate(track(records, progress, "find references", len(records))):
        nodes.append(make_node(place, pull))
        numbers = commits.setdefault(pull.repo, {})
        for sha in (pull.merge_commit, *(commit.sha for commit in pull.commits)):
            numbers.setdefault(sha, pull.number)
    return nodes, commits


def _eligible(nodes: Sequence[Node], commits: CommitIndex, output: StageOutput) -> Iterator[Node]:
    """Yield the pull requests that a chain may hold; write receipts for the others."""
    taken_back = reverted(nodes, commits)
    for node in nodes:
        refusal = node.refusal
        if node.takes_back:
            refusal = ("revert", "it takes earlier work back", None)
        elif node.number in taken_back:
            refusal = ("reverted", f"#{taken_back[node.number]} took it back", None)
        if refusal is None:
            yield node
        else:
            rule, reason, measure = refusal
            output.remove(
                "pull-request", f"{node.repo}#{node.number}", rule, reason, measure=measure
            )


def _chains(
    nodes: Sequence[Node], commits: CommitIndex, options: ChainOptions
) -> Iterator[tuple[Kind, Members]]:
    """Yield the chains of one repository by kind, then by the numbers of their members."""
    found: dict[Kind, list[Members]] = {
        "single-pr": [((node,), ()) for node in nodes],
        "temporal-chain": list(temporal_chains(nodes, options.max_length)),
        "semantic-chain": list(
            semantic_chains(nodes, find_edges(nodes, commits), options.max_length)
        ),
    }
    for kind in KINDS:
        if kind in options.kinds:
            for members in sorted(found[kind], key=lambda m: [node.number for node in m[0]]):
                yield kind, members


def _chain(kind: Kind, edges: tuple[Edge, ...], pulls: Sequence[PullRequest]) -> Chain:
    first = pulls[0]
    lines: Counter[str] = Counter()
    for pull in pulls:
        if pull.language is not None:
            lines[pull.language] += pull.additions + pull.deletions
    return Chain(
        schema_version=SCHEMA_VERSION,
        chain_id=chain_id(kind, first.repo, [(pull.number, pull.merge_commit) for pull in pulls]),
        kind=kind,
        repo=first.repo,
        license=first.license,
        language=min(lines, key=lambda name: (-lines[name], name), default=None),
        split_group=first.repo,
        stages=tuple(_stage(pull) for pull in pulls),
        edges=edges,
    )


def _stage(pull: PullRequest) -> ChainStage:
    proven = not any(file.omitted for file in pull.files)
    return as_stage(
        pull,
        ChainStage,
        state_policy="historical-base",
        # The patch is the difference between the base's tree and the merge's: it applies.
        apply_status="clean" if proven else "unproven",
    )
