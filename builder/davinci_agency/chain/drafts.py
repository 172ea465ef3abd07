"""The chains of one repository: which are made, which are kept, and what is written of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from davinci_agency.chain.judging import Judge
from davinci_agency.chain.neighbours import Neighbourhood
from davinci_agency.chain.nodes import Node
from davinci_agency.chain.options import ChainOptions
from davinci_agency.chain.proving import UNPROVEN, Proof, Prover
from davinci_agency.chain.reading import Reader
from davinci_agency.chain.scores import score_chain
from davinci_agency.chain.select import Members, semantic_chains, temporal_chains
from davinci_agency.parsing import MAX_LINE_BYTES
from davinci_agency.progress import Progress, track
from davinci_agency.records import (
    SCHEMA_VERSION,
    Chain,
    ChainScores,
    ChainStage,
    Edge,
    Kind,
    LeftOut,
    PullRequest,
    as_stage,
    chain_id,
    to_json,
)
from davinci_agency.stage import StageOutput

_BATCH = 64
"""Chains to prove at once."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A chain that may be written, without its texts."""

    kind: Kind
    members: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def chain_id(self) -> str:
        """The id of the chain."""
        members = [(node.number, node.merge_commit) for node in self.members]
        return chain_id(self.kind, self.members[0].repo, members)


