"""From repositories to pull-request records: the stage's main sentence."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path

import msgspec

from davinci_agency.errors import DataError
from davinci_agency.files import STDIO, atomic_file
from davinci_agency.garbage import collecting_rarely
from davinci_agency.mine.attributes import open_attributes, read_attributes
from davinci_agency.mine.diffs import Diff
from davinci_agency.mine.filters import Filters, Traits, removal_by
from davinci_agency.mine.github.views import repository_license
from davinci_agency.mine.history import LOG_FORMAT, History, Log
from davinci_agency.mine.merges import Known, find_merged
from davinci_agency.mine.patches import Patches
from davinci_agency.mine.pulls import Merged, Rejected
from davinci_agency.mine.record import About, Found, digest, make_record
from davinci_agency.mine.relations import Relations, find_relations
from davinci_agency.mine.sources import MineOptions, check_distinct, identify
from davinci_agency.mine.stacks import with_stacks
from davinci_agency.mine.store import Store, open_store, pack
from davinci_agency.mine.words import with_words
from davinci_agency.notices import NoticeLine, notices_file, write_notices
from davinci_agency.parallel import HERE, Engine
from davinci_agency.progress import SILENT, Progress, track
from davinci_agency.records import SCHEMA_VERSION, MergeStyle, to_json
from davinci_agency.repository.licensing import (
    Licensing,
    read_licensing,
    read_notices,
)
from davinci_agency.repository.overlay import Overlay, open_overlay
from davinci_agency.repository.source import Source, read_source
from davinci_agency.stage import StageOutput, Summary, stage_output
from davinci_agency.version import __version__

_BATCH = 400
"""Records to a transaction of the store: what a kill costs at most."""


@dataclass(frozen=True, slots=True)
class Mined:
    """What became of one repository's pull requests; their records are in its store.

    Attributes:
        styles: how each one was merged, by number.
        taken_back: which were reverted, and by which.
        rejected: what only looked like one.
        notes: what a person should know.
        notices: the texts of its licences and notices, at any of the base commits.
    """

    styles: dict[int, MergeStyle]
    taken_back: dict[int, int]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]
    notices: tuple[NoticeLine, ...]


def mine_pulls(
    sources: Sequence[tuple[Path, MineOptions]],
    out: Path,
    *,
    cache: Path | None = None,
    engine: Engine = HERE,
    strict: bool = False,
    progress: Progress = SILENT,
) -> Summary:
    """Mine repositories into one file of `PullRequest` records, sorted by repository and number.

    ``cache`` is a folder that remembers what was mined; without one everything is done anew.
    Several repositories are mined by as many workers as the engine has, one by as many threads.
    Counted are the commits that look like merged pull requests.

    Raises `SourceError` if a source is no repository, `DataError` if one has no commit or no
    merged pull request, and `RemoteError` if GitHub does not answer.
    """
    named = sorted(
        (identify(read_source(path), options) for path, options in sources),
        key=lambda pair: pair[1].repo or "",
    )
    check_distinct(named)
    with ExitStack() as stack:
        output = stack.enter_context(stage_output("mine", out, strict=strict))
        notices = None if out == STDIO else stack.enter_context(atomic_file(notices_file(out)))
        made = partial(tempfile.TemporaryDirectory, prefix="davinci-agency-", dir=engine.scratch)
        folder = cache or Path(stack.enter_context(made()))
        at_once = min(engine.workers, len(named))
        watch, where = (progress, HERE) if at_once == 1 else (SILENT, engine)
        update = partial(_update, folder.absolute(), engine.workers // at_once, watch)
        results = where.map(update, named)
        for (_, options), mined in zip(named, results, strict=True):
            with open_store(_store_path(folder, options)) as store:
                _write(store, mined, options, output, progress)
            if notices is not None:
                write_notices(notices, mined.notices)
    return output.summary()


def _store_path(folder: Path, options: MineOptions) -> Path:
    return folder / f"{(options.repo or '').replace('/', '__')}.sqlite"


@collecting_rarely()
def _update(
    folder: Path, workers: int, progress: Progress, named: tuple[Source, MineOptions]
) -> Mined:
    """Bring one repository's store up to date, and return what it holds."""
    source, options = named
    with open_store(_store_path(folder, options)) as store, open_overlay(source) as overlay:
        about = _ask_github(store, options, progress)
        pulls = find_pulls(overlay, source, about.repo, store.merges(), progress)
        history, merged = pulls.history, pulls.merged
        if not merged:
            raise DataError(
                f"{source.path}: no merged pull request is to be found in its history; it needs "
                "GitHub's merge commits, squashes that end in (#N), or refs/pull/*/head."
            )
        relations = find_relations(history, merged)
        chosen = _choose(history, merged, options)
        if options.asks_github and options.github is not None:
            from davinci_agency.mine.github.reading import ask_for

            numbers = [item.number for item in chosen]
            ask_for(store, options.github, about.repo, numbers, progress)
        found = [
            Found(
                item, _branch_name(source, history, item), relations.get(item.number, Relations())
            )
            for item in chosen
        ]
        tip = source.branches[0].tip
        told = read_licensing(overlay, [*sorted({item.merged.base for item in found}), tip])
        licenses = _licenses(store, told, tip, options)
        _fill(store, overlay, source, history, found, about, options, licenses, workers, progress)
        notices = tuple(_notices(overlay, told, licenses, about.repo))
    return Mined(
        styles={item.number: item.style for item in chosen},
        taken_back={n: number for number, r in relations.items() for n in r.reverts},
        rejected=tuple(pulls.rejected),
        notes=_notes(options, source),
        notices=notices,
    )


