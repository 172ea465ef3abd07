"""From a repository to pull-request records: the stage's main sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from davinci_agency.errors import CommandError, DataError
from davinci_agency.ids import author_id
from davinci_agency.mine.diffs import Diff, parse_diffs
from davinci_agency.mine.history import History, LogCommit
from davinci_agency.mine.merges import Merged, Rejected, find_merged
from davinci_agency.mine.paths import main_language
from davinci_agency.mine.repository import Overlay, Source, hosted_at, open_overlay, read_source
from davinci_agency.parallel import ordered_map
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import SCHEMA_VERSION, AuthorKind, Commit, Gap, PullRequest, utc
from davinci_agency.schema import load_schema
from davinci_agency.stage import StageOutput, Summary, stage_output

_BATCH = 100
"""Pull requests to one git process: its start is then a hundredth of the work."""

_BOT = re.compile(rb"\[bot\]|\bbot\b|(?:dependabot|renovate|pre-commit-ci|pyup)\b", re.IGNORECASE)

_ADDRESS = re.compile(r" ?<[^<>@\s]{1,64}@[^<>@\s]{1,255}>")
"""``Signed-off-by: Grace <grace@example.org>``: the name is credit, the address is private."""


@dataclass(frozen=True, slots=True)
class MineOptions:
    """How to mine one repository.

    Attributes:
        repo: owner/name; ``None`` takes it from the address that the clone came from.
        host: the host of the pull requests' pages, such as ``github.com``; ``None`` as above.
        license: the repository's licence as an SPDX expression, if known.
    """

    repo: str | None = None
    host: str | None = None
    license: str | None = None


def mine_pulls(
    sources: Sequence[tuple[Path, MineOptions]],
    out: Path,
    *,
    workers: int = 1,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Mine repositories into one file of `PullRequest` records, sorted by repository and number.

    Counted are the commits that look like merged pull requests. Raises `SourceError` if a source
    is no repository, and `DataError` if one has no commit or no merged pull request.
    """
    named = sorted(
        (identify(read_source(path), options) for path, options in sources),
        key=lambda pair: pair[1].repo or "",
    )
    _check_distinct(named)
    with stage_output("mine", out, strict=strict) as output:
        for source, options in named:
            for pull in _mine(source, options, output, workers, progress):
                output.write(pull, pull.merge_style)
    return output.summary()


def identify(source: Source, options: MineOptions) -> tuple[Source, MineOptions]:
    """Return a source with its options, what they leave open taken from the clone's origin.

    Raises `CommandError` if neither says which repository it is.
    """
    host, name = hosted_at(source.origin) or (None, None)
    repo = options.repo or name
    if repo is None:
        raise CommandError(
            f"{source.path} does not say which repository it is; say it with --repo OWNER/NAME."
        )
    _check_words(repo=repo, license=options.license)
    return source, MineOptions(repo, options.host or host, options.license)


def _check_words(**words: str | None) -> None:
    """Raise `CommandError` if a word that goes into every record is not what its column holds."""
    columns = load_schema(PullRequest.RECORD).document["properties"]
    for name, word in words.items():
        if word is not None and not re.fullmatch(columns[name]["pattern"], word):
            raise CommandError(f"{word!r} is no {columns[name]['x-unit']}; mend --{name}.")


def _check_distinct(named: Sequence[tuple[Source, MineOptions]]) -> None:
    for (first, options), (second, others) in pairwise(named):
        if options.repo == others.repo:
            raise CommandError(
                f"{first.path} and {second.path} are both {options.repo}; name one of them."
            )


