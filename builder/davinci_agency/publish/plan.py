"""What publishing would do: which files, how many bytes, which rows, which version; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from davinci_agency.errors import ReleaseError
from davinci_agency.notices import NOTICES
from davinci_agency.publish.changelog import with_section
from davinci_agency.publish.hub import RemoteFile, RemoteState
from davinci_agency.publish.versions import FIRST, Change, Version, change_between, versions_of
from davinci_agency.release import (
    CARD,
    CHANGELOG,
    MANIFEST,
    PLOTS,
    SCHEMAS,
    Manifest,
    manifest_bytes,
)

Render = Callable[[Manifest], str]
"""Returns the card of a release as its manifest names it."""
Content = Path | bytes


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to be published; ``sha256`` is of its bytes."""

    path: str
    content: Content
    bytes: int
    sha256: str

    def is_at(self, remote: RemoteFile | None) -> bool:
        """Tell whether the Hub has the file, as it is, under this path."""
        if remote is None or remote.bytes != self.bytes:
            return False
        if remote.sha256 is not None:
            return remote.sha256 == self.sha256
        return remote.blob_id == _blob_id(self.content)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one publishing does.

    Attributes:
        repository: the dataset repository.
        branch: the branch that is changed.
        parent: the commit that it is at; ``None`` if there is no repository yet.
        before: the version that it holds; ``None`` if it holds no release.
        version: the version that it will hold.
        change: how much it differs from the one before.
        manifest: the manifest as it will be published.
        new: files that were not there.
        changed: files that were there, and differ.
        unchanged: files that are there already.
        deleted: files of the release before that this one has not.
        rows: the rows of each config, before and after.
        schema: the version of the schemas, before and after.
    """

    repository: str
    branch: str
    parent: str | None
    before: Version | None
    version: Version
    change: Change
    manifest: Manifest
    new: tuple[LocalFile, ...]
    changed: tuple[LocalFile, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    rows: Mapping[str, tuple[int, int]]
    schema: tuple[str | None, str]

    @property
    def sends(self) -> tuple[LocalFile, ...]:
        """The files to be sent."""
        return self.new + self.changed

    @property
    def bytes(self) -> int:
        """The size of the files to be sent; large files are sent in part if the Hub has parts."""
        return sum(file.bytes for file in self.sends)

    @property
    def is_empty(self) -> bool:
        """Whether the branch holds this very release already."""
        return not self.sends and not self.deleted

    def to_json(self) -> dict[str, Any]:
        """Return the plan in JSON's types."""
        return {
            "repository": self.repository,
            "branch": self.branch,
            "parent": self.parent,
            "before": None if self.before is None else str(self.before),
            "version": str(self.version),
            "change": self.change.name.lower(),
            "new": [file.path for file in self.new],
            "changed": [file.path for file in self.changed],
            "unchanged": list(self.unchanged),
            "deleted": list(self.deleted),
            "bytes": self.bytes,
            "rows": {config: list(counts) for config, counts in self.rows.items()},
            "schema": list(self.schema),
        }


def make_plan(
    repository: str,
    branch: str,
    local: Manifest,
    files: Mapping[str, LocalFile],
    remote: RemoteState | None,
    changelog: str,
    render: Render,
    *,
    asked: Version | None = None,
) -> Plan:
    """Return what publishing a release would do.

    ``files`` are the release's own but for card, changelog and manifest, which follow from the
    version; ``changelog`` is the one that the branch holds. Raises `ReleaseError` if the version
    that was asked for does not fit.
    """
    held = remote.manifest if remote else None
    remote_files = remote.files if remote else {}
    before = Version.parse(held.version) if held and held.version else None
    change = _change(held, local, files, remote_files, render, repository)
    version = _version(before, change, versions_of(remote.tags if remote else ()), asked)
    manifest = replace(
        local,
        repository=repository,
        version=str(version),
        withdrawn=held.withdrawn if held else {},
    )
    words = changelog if before == version else with_section(changelog, version, held, manifest)
    documents = {
        CARD: render(manifest).encode(),
        CHANGELOG: words.encode(),
        MANIFEST: manifest_bytes(manifest),
    }
    wanted = {**files, **{path: in_memory(path, raw) for path, raw in documents.items()}}
    missing = [file for file in wanted.values() if not file.is_at(remote_files.get(file.path))]
    return Plan(
        repository=repository,
        branch=branch,
        parent=remote.head if remote else None,
        before=before,
        version=version,
        change=change,
        manifest=manifest,
        new=tuple(file for file in missing if file.path not in remote_files),
        changed=tuple(file for file in missing if file.path in remote_files),
        unchanged=tuple(sorted(set(wanted) - {file.path for file in missing})),
        deleted=tuple(sorted(_owned(held, remote_files) - wanted.keys())),
        rows=_rows(held, local),
        schema=(held.schema_version if held else None, local.schema_version),
    )


def in_memory(path: str, content: bytes) -> LocalFile:
    """Return a small file that publishing writes itself."""
    return LocalFile(path, content, len(content), hashlib.sha256(content).hexdigest())


def _change(
    held: Manifest | None,
    local: Manifest,
    files: Mapping[str, LocalFile],
    remote: Mapping[str, RemoteFile],
    render: Render,
    repository: str,
) -> Change:
    if held is None:
        return Change.MAJOR
    change = change_between(held, local)
    if change is not Change.NONE:
        return change
    # The same data: would its words be the same under the version that is there?
    same = replace(
        local, repository=repository, version=held.version, withdrawn=dict(held.withdrawn)
    )
    words = [in_memory(CARD, render(same).encode()), in_memory(MANIFEST, manifest_bytes(same))]
    is_there = all(file.is_at(remote.get(file.path)) for file in (*words, *files.values()))
    return Change.NONE if is_there else Change.PATCH


def _version(
    before: Version | None, change: Change, known: list[Version], asked: Version | None
) -> Version:
    if change is Change.NONE and before is not None:
        if asked not in (None, before):
            raise ReleaseError(
                f"this release is published already, as {before}; {asked} would be the same again."
            )
        return before
    newest = max([*known, *([before] if before else [])], default=None)
    least = FIRST if newest is None else newest.after(change)
    if asked is None:
        return least
    if newest is not None and asked <= newest:
        raise ReleaseError(f"there is {newest} already; publish under a version above it.")
    if newest is not None and asked < least:
        raise ReleaseError(
            f"{asked} says too little: after {newest} a {change.name.lower()} change makes {least}."
        )
    return asked


def _owned(manifest: Manifest | None, remote: Mapping[str, RemoteFile]) -> set[str]:
    """Return the files that may be deleted with a release: its shards, schemas, plots, notices."""
    if manifest is None:
        return set()
    shards = {shard.path for shard in manifest.shards}
    beside = (f"{SCHEMAS}/{manifest.schema_version}/", f"{PLOTS}/")
    if manifest.notices_sha256 is not None:
        shards.add(NOTICES)
    return {path for path in remote if path in shards or path.startswith(beside)}


def _rows(held: Manifest | None, local: Manifest) -> dict[str, tuple[int, int]]:
    before = held.rows if held else {}
    counts = {
        config: (before.get(config, 0), local.rows.get(config, 0))
        for config in {**before, **local.rows}
    }
    return {config: both for config, both in counts.items() if any(both)}


def _blob_id(content: Content) -> str:
    """Return git's name for some content."""
    raw = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha1(b"blob %d\0%s" % (len(raw), raw), usedforsecurity=False).hexdigest()
