"""From a release to the Hub: the stage's main sentence."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from davinci_agency.errors import CommandError, ReleaseError, RemoteError
from davinci_agency.files import digest_file
from davinci_agency.progress import SILENT, Progress
from davinci_agency.publish.gates import check_gates
from davinci_agency.publish.hub import (
    HubRepository,
    LostAnswerError,
    RemoteState,
    not_found_as_error,
)
from davinci_agency.publish.plan import LocalFile, Plan, Render, in_memory, make_plan
from davinci_agency.publish.script import (
    BRANCH,
    COLUMNS,
    SCRIPT,
    columns_module,
    script_readme,
)
from davinci_agency.publish.verifying import Verified, verify_release
from davinci_agency.publish.versions import Version
from davinci_agency.release import CARD, CHANGELOG, MANIFEST, Manifest, read_manifest
from davinci_agency.shipped import shipped
from davinci_agency.spdx import PERMISSIVE

_TRIES = 3
"""How often a commit whose answer was lost is looked for, and tried again."""
_WAIT = 2.0
_SHOWN = 20
_BRANCH_NAME = re.compile(r"[A-Za-z0-9][\w./-]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How to publish.

    Attributes:
        version: the version to publish under; ``None`` for the one that follows.
        branch: the branch to change.
        private: whether a repository that is made is private.
        as_pull_request: whether to open a pull request instead of changing the branch.
        licenses: the licences, by SPDX, under which rows may be published.
        people: whether addresses and names of home directories may be published.
    """

    version: Version | None = None
    branch: str = "main"
    private: bool = False
    as_pull_request: bool = False
    licenses: frozenset[str] = PERMISSIVE
    people: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of publishing.

    Attributes:
        plan: what was to be done.
        verified: what was read back; ``None`` if nothing was done.
        tag: the tag of the release; ``None`` where it gets none yet.
        pull_request: the address of the pull request, if one was opened.
    """

    plan: Plan
    verified: Verified | None = None
    tag: str | None = None
    pull_request: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the outcome in JSON's types."""
        return {
            "published": self.verified is not None,
            "repository": self.plan.repository,
            "version": str(self.plan.version),
            "commit": self.verified.commit if self.verified else None,
            "tag": self.tag,
            "pull_request": self.pull_request,
            "rows": self.verified.rows if self.verified else {},
        }

    def words(self) -> str:
        """Return the outcome in a sentence or two."""
        name, version = self.plan.repository, self.plan.version
        if self.verified is None:
            return "Nothing was published."
        if self.pull_request is not None:
            return (
                f"{self.pull_request} is open and whole; once it is merged, "
                "publish again to tag it."
            )
        rows = f"{sum(self.verified.rows.values()):,} rows read back"
        done = "was there already" if self.plan.is_empty else "is published"
        if self.tag is None:
            return f"{version} {done} on the branch {self.plan.branch}, without a tag; {rows}."
        return f'{version} {done}; {rows}. load_dataset("{name}", …, revision="{self.tag}")'


def publish_release(
    folder: Path,
    repository: HubRepository,
    options: PublishOptions,
    *,
    render: Render,
    is_card_true: Callable[[Path], bool],
    confirm: Callable[[Plan], bool],
    progress: Progress = SILENT,
) -> Outcome:
    """Publish a release: plan, gates, one commit, read back, tag.

    ``render`` writes the card for the manifest as it will be published, and ``confirm`` is asked
    once, with the plan, after all gates; if it says no, nothing is done. A release that is there
    already makes no commit; only what a killed run left undone is done. Raises `ReleaseError` if a
    gate does not hold, `CommandError` if a branch can't be called so, and `RemoteError` if the Hub,
    or somebody else on it, is in the way.
    """
    if not _BRANCH_NAME.fullmatch(options.branch) or ".." in options.branch:
        raise CommandError(f"{options.branch[:80]!r} is no name for a branch.")
    local = read_manifest(folder)
    files = _files(folder, local)
    plan = _plan(repository, options, local, files, render)
    faults = list(
        check_gates(
            folder,
            local,
            is_card_true=is_card_true,
            licenses=options.licenses,
            kinds=frozenset({"secret"} if options.people else {"secret", "person"}),
            progress=progress,
        )
    )
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults[:_SHOWN])
        more = f"\n  … and {len(faults) - _SHOWN:,} more" if len(faults) > _SHOWN else ""
        raise ReleaseError(f"{folder} can't be published:\n{listed}{more}")
    if not confirm(plan):
        return Outcome(plan)
    with not_found_as_error(repository):
        plan = _with_repository(repository, options, plan)
        return _publish(repository, options, plan, local, files, render, progress)


