"""Reads the chain files of AgencyBench: pull requests in order, each with a query; pure.

A file says which pull requests and what is asked. It says nothing of when they were merged, by whom
or under which licence, and its patches lack the lines that git needs; so all that comes from the
mined pull requests, and the file's patches only prove that the same ones are meant.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import orjson


class ChainFileError(ValueError):
    """A file is no chain, or one that can't be used; says why."""


class _Patch(msgspec.Struct):
    path: str


class _Stage(msgspec.Struct):
    pr_number: str | int
    test_query: str
    patches: list[_Patch] = []


class _Metadata(msgspec.Struct):
    source_repository: str
    template_version: str | None = None


class _File(msgspec.Struct):
    metadata: _Metadata
    stages: list[_Stage]


@dataclass(frozen=True, slots=True)
class Asked:
    """One stage: the pull request, what is asked, and the files that its patches touch."""

    number: int
    query: str
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChainFile:
    """A chain: the repository, the version of what wrote the queries, and the stages in order."""

    repo: str
    version: str
    stages: tuple[Asked, ...]


def read_chain_file(raw: bytes) -> ChainFile:
    """Return the chain in a file. Raises `ChainFileError` saying what is wrong with it."""
    try:
        whole = msgspec.convert(orjson.loads(raw), _File, strict=False)
    except (orjson.JSONDecodeError, msgspec.ValidationError) as error:
        raise ChainFileError(f"it is no chain file of AgencyBench ({error})") from error
    if not whole.stages:
        raise ChainFileError("it has no stages")
    stages = []
    for number, stage in enumerate(whole.stages, start=1):
        named = str(stage.pr_number)
        if not named.isascii() or not named.isdigit() or not 0 < len(named) < 10:
            raise ChainFileError(f"stage {number} names no pull request ({named[:40]!r})")
        if not stage.test_query.strip():
            raise ChainFileError(f"stage {number} asks for nothing")
        paths = frozenset(patch.path for patch in stage.patches)
        stages.append(Asked(int(named), stage.test_query, paths))
    version = whole.metadata.template_version or "unknown"
    return ChainFile(whole.metadata.source_repository, version, tuple(stages))
