"""Whether the stages of a chain can be worked on: their patches applied by git, one by one.

All of it happens in an index of its own in an overlay of the clone, so neither the clone nor any
work tree is touched. A patch that is git's own diff (`davinci_agency.chain.own_diffs`) is known to
apply, and to what.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from davinci_agency.chain.nodes import Node
from davinci_agency.chain.own_diffs import OwnDiffs
from davinci_agency.parallel import in_turn
from davinci_agency.records import ApplyStatus, ChainStage, StatePolicy
from davinci_agency.repository.grafting import Graft, grafted
from davinci_agency.repository.overlay import Overlay

_APPLY = ("apply", "--cached", "--whitespace=nowarn", "--allow-empty")
_BINARY = re.compile(r"^(?:literal|delta) (\d{1,18})$", re.MULTILINE)
_LARGEST_BINARY = 256 << 20
"""Bytes of a binary file in a patch: git holds it in memory, however small it was packed."""
_WORKABLE: frozenset[ApplyStatus] = frozenset({"clean", "three-way"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found of one stage: does its patch apply, from which tree and to which."""

    status: ApplyStatus
    base_tree: str | None
    result_tree: str | None


UNPROVEN = Proof("unproven", None, None)


class Prover:
    """Has git prove the stages of chains, several at once; to be closed in the end.

    The proof of a stage at its own base does not depend on the chain, and is made once. Of the
    nodes ``mined`` it is known whose patch is git's own, so git isn't asked for that.
    """

    def __init__(
        self,
        overlay: Overlay,
        policy: StatePolicy,
        workers: int,
        mined: Sequence[Node] | None = None,
    ) -> None:
        self._overlay = overlay
        self._policy = policy
        self._asks = mined is None and policy == "historical-base"
        self._differs = [OwnDiffs(overlay) for _ in range(workers)]
        self._known: dict[tuple[int, str | None], Proof] = {}
        if mined is not None and policy == "historical-base":
            self._believe(mined)

    def close(self) -> None:
        """End the processes that it has started."""
        for differ in self._differs:
            differ.close()

    def _believe(self, nodes: Sequence[Node]) -> None:
        """Prove the stages of all nodes whose patch is git's own."""
        own = {(node.number, node.own_base): node for node in nodes if node.own_base}
        commits = {base for _, base in own} | {node.merge_commit for node in own.values()}
        trees = self._overlay.trees(sorted(commits))
        grafts: dict[tuple[int, str], Graft] = {}
        for (number, base), node in own.items():
            if {base, node.merge_commit} <= trees.keys():
                between = trees[base], trees[node.merge_commit]
                if len(node.own_paths) == len(node.paths):
                    self._known[number, base] = Proof("clean", *between)
                else:
                    parts = frozenset(tuple(path.split(b"/")) for path in node.own_paths)
                    grafts[number, base] = Graft(*between, parts)
        made = grafted(self._overlay, grafts.values())
        for (name, graft), result in zip(grafts.items(), made, strict=True):
            if result is not None:
                self._known[name] = Proof("clean", graft.tree, result)

    def known(self, nodes: Sequence[Node]) -> list[Proof] | None:
        """Return the proofs of a chain's stages if all of their patches are git's own."""
        proofs = [self._known.get((node.number, node.own_base)) for node in nodes]
        return [proof for proof in proofs if proof] if all(proofs) else None

    def prove(self, chains: Sequence[Sequence[ChainStage]]) -> Iterator[list[Proof]]:
        """Yield the proofs of every chain's stages, in order."""
        if not chains:
            return
        commits = {
            commit
            for stages in chains
            for stage in stages
            for commit in (stage.base_commit, stage.merge_commit)
        }
        trees = self._overlay.trees(sorted(commits))
        lanes = min(len(self._differs), len(chains))

        def lane(first: int) -> Generator[list[Proof]]:
            state = _State(self._overlay, f"proof-{first}", trees)
            mine = chains[first::lanes]
            if self._asks:
                self._settle(mine, trees, self._differs[first])
            for stages in mine:
                yield list(self._proofs(state, stages))

        with closing(in_turn([lane(first) for first in range(lanes)])) as turns:
            yield from turns

    def _settle(
        self, chains: Sequence[Sequence[ChainStage]], trees: Mapping[str, str], own: OwnDiffs
    ) -> None:
        """Prove all stages whose patch is git's own."""
        open_ = {
            _name(stage): stage
            for stages in chains
            for stage in stages
            if _name(stage) not in self._known
            and {stage.base_commit, stage.merge_commit} <= trees.keys()
        }
        for stage in own.among(list(open_.values())):
            trees_of = trees[stage.base_commit], trees[stage.merge_commit]
            self._known[_name(stage)] = Proof("clean", *trees_of)

    def _proofs(self, state: _State, stages: Sequence[ChainStage]) -> Iterator[Proof]:
        if self._policy == "cumulative":
            yield from _in_a_row(state, stages)
            return
        for stage in stages:
            if _name(stage) not in self._known:
                (self._known[_name(stage)],) = _in_a_row(state, [stage])
            yield self._known[_name(stage)]


def _name(stage: ChainStage) -> tuple[int, str]:
    return stage.number, stage.base_commit


def _in_a_row(state: _State, stages: Sequence[ChainStage]) -> Iterator[Proof]:
    """Yield the proof of each stage on top of those before it."""
    base = state.read(stages[0].base_commit)
    for stage in stages:
        if base is None:
            yield UNPROVEN
            continue
        status = state.apply(stage.patch + stage.test_patch)
        result = state.tree() if status in _WORKABLE else None
        yield Proof(status, base, result)
        # After a conflict there is no state from which a later stage could begin.
        base = result


class _State:
    """An index of an overlay, and what it holds."""

    def __init__(self, overlay: Overlay, name: str, trees: Mapping[str, str]) -> None:
        self._overlay = overlay
        self._trees = trees
        self._environment = {"GIT_INDEX_FILE": str(overlay.folder / name)}

    def read(self, commit: str) -> str | None:
        """Make it a commit's tree, and return that tree; ``None`` if the commit is not there."""
        if commit not in self._trees or self._git("read-tree", commit) is None:
            return None
        return self._trees[commit]

    def tree(self) -> str | None:
        """Return the tree that it is."""
        written = self._git("write-tree", "--missing-ok")
        return None if written is None else written.decode().strip()

    def apply(self, patch: str) -> ApplyStatus:
        """Apply a patch to it, if that can be done."""
        if any(int(size) > _LARGEST_BINARY for size in _BINARY.findall(patch)):
            return "unproven"
        given = patch.encode("utf-8", "surrogateescape")
        if self._git(*_APPLY, given=given) is not None:
            return "clean"
        return "conflict" if self._git(*_APPLY, "--3way", given=given) is None else "three-way"

    def _git(self, *arguments: str, given: bytes = b"") -> bytes | None:
        return self._overlay.attempt(arguments, given, self._environment)
