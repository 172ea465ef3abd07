"""From pull requests to chains: the stage's main sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from davinci_agency.chain.commits import CommitIndex
from davinci_agency.chain.drafts import Drafts
from davinci_agency.chain.edges import reverted
from davinci_agency.chain.judging import Judge
from davinci_agency.chain.neighbours import Neighbourhood
from davinci_agency.chain.nodes import Node, make_node
from davinci_agency.chain.options import ChainOptions
from davinci_agency.chain.own_diffs import own_paths
from davinci_agency.chain.proving import Prover
from davinci_agency.chain.reading import Reader
from davinci_agency.jsonl import InspectedFiles, open_inspected
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress
from davinci_agency.records import KINDS, PullRequest
from davinci_agency.repository.overlay import open_overlay
from davinci_agency.repository.source import Source
from davinci_agency.stage import StageOutput, Summary, stage_output
from davinci_agency.surveying import Seen

NO_CLONES: Mapping[str, Source] = MappingProxyType({})


def find_chains(
    pulls: Sequence[Path],
    out: Path,
    options: ChainOptions | None = None,
    *,
    clones: Mapping[str, Source] = NO_CLONES,
    mined: bool = False,
    judge: Judge | None = None,
    engine: Engine = HERE,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Write the chains of some files of `PullRequest` records.

    ``clones`` gives the repositories, by owner/name, in which git proves the states of the stages;
    with ``mined`` what it said there when the files were made still holds: nobody has changed them.
    ``judge`` is who is asked for an opinion of the semantic chains. ``engine`` reads the records;
    git and the judge are asked here, as many at once as it has workers. If these are several, the
    calling script needs the usual ``if __name__ == "__main__"``. Counted are the pull requests.
    Held in memory: what `Node` holds of each one, no patch.
    """
    options = options or ChainOptions()
    with (
        stage_output("chain", out, strict=strict) as output,
        open_inspected(
            pulls, PullRequest, partial(_node_and_commits, mined), output, progress, engine=engine
        ) as records,
    ):
        nodes, commits = _read_nodes(records)
        unused = sorted(clones.keys() - commits.keys())
        output.notes += [f"no pull request is of {repo}, whose clone was given" for repo in unused]
        for repo, group in groupby(nodes, key=lambda node: node.repo):
            everyone, index = list(group), CommitIndex(commits[repo])
            refused = dict(_refused(everyone, index, output))
            eligible = [node for node in everyone if node.number not in refused]
            output.kept += len(eligible)
            _count(output, "pull requests", len(everyone))
            _count(output, "eligible", len(eligible))
            if not eligible:
                continue
            reader = Reader(records)
            hood = Neighbourhood(everyone, refused, index, reader.lines)
            _count_edges(output, hood)
            drafts = Drafts(eligible, hood, reader, options, output)
            with ExitStack() as stack:
                clone = clones.get(repo)
                prover = None
                if clone is not None:
                    overlay = stack.enter_context(open_overlay(clone))
                    believed = eligible if mined else None
                    prover = stack.enter_context(
                        closing(Prover(overlay, options.policy, engine.workers, believed))
                    )
                for kind in KINDS:
                    if kind in options.kinds:
                        drafts.write(kind, prover, judge, engine.workers, progress)
    return output.summary()


_Seen = tuple[Node, tuple[str, ...]]
"""Of a pull request, and the commits that it consists of."""


def _node_and_commits(mined: bool, pull: PullRequest) -> Seen[_Seen]:
    commits = (pull.merge_commit, *(commit.sha for commit in pull.commits))
    return Seen((make_node(pull, own=own_paths(pull) if mined else None), commits))


def _read_nodes(
    records: InspectedFiles[PullRequest, _Seen],
) -> tuple[list[Node], dict[str, dict[str, int]]]:
    nodes: list[Node] = []
    commits: dict[str, dict[str, int]] = {}
    for place, (node, shas) in enumerate(records.seen()):
        nodes.append(replace(node, place=place))
        numbers = commits.setdefault(node.repo, {})
        for sha in shas:
            numbers.setdefault(sha, node.number)
    return nodes, commits


def _refused(
    nodes: Sequence[Node], commits: CommitIndex, output: StageOutput
) -> Iterator[tuple[int, str]]:
    """Yield the pull requests that no chain may hold, with the rule; write their receipts."""
    taken_back = reverted(nodes, commits)
    for node in nodes:
        refusal = node.refusal
        if node.takes_back:
            refusal = ("revert", "it takes earlier work back", None)
        elif node.number in taken_back:
            refusal = ("reverted", f"#{taken_back[node.number]} took it back", None)
        if refusal is not None:
            rule, reason, measure = refusal
            name = f"{node.repo}#{node.number}"
            output.remove("pull-request", name, rule, reason, measure=measure)
            yield node.number, rule


def _count_edges(output: StageOutput, hood: Neighbourhood) -> None:
    """Count the pairs of which anything was found, and why they tie nothing."""
    _count(output, "tied pairs", len(hood.edges))
    for edge in hood.edges:
        reason = hood.reason(edge)
        if reason:
            _count(output, f"pairs left out: {reason}", 1)
    _count(output, "ties", len(hood.ties))


def _count(output: StageOutput, what: str, count: int) -> None:
    output.funnel[what] = output.funnel.get(what, 0) + count