def _ask_github(store: Store, options: MineOptions, progress: Progress) -> About:
    """Read what GitHub knows, if it is to be asked, and return what all records share."""
    repo = options.repo or ""
    if options.asks_github and options.github is not None:
        from davinci_agency.mine.github.reading import read_all

        everything = options.since is None and options.limit is None
        read_all(store, options.github, repo, progress, everything=everything)
    return About(repo, options.host)


def _notices(
    overlay: Overlay,
    told: Mapping[str, Licensing],
    licenses: Mapping[str, str | None],
    repo: str,
) -> Iterator[NoticeLine]:
    """Yield the licences and notices at some commits, with the licences that these were under."""
    under: dict[str, set[str]] = defaultdict(set)
    for commit, said in told.items():
        for _, blob in said.files:
            under[blob].add(licenses[commit] or "")
    for notice in read_notices(overlay, told.values()):
        known = tuple(sorted(under[notice.blob]))
        yield NoticeLine(repo, notice.path, notice.blob, notice.text, known)


def _licenses(
    store: Store, told: Mapping[str, Licensing], tip: str, options: MineOptions
) -> dict[str, str | None]:
    """Return the licence at every commit: the curator's word, else the files', else GitHub's.

    GitHub's answer is today's. It holds for a base without such files, and for one that has the
    files of today, at the tip of the default branch, where these could not be read.
    """
    if options.license is not None:
        return dict.fromkeys(told, options.license)
    today = repository_license(store)

    def license_at(base: str) -> str | None:
        said = told[base]
        is_todays = said.files in ((), told[tip].files) and not said.has_own_terms
        return said.expression or (today if is_todays else None)

    return {base: license_at(base) for base in told}


def _read_history(overlay: Overlay, source: Source, progress: Progress, repo: str) -> History:
    tips = [branch.tip for branch in source.branches]
    blocks = overlay.log([*tips, *source.pull_heads.values()], LOG_FORMAT)
    return History(Log(track(blocks, progress, f"read {repo}", None)), tips)


@dataclass(frozen=True, slots=True)
class Pulls:
    """A history, its merged pull requests by number, and what only looks like one."""

    history: History
    merged: list[Merged]
    rejected: list[Rejected]


@collecting_rarely()
def find_pulls(
    overlay: Overlay,
    source: Source,
    repo: str,
    merges: Mapping[int, str] | None = None,
    progress: Progress = SILENT,
) -> Pulls:
    """Find the merged pull requests of a repository, without reading any file.

    ``merges`` holds the commits that GitHub says merged them, by number.
    """
    history = _read_history(overlay, source, progress, repo)
    index = history.index
    heads = {n: index[sha] for n, sha in source.pull_heads.items() if sha in index}
    known = Known(repo.lower(), heads, *_newest(history, heads), merges or {})
    found = list(find_merged(history, known))
    rejected = [item for item in found if isinstance(item, Rejected)]
    doubted = {}
    merged = {item.number: item for item in found if isinstance(item, Merged)}
    for item in merged.values():
        if "head-differs" in item.gaps and item.head and item.merge_base:
            doubted[item.number] = item
    pairs = [(item.merge, item.base) for item in doubted.values()]
    pairs += [(item.head or "", item.merge_base or "") for item in doubted.values()]
    paths = list(overlay.paths(pairs)) if pairs else []
    for place, item in enumerate(doubted.values()):
        ours, theirs = paths[place], paths[place + len(doubted)]
        if ours.isdisjoint(theirs):
            del merged[item.number]
            reason = f"{item.merge} changes no file that the head of #{item.number} changes"
            rejected.append(Rejected(item.number, "other-work", reason))
        elif ours == theirs and item.style == "squash":
            gaps = tuple(gap for gap in item.gaps if gap != "head-differs")
            merged[item.number] = replace(item, gaps=gaps)
    in_order = [merged[number] for number in sorted(merged)]
    return Pulls(history, with_stacks(history, in_order), rejected)


