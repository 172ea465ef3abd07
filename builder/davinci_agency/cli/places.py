"""Files and folders that a command is given, here or at a URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from davinci_agency.errors import DataError
from davinci_agency.progress import Progress
from davinci_agency.urls import Url


class Place(click.Path):
    """A file or folder, here or at a URL; whether it is there is checked where it is used.

    A command is given the path of a copy here (see `davinci_agency.remote`); what it makes at
    ``--out`` is sent there when it is done.
    """

    def __init__(self, **kinds: bool) -> None:
        super().__init__(path_type=Path, **kinds)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a path, or a URL that `brought` will bring."""
        if isinstance(value, str) and "://" in value:
            return Url(value)
        return super().convert(value, param, ctx)


class Release(click.types.StringParamType):
    """A release: a folder here, at a URL, or ``ORG/NAME@REVISION`` on the Hub."""

    name = "release"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a name, or a URL that `brought` will bring."""
        return Url(value) if isinstance(value, str) and "://" in value else str(value)


@contextmanager
def brought(options: dict[str, Any], folder: Path, progress: Progress) -> Iterator[dict[str, Any]]:
    """Give the options with a path in a folder for every URL; what is made at ``out`` is sent.

    Where the data was at fault, the notes that say so are sent.
    """
    if not any(map(_has_url, options.values())):
        yield options
        return
    from davinci_agency.remote import Staging

    staging = Staging(folder, progress)

    def here(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(here, value))
        return staging.fetch(value) if isinstance(value, Url) else value

    out = options.get("out")
    if not isinstance(out, Url):
        yield {name: here(value) for name, value in options.items()}
        return
    staging.check(out)
    rest = {name: here(value) for name, value in options.items() if name != "out"}
    try:
        yield {**rest, "out": staging.path(out)}
    except DataError:
        staging.send(out)
        raise
    staging.send(out)


def _has_url(value: object) -> bool:
    return any(map(_has_url, value)) if isinstance(value, tuple) else isinstance(value, Url)
