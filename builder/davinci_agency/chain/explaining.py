"""Why these pull requests are a chain: one chain found in a file, for people and for machines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from davinci_agency.errors import CommandError, DataError
from davinci_agency.files import plain_file, read_lines
from davinci_agency.parsing import MAX_LINE_BYTES, UnusableLineError, parse_record
from davinci_agency.printable import printable
from davinci_agency.records import Chain, ChainStage, Edge, JsonObject, Kind, to_row

_MOST_SHOWN = 5
"""Chains to name when several fit."""
_LONG_TEXTS = ("patch", "test_patch", "body")


def find_chain(path: Path, wanted: str) -> Chain:
    """Return the chain of a file whose id is, or begins with, what is wanted.

    ``owner/name#number`` stands for the chains of several pull requests that hold that one. Raises
    `CommandError` if none fits, or several do. Lines that can't be used are passed over.
    """
    found: dict[str, Kind] = {}
    fitting: Chain | None = None
    for chain in _fitting(path, wanted):
        found[chain.chain_id] = chain.kind
        if fitting is None or chain.chain_id == wanted:
            fitting = chain
    if fitting is not None and (len(found) == 1 or fitting.chain_id == wanted):
        return _checked(fitting)
    if not found:
        raise CommandError(
            f"{path} has no chain {wanted}; name a chain_id, its beginning, or a member of a chain "
            "as owner/name#number."
        )
    named = [f"{key} ({kind})" for key, kind in sorted(found.items())[:_MOST_SHOWN]]
    more = f" and {len(found) - _MOST_SHOWN:,} more" if len(found) > _MOST_SHOWN else ""
    raise CommandError(f"{wanted} may be {', '.join(named)}{more}; name one of them.")


def _checked(chain: Chain) -> Chain:
    """Return a chain whose ties lie between its members. Raises `DataError` if one doesn't."""
    members = {stage.number for stage in chain.stages}
    for edge in chain.edges:
        if not {edge.source, edge.target} <= members:
            raise DataError(
                f"{chain.chain_id} has a tie from #{edge.source} to #{edge.target}, which are not "
                "both its members; make the chains again."
            )
    return chain


def _fitting(path: Path, wanted: str) -> Iterator[Chain]:
    repo, _, number = wanted.rpartition("#")
    # What most lines lack decides before they are parsed.
    must_hold = os.fsencode(repo or wanted)
    with plain_file(path) as plain, plain.open("rb") as file:
        for _, raw in read_lines(file, MAX_LINE_BYTES):
            if raw is None or must_hold not in raw:
                continue
            try:
                chain = parse_record(raw, Chain)
            except UnusableLineError:
                continue
            members = {str(stage.number) for stage in chain.stages}
            is_member = chain.repo == repo and number in members and len(members) > 1
            if is_member or chain.chain_id.startswith(wanted):
                yield chain


def shared_files(chain: Chain, edge: Edge) -> list[str]:
    """Return the files that both ends of an edge change, by name."""
    by_number = {stage.number: stage for stage in chain.stages}
    return sorted(_paths(by_number[edge.source]) & _paths(by_number[edge.target]))


def _paths(stage: ChainStage) -> set[str]:
    return {path for file in stage.files for path in (file.path, file.old_path) if path}


def explanation(chain: Chain) -> JsonObject:
    """Return a chain in JSON's types, without its long texts, and with what its edges share."""
    row = to_row(chain)
    for stage in row["stages"]:
        for name in _LONG_TEXTS:
            del stage[name]
    for edge, said in zip(chain.edges, row["edges"], strict=True):
        said["shared_files"] = shared_files(chain, edge)
    return row


def mermaid(chain: Chain) -> str:
    """Return a chain as a Mermaid flowchart, from the earliest pull request to the latest.

    Whatever people wrote stands in quoted labels, with everything escaped that ends one.
    """
    lines = ["flowchart LR"]
    lines += [f'  p{s.number}["#35;{s.number} {_label(s.title)}"]' for s in chain.stages]
    for edge in chain.edges:
        words = f"{edge.type} {edge.confidence:.2f}"
        lines.append(f'  p{edge.target} -->|"{words}"| p{edge.source}')
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    """Return a text with all but letters, digits and spaces as numbered entities."""
    return "".join(
        char if char.isalnum() or char == " " else f"#{ord(char)};" for char in printable(text)
    )
