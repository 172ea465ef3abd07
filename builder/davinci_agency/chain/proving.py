"""Whether the stages of a chain can be worked on: their patches applied by git, one by one.

All of it happens in an index of its own in an overlay of the clone, so neither the clone nor any
work tree is touched.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count

from davinci_agency.parallel import in_turn
from davinci_agency.records import ApplyStatus, ChainStage, StatePolicy
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


def prove_all(
    overlay: Overlay,
    chains: Sequence[Sequence[ChainStage]],
    policy: StatePolicy,
    workers: int,
) -> Iterator[list[Proof]]:
    """Yield the proofs of every chain's stages, in order, made by several gits at once."""
    lanes = min(workers, len(chains))

    def lane(first: int) -> Generator[list[Proof]]:
        state = _State(overlay, f"proof-{first}")
        for stages in chains[first::lanes]:
            yield list(_prove(state, stages, policy))

    with closing(in_turn([lane(first) for first in range(lanes)])) as turns:
        yield from turns


def _prove(state: _State, stages: Sequence[ChainStage], policy: StatePolicy) -> Iterator[Proof]:
    for place, stage in zip(count(), stages):
        if policy == "historical-base" or place == 0:
            base = state.read(stage.base_commit)
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

    def __init__(self, overlay: Overlay, name: str) -> None:
        self._overlay = overlay
        self._environment = {"GIT_INDEX_FILE": str(overlay.folder / name)}

    def read(self, commit: str) -> str | None:
        """Make it a commit's tree, and return that tree; ``None`` if the commit is not there."""
        if self._git("read-tree", commit) is None:
            return None
        return self.tree()

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