class Drafts:
    """The chains that the pull requests of one repository may form."""

    def __init__(
        self,
        eligible: Sequence[Node],
        hood: Neighbourhood,
        reader: Reader,
        options: ChainOptions,
        output: StageOutput,
    ) -> None:
        self._eligible = eligible
        self._hood = hood
        self._reader = reader
        self._options = options
        self._output = output
        self._semantic = list(semantic_chains(eligible, hood.ties, options.max_length))
        self._chained = {node.number for members, _ in self._semantic for node in members}

    def write(
        self,
        kind: Kind,
        prover: Prover | None,
        judge: Judge | None,
        workers: int,
        progress: Progress,
    ) -> None:
        """Write the chains of a kind that are good enough, by the numbers of their members.

        Those left out for their score, the budget, the proof of their states or the verdict get
        receipts.
        """
        drafts = [Draft(kind, *members) for members in self._members(kind)]
        self._count(f"{kind}: made", len(drafts))
        kept = self._kept(drafts, prover, progress)
        kept.sort(key=lambda chosen: [node.number for node in chosen[0].members])
        chains = (self._chain(draft, proofs) for draft, proofs in kept)
        if judge is not None and kind == "semantic-chain":
            chains = self._judged(list(chains), judge, workers)
        count = 0
        for chain in track(chains, progress, f"write {kind}s", len(kept)):
            line = to_json(chain)
            if len(line) > MAX_LINE_BYTES:
                reason = (
                    f"it takes {len(line) >> 20} MiB; at most {MAX_LINE_BYTES >> 20} can be read"
                )
                self._leave_out(kind, chain.chain_id, "too-large", reason, float(len(line)))
                continue
            self._output.write_line(line, kind)
            count += 1
        self._count(f"{kind}: kept", count)

    def _judged(self, chains: Sequence[Chain], judge: Judge, workers: int) -> Generator[Chain]:
        """Yield the chains that a judge finds good enough, with its verdicts.

        One of which it says nothing usable stays, and is counted.
        """
        least = self._options.min_verdict
        with ThreadPoolExecutor(workers) as pool:
            for chain, verdict in zip(chains, pool.map(judge.verdict, chains), strict=True):
                if verdict is None:
                    self._count("semantic-chain: no usable verdict", 1)
                    yield chain
                elif verdict.overall_score < least:
                    score = verdict.overall_score
                    reason = f"{verdict.judge} gives it {score}; at least {least} is asked for"
                    self._leave_out(chain.kind, chain.chain_id, "low-verdict", reason, score)
                else:
                    yield replace(chain, verdict=verdict)

    def _members(self, kind: Kind) -> Iterator[Members]:
        if kind == "single-pr":
            yield from (((node,), ()) for node in self._eligible)
        elif kind == "temporal-chain":
            lengths = [len(members) for members, _ in self._semantic]
            yield from temporal_chains(self._eligible, self._options.max_length, lengths)
        else:
            for members, ties in self._semantic:
                of_lines = self._hood.of_lines(members, ties)
                yield members, (*ties, *of_lines)

    def _kept(
        self, drafts: Sequence[Draft], prover: Prover | None, progress: Progress
    ) -> list[tuple[Draft, Sequence[Proof]]]:
        """Return the drafts that are kept, the best first, with the proofs of their stages."""
        options = self._options
        budget = len(drafts) if drafts and drafts[0].kind == "single-pr" else options.budget
        ranked = self._ranked(drafts)
        kept: list[tuple[Draft, Sequence[Proof]]] = []
        batches = [ranked[start : start + _BATCH] for start in range(0, len(ranked), _BATCH)]
        for batch in track(batches, progress, "prove states", len(batches)):
            is_full = len(kept) >= budget
            proven = self._prove(batch, None if is_full else prover)
            for draft, proofs in zip(batch, proven, strict=True):
                wrong = [proof.status for proof in proofs if proof.status not in options.states]
                if len(kept) >= budget:
                    reason = f"its repository gives {budget} others of its kind"
                    self._leave_out(draft.kind, draft.chain_id, "over-budget", reason)
                elif wrong:
                    reason = f"the state of a stage is {wrong[0]}"
                    self._leave_out(draft.kind, draft.chain_id, f"state-{wrong[0]}", reason)
                else:
                    kept.append((draft, proofs))
        return kept

    def _ranked(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return those with a score that is high enough, the best first.

        Only semantic chains are ranked by score: single pull requests have none, and a control
        that was chosen would be none, so temporal ones stand in the order of their ids.
        """
        ranks: list[tuple[float, str, Draft]] = []
        for draft in drafts:
            rank = 0.0
            if draft.kind == "semantic-chain":
                pulls = [self._reader.pull(node) for node in draft.members]
                rank = self._score(draft, pulls).overall or 0.0
                if rank < self._options.min_score:
                    reason = f"its score is {rank}; at least {self._options.min_score} is asked for"
                    self._leave_out(draft.kind, draft.chain_id, "low-score", reason, rank)
                    continue
            ranks.append((-rank, draft.chain_id, draft))
        return [draft for _, _, draft in sorted(ranks, key=lambda ranked: ranked[:2])]

    def _prove(self, drafts: Sequence[Draft], prover: Prover | None) -> Iterator[Sequence[Proof]]:
        if prover is None:
            yield from ([UNPROVEN] * len(draft.members) for draft in drafts)
            return
        known = [prover.known(draft.members) for draft in drafts]
        stages = [
            [self._stage(self._reader.pull(node), UNPROVEN) for node in draft.members]
            for draft, proofs in zip(drafts, known, strict=True)
            if proofs is None
        ]
        tried = prover.prove(stages)
        yield from (next(tried) if proofs is None else proofs for proofs in known)

    def _chain(self, draft: Draft, proofs: Sequence[Proof]) -> Chain:
        pulls = [self._reader.pull(node) for node in draft.members]
        lines: Counter[str] = Counter()
        for node in draft.members:
            if node.language is not None:
                lines[node.language] += node.lines
        first = pulls[0]
        left_out: list[LeftOut] = []
        if draft.kind == "semantic-chain":
            left_out = self._hood.left_out(draft.members, self._chained)
        return Chain(
            schema_version=SCHEMA_VERSION,
            chain_id=draft.chain_id,
            kind=draft.kind,
            repo=first.repo,
            license=first.license,
            language=min(lines, key=lambda name: (-lines[name], name), default=None),
            split_group=first.repo,
            stages=tuple(map(self._stage, pulls, proofs)),
            edges=draft.edges,
            scores=self._score(draft, pulls),
            verdict=None,
            left_out=tuple(left_out),
        )

    def _score(self, draft: Draft, pulls: Sequence[PullRequest]) -> ChainScores:
        # The lines of a single one are compared with no others'.
        lines = [self._reader.lines(node) for node in draft.members if draft.edges]
        return score_chain(pulls, lines, draft.edges)

    def _stage(self, pull: PullRequest, proof: Proof) -> ChainStage:
        return as_stage(
            pull,
            ChainStage,
            state_policy=self._options.policy,
            apply_status=proof.status,
            base_tree=proof.base_tree,
            result_tree=proof.result_tree,
        )

    def _leave_out(
        self, kind: Kind, name: str, rule: str, reason: str, measure: float | None = None
    ) -> None:
        # It was made here, so it is no input that could be missing from the account.
        self._output.remove("pr-chain", name, rule, reason, measure=measure, counted=False)
        self._count(f"{kind}: {rule}", 1)

    def _count(self, what: str, count: int) -> None:
        self._output.funnel[what] = self._output.funnel.get(what, 0) + count