def _mine(
    source: Source, options: MineOptions, output: StageOutput, workers: int, progress: Progress
) -> Iterator[PullRequest]:
    """Yield one repository's pull requests by number."""
    repo = options.repo or ""
    with open_overlay(source) as overlay:
        history = History(track(overlay.log(source.branch), progress, f"read {repo}", None))
        found = list(find_merged(history, _pull_heads(overlay, source, history), repo))
        output.read += len(found)
        merged = sorted(
            (item for item in found if isinstance(item, Merged)), key=lambda item: item.number
        )
        for item in found:
            if isinstance(item, Rejected):
                record_id = f"{repo}#{item.number}"
                output.remove("pull-request", record_id, item.rule, item.reason)
        if not merged:
            raise DataError(
                f"{source.path}: no merged pull request is to be found in its history; it needs "
                "GitHub's merge commits, squashes that end in (#N), or refs/pull/*/head."
            )
        diffs = _diffs(overlay, merged, workers)
        for item, diff in track(
            zip(merged, diffs, strict=True), progress, f"mine {repo}", len(merged)
        ):
            output.kept += 1
            yield _pull(item, diff, options)


def _pull_heads(overlay: Overlay, source: Source, history: History) -> dict[int, LogCommit]:
    """Return the commits at the pull heads; those that the clone lacks are left out."""
    elsewhere = sorted(set(source.pull_heads.values()) - history.index.keys())
    others = {commit.sha: commit for commit in overlay.commits(elsewhere)}
    heads = {}
    for number, sha in source.pull_heads.items():
        place = history.index.get(sha)
        commit = others.get(sha) if place is None else history.commits[place]
        if commit is not None:
            heads[number] = commit
    return heads


def _diffs(overlay: Overlay, merged: Sequence[Merged], workers: int) -> Iterator[Diff]:
    pairs = [(item.merge.sha, item.base) for item in merged]
    missing = overlay.stand_in_for_missing(pairs)
    batches = [pairs[start : start + _BATCH] for start in range(0, len(pairs), _BATCH)]
    for diffs in ordered_map(partial(_read_diffs, overlay, missing), batches, workers):
        yield from diffs


def _read_diffs(
    overlay: Overlay, missing: frozenset[str], pairs: Sequence[tuple[str, str]]
) -> list[Diff]:
    return list(parse_diffs(overlay.diff(pairs), [commit for commit, _ in pairs], missing))


def _pull(item: Merged, diff: Diff, options: MineOptions) -> PullRequest:
    title, title_is_whole = _text(item.title)
    body, body_is_whole = _text(item.body)
    commits, commits_are_whole = _commits(item.commits)
    gaps: list[Gap] = list(item.gaps)
    if not (title_is_whole and body_is_whole and commits_are_whole):
        gaps.append("not-utf-8-text")
    if any(file.omitted for file in diff.files):
        gaps.append("omitted-files")
    url = f"https://{options.host}/{options.repo}/pull/{item.number}" if options.host else None
    return PullRequest(
        schema_version=SCHEMA_VERSION,
        repo=options.repo or "",
        number=item.number,
        url=url,
        title=title,
        body=body,
        author_id=author_id(item.author.email),
        author_kind=_author_kind(item.author),
        merge_style=item.style,
        merged_at=utc(item.merge.committed),
        base_commit=item.base,
        merge_base=item.merge_base,
        head_commit=item.head,
        merge_commit=item.merge.sha,
        license=options.license,
        language=main_language(diff.files),
        commits=commits,
        files=diff.files,
        patch=diff.patch,
        test_patch=diff.test_patch,
        additions=diff.additions,
        deletions=diff.deletions,
        gaps=tuple(sorted(gaps)),
    )


def _commits(commits: Sequence[LogCommit]) -> tuple[tuple[Commit, ...], bool]:
    records, whole = [], True
    for commit in commits:
        message, is_whole = _text(commit.message.strip())
        whole = whole and is_whole
        records.append(
            Commit(
                sha=commit.sha,
                authored_at=utc(commit.authored),
                author_id=author_id(commit.email),
                author_kind=_author_kind(commit),
                message=message,
            )
        )
    return tuple(records), whole


def _author_kind(commit: LogCommit) -> AuthorKind:
    return "bot" if _BOT.search(commit.name) or _BOT.search(commit.email) else "person"


def _text(raw: bytes) -> tuple[str, bool]:
    """Return bytes as text without the addresses in its trailers, and whether it was all UTF-8."""
    try:
        text, is_whole = raw.decode(), True
    except UnicodeDecodeError:
        text, is_whole = raw.decode(errors="replace"), False
    return _ADDRESS.sub("", text), is_whole
