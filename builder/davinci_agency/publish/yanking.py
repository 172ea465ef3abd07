"""A release taken back: ``main`` shows the one before, and says why. Nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from davinci_agency.errors import CommandError, RemoteError
from davinci_agency.progress import SILENT, Progress
from davinci_agency.publish.changelog import with_withdrawal
from davinci_agency.publish.hub import HubRepository, RemoteState, not_found_as_error
from davinci_agency.publish.verifying import verify_release
from davinci_agency.publish.versions import Version, versions_of
from davinci_agency.release import CARD, CHANGELOG, MANIFEST, Manifest, manifest_bytes

_END_OF_TITLE = "\n# "


@dataclass(frozen=True, slots=True)
class Yanked:
    """What came of taking a release back: ``main`` is at ``commit`` and shows ``shows``."""

    version: Version
    shows: Version
    commit: str


def yank_release(
    repository: HubRepository, tag: str, why: str, progress: Progress = SILENT
) -> Yanked:
    """Take a release back.

    If ``main`` shows it, ``main`` gets the files of the newest release before it that was not
    withdrawn, by one commit; else only the mark. The tag stays, so that whoever named it still gets
    the same bytes. Raises `CommandError` if there is no such release, or none before it.
    """
    version = Version.parse(tag)
    why = " ".join(why.split())
    if not why:
        raise CommandError("say --why the release is withdrawn; it will stand in the card.")
    with not_found_as_error(repository):
        main = repository.state()
    if main is None or main.manifest is None or main.manifest.version is None:
        raise CommandError(f"{repository.name} holds no release.")
    if version.tag not in main.tags:
        known = ", ".join(each.tag for each in versions_of(main.tags)) or "none"
        raise CommandError(f"{repository.name} has no release {version.tag}; there are {known}.")
    withdrawn = {**main.manifest.withdrawn, str(version): why}
    target, manifest = main, main.manifest
    shows = Version.parse(main.manifest.version)
    if shows == version:
        shows = _before(main, version, withdrawn)
        found = repository.state(shows.tag)
        if found is None or found.manifest is None:
            raise RemoteError(f"{repository.name}@{shows.tag} holds no release.")
        target, manifest = found, found.manifest
    manifest = replace(manifest, withdrawn=withdrawn)
    commit = _show(repository, main, target, manifest, version, why)
    verify_release(repository, commit, progress)
    return Yanked(version, shows, commit)


def _before(main: RemoteState, version: Version, withdrawn: dict[str, str]) -> Version:
    earlier = [
        each for each in versions_of(main.tags) if each < version and str(each) not in withdrawn
    ]
    if not earlier:
        raise CommandError(
            f"there is no release before {version.tag} to show instead; publish a better one."
        )
    return earlier[-1]


def _show(
    repository: HubRepository,
    main: RemoteState,
    target: RemoteState,
    manifest: Manifest,
    version: Version,
    why: str,
) -> str:
    """Commit to ``main`` the files of a release, with the mark of another one."""
    documents = {
        CARD: _marked(repository.read(CARD, target.head).decode(), version, why),
        CHANGELOG: with_withdrawal(_changelog(repository, main), version, why),
        MANIFEST: manifest_bytes(manifest).decode(),
    }
    files = {path: text.encode() for path, text in documents.items()}
    copied = {
        path: target.head
        for path, file in target.files.items()
        if path not in files and main.files.get(path) != file
    }
    held = main.manifest.shards if main.manifest else ()
    gone = {shard.path for shard in held} - {shard.path for shard in manifest.shards}
    commit, _ = repository.commit(
        f"Withdraw {version.tag}",
        files,
        parent=main.head,
        branch="main",
        deleted=sorted(gone & main.files.keys()),
        copied=copied,
    )
    return commit


def _changelog(repository: HubRepository, main: RemoteState) -> str:
    return repository.read(CHANGELOG, main.head).decode() if CHANGELOG in main.files else ""


def _marked(card: str, version: Version, why: str) -> str:
    """Return a card with a notice under its title."""
    head, title, rest = card.partition(_END_OF_TITLE)
    name, newline, text = rest.partition("\n")
    notice = f"\n> **{version.tag} was withdrawn**: {_quoted(why)}\n"
    return f"{head}{title}{name}{newline}{notice}{text}"


def _quoted(text: str) -> str:
    """Return text so that Markdown shows it and does nothing with it."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|~" else sign for sign in text)