def _publish(
    repository: HubRepository,
    options: PublishOptions,
    plan: Plan,
    local: Manifest,
    files: dict[str, LocalFile],
    render: Render,
    progress: Progress,
) -> Outcome:
    for tries_left in reversed(range(_TRIES)):
        if plan.is_empty:
            return _finish(repository, options, plan, str(plan.parent), progress)
        _tag_forgotten(repository, options)
        try:
            commit, pull_request = _commit(repository, options, plan, progress)
        except LostAnswerError:
            if not tries_left:
                raise
            # The commit may be there or not: a new plan on what is there now will tell.
            time.sleep(_WAIT)
            plan = _plan(repository, options, local, files, render)
            continue
        if pull_request is not None:
            verified = verify_release(repository, commit, progress)
            return Outcome(plan, verified, pull_request=pull_request)
        return _finish(repository, options, plan, commit, progress)
    raise AssertionError("the last try either returns or raises")


def _commit(
    repository: HubRepository, options: PublishOptions, plan: Plan, progress: Progress
) -> tuple[str, str | None]:
    progress.start(f"send {len(plan.sends)} files", None)
    return repository.commit(
        f"Publish {plan.version.tag}",
        {file.path: file.content for file in plan.sends},
        parent=str(plan.parent),
        branch=options.branch,
        deleted=plan.deleted,
        as_pull_request=options.as_pull_request,
    )


def _finish(
    repository: HubRepository,
    options: PublishOptions,
    plan: Plan,
    commit: str,
    progress: Progress,
) -> Outcome:
    """Read a commit back, and tag it only if it is whole."""
    verified = verify_release(repository, commit, progress)
    if options.branch != "main" and options.version is None:
        return Outcome(plan, verified)
    repository.tag(plan.version.tag, commit, f"Release {plan.version}")
    if options.branch == "main":
        _publish_script(repository, plan)
    return Outcome(plan, verified, tag=plan.version.tag)


def _publish_script(repository: HubRepository, plan: Plan) -> None:
    """Put the loading script for old clients of this release on its branch, and tag it."""
    tag = f"{BRANCH}-{plan.version.tag}"
    name = repository.name.rpartition("/")[2]
    script = (shipped("loading_script") / SCRIPT).read_bytes()
    documents = {
        f"{name}.py": script,
        COLUMNS: columns_module(plan.manifest).encode(),
        CARD: script_readme(plan.manifest).encode(),
    }
    # From the very first commit, which holds no data: beside data a script breaks new clients.
    repository.branch(BRANCH, repository.first_commit())
    state = repository.state(BRANCH)
    if state is None:
        raise RemoteError(f"{repository.name} has no branch {BRANCH}; publish again.")
    if tag in state.tags:
        return
    head = state.head
    files = [in_memory(path, content) for path, content in documents.items()]
    if not all(file.is_at(state.files.get(file.path)) for file in files):
        head, _ = repository.commit(
            f"Read {plan.version.tag}", documents, parent=state.head, branch=BRANCH
        )
    repository.tag(tag, head, f"Reads {plan.version}")


def _tag_forgotten(repository: HubRepository, options: PublishOptions) -> None:
    """Tag the release that is there, if whoever published it was killed before."""
    state = repository.state("main")
    held = state.manifest if state else None
    if state is None or held is None or held.version is None or options.branch != "main":
        return
    version = Version.parse(held.version)
    if version.tag not in state.tags:
        verify_release(repository, state.head)
        repository.tag(version.tag, state.head, f"Release {version}")


def _plan(
    repository: HubRepository,
    options: PublishOptions,
    local: Manifest,
    files: dict[str, LocalFile],
    render: Render,
) -> Plan:
    remote = _state(repository, options.branch)
    changelog = ""
    if remote is not None and CHANGELOG in remote.files:
        changelog = repository.read(CHANGELOG, remote.head).decode()
    return make_plan(
        repository.name,
        options.branch,
        local,
        files,
        remote,
        changelog,
        render,
        asked=options.version,
    )


def _state(repository: HubRepository, branch: str) -> RemoteState | None:
    """Return the branch; one that is to be made will begin where ``main`` is."""
    return repository.state(branch) or repository.state("main")


def _with_repository(repository: HubRepository, options: PublishOptions, plan: Plan) -> Plan:
    """Make the repository and the branch, if they are not there, and return the plan on them."""
    if plan.parent is None:
        repository.create(private=options.private)
        # Its very first commit: if somebody else published meanwhile, this is no longer the head.
        plan = replace(plan, parent=repository.first_commit())
    if options.branch != "main":
        repository.branch(options.branch, plan.parent)
    return plan


def _files(folder: Path, manifest: Manifest) -> dict[str, LocalFile]:
    """Return the files of a release but those that publishing writes itself."""
    digests = {shard.path: shard.sha256 for shard in manifest.shards}
    found = {}
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if file.is_file() and path not in (CARD, CHANGELOG, MANIFEST):
            digest = digests.get(path) or digest_file(file)
            found[path] = LocalFile(path, file, file.stat().st_size, digest)
    return found