def _newest(history: History, heads: Mapping[int, int]) -> tuple[int, int]:
    """Return the highest number that there is a head of, and when that was committed."""
    newest = max(heads, default=0)
    return newest, int(history.log.committed[heads[newest]] or 0) if newest else 0


def _choose(history: History, merged: Sequence[Merged], options: MineOptions) -> list[Merged]:
    """Return the pull requests that the options ask for, by number."""

    def when(item: Merged) -> tuple[int, int]:
        return int(history.log.committed[history.index[item.merge]] or 0), item.number

    chosen = list(merged)
    if options.since is not None:
        first = datetime.combine(options.since, time(), UTC).timestamp()
        chosen = [item for item in chosen if when(item)[0] >= first]
    if options.limit is not None:
        chosen = sorted(chosen, key=when)[max(0, len(chosen) - options.limit) :]
    return sorted(chosen, key=lambda item: item.number)


def _branch_name(source: Source, history: History, item: Merged) -> str | None:
    if item.into == "pull-request" or not item.spread:
        return None
    return source.branches[history.branch[item.position]].name


def _fill(
    store: Store,
    overlay: Overlay,
    source: Source,
    history: History,
    found: Sequence[Found],
    about: About,
    options: MineOptions,
    licenses: Mapping[str, str | None],
    workers: int,
    progress: Progress,
) -> None:
    """Make the records that the store does not have yet."""
    views = store.views()
    attributes = read_attributes(overlay, source.branches[0].tip)
    shared = digest((__version__, SCHEMA_VERSION, about, attributes, options.filters.opted_out))
    if overlay.present(store.state("missing") or ()):
        store.forget_lines()
        store.put_state(missing=[])
    there = store.keys()
    keys = {
        item.merged.number: item.key(
            history, shared, views.get(item.merged.number), licenses[item.merged.base]
        )
        for item in found
    }
    new = [item for item in found if there.get(item.merged.number) != keys[item.merged.number]]

    def make(item: Found, diff: Diff) -> tuple[int, bytes, bytes]:
        number = item.merged.number
        record = make_record(history, item, diff, about, licenses[item.merged.base])
        if number in views:
            record = with_words(record, store.view(number), options.filters.opted_out)
        return number, keys[number], pack(to_json(record))

    with open_attributes(overlay) as asked:
        generated = asked.is_generated if attributes else None
        patches = Patches(overlay, [item.pair for item in new], generated)
        made = patches.each(new, lambda item: item.pair, make, workers)
        rows: list[tuple[int, bytes, bytes]] = []
        for row in track(made, progress, f"mine {about.repo}", len(new)):
            rows.append(row)
            if len(rows) == _BATCH:
                store.put_lines(rows, patches.missing)
                rows = []
        store.put_lines(rows, patches.missing)


def _notes(options: MineOptions, source: Source) -> tuple[str, ...]:
    """Return what a person should know of how complete this is."""
    notes = []
    if not source.pull_heads:
        notes.append(
            f"{options.repo}: there are no pull heads, so nothing could be verified; fetch them "
            "with git fetch origin '+refs/pull/*/head:refs/pull/*/head'."
        )
    if not options.asks_github:
        why = "was not asked" if options.github is None else "was not asked: there is no token"
        notes.append(
            f"{options.repo}: GitHub {why}, so labels, discussions, closed issues and "
            "cross-references are missing, and titles and descriptions are git's."
            + ("" if options.github is None else " Put one into GITHUB_TOKEN.")
        )
    return tuple(notes)


def _write(
    store: Store, mined: Mined, options: MineOptions, output: StageOutput, progress: Progress
) -> None:
    """Write what the store holds of one repository, but what its filters leave out."""
    output.read += len(mined.styles) + len(mined.rejected)
    output.notes += mined.notes
    for item in mined.rejected:
        output.remove("pull-request", f"{options.repo}#{item.number}", item.rule, item.reason)
    lines = ((n, line) for n, line in store.lines() if n in mined.styles)
    for number, line in track(lines, progress, f"write {options.repo}", len(mined.styles)):
        if options.filters != Filters():
            pull = msgspec.json.decode(line, type=Traits)
            reason = removal_by(options.filters, pull, mined.taken_back)
            if reason is not None:
                rule, why, measure = reason
                output.remove(
                    "pull-request", f"{options.repo}#{number}", rule, why, measure=measure
                )
                continue
        output.kept += 1
        output.write_line(line, mined.styles[number])
