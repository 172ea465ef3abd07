"""What is mined: which repositories, how, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from davinci_agency.errors import CommandError
from davinci_agency.mine.filters import Filters
from davinci_agency.mine.mirror import update_mirror
from davinci_agency.progress import Progress
from davinci_agency.records import PullRequest
from davinci_agency.repository.source import Source, hosted_at
from davinci_agency.schema import load_schema

_GITHUB = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class GitHubAccess:
    """How to reach GitHub.

    Attributes:
        tokens: access tokens, used in turn; never shown.
        base_url: the address of its REST interface.
        secondary_wait: seconds to wait first on a secondary limit that names none; GitHub's
            documentation asks for a minute.
    """

    tokens: tuple[str, ...] = field(repr=False)
    base_url: str = _GITHUB
    secondary_wait: float = 60.0


_EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class MineOptions:
    """How to mine one repository.

    Attributes:
        repo: owner/name; ``None`` takes it from the address that the clone came from.
        host: the host of the pull requests' pages, such as ``github.com``; ``None`` as above.
        license: the licence of all of it as an SPDX expression, whatever its files say; ``None``
            takes it from them, at each pull request's base.
        since: only pull requests merged on that day (UTC) or later.
        limit: only so many, the newest.
        github: how to ask GitHub for what git does not know; ``None`` asks nothing.
        filters: what to leave out.
    """

    repo: str | None = None
    host: str | None = None
    license: str | None = None
    since: date | None = None
    limit: int | None = None
    github: GitHubAccess | None = None
    filters: Filters = _EVERYTHING

    def to_json(self) -> dict[str, Any]:
        """Return them in JSON's types, without the tokens."""
        plain = replace(self, github=None, filters=_EVERYTHING)
        filters = msgspec.to_builtins(self.filters)
        return {**msgspec.to_builtins(plain), "filters": filters, "asks": self.asks_github}

    @property
    def asks_github(self) -> bool:
        """Whether GitHub is to be asked, and there is a token to do it with."""
        return self.github is not None and bool(self.github.tokens)


def github_access(
    environment: Mapping[str, str], base_url: str | None, host: str | None
) -> GitHubAccess:
    """Return the access that an environment gives, with all tokens of ``GITHUB_TOKEN``.

    Several are separated by commas or spaces; without it ``GH_TOKEN`` is used.
    """
    tokens = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    if base_url is None:
        base_url = _GITHUB if host in (None, "github.com") else f"https://{host}/api/v3"
    if urlsplit(base_url).scheme not in ("http", "https"):
        raise CommandError(f"{base_url!r} is no address; mend --base-url.")
    return GitHubAccess(tuple(dict.fromkeys(re.findall(r"[^\s,]+", tokens))), base_url.rstrip("/"))


def locate(
    name: Path, options: MineOptions, cache: Path, progress: Progress
) -> tuple[Path, MineOptions]:
    """Return a source that can be read: a path as it is, of owner/name a mirror of today.

    Raises `RemoteError` if the mirror can't be fetched.
    """
    if name.exists() or not re.fullmatch(r"[\w-][\w.-]*/[\w.-]*[\w-]", str(name)):
        return name, options
    host = options.host or "github.com"
    mirror = update_mirror(str(name), host, cache / "mirrors", progress)
    return mirror, replace(options, repo=options.repo or str(name), host=host)


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
    return source, replace(options, repo=repo, host=options.host or host)


def _check_words(**words: str | None) -> None:
    """Raise `CommandError` if a word that goes into every record is not what its column holds."""
    columns = load_schema(PullRequest.RECORD).document["properties"]
    for name, word in words.items():
        if word is not None and not re.fullmatch(columns[name]["pattern"], word):
            raise CommandError(f"{word!r} is no {columns[name]['x-unit']}; mend --{name}.")


def check_distinct(named: Sequence[tuple[Source, MineOptions]]) -> None:
    """Raise `CommandError` if two sources, sorted by their repositories, are one."""
    for (first, options), (second, others) in pairwise(named):
        if options.repo == others.repo:
            raise CommandError(
                f"{first.path} and {second.path} are both {options.repo}; name one of them."
            )
