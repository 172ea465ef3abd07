"""The options that commands share, and what a command needs of the terminal."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import click
import orjson

from davinci_agency.cli.places import Place, brought
from davinci_agency.files import STDIO
from davinci_agency.progress import SILENT, Progress
from davinci_agency.stage import Summary
from davinci_agency.tokens import DEFAULT_TOKENIZER

if TYPE_CHECKING:
    from davinci_agency.engines import EngineName

P = ParamSpec("P")

IN_FILE = Place(allow_dash=True)
"""A file of records, or ``-``."""
OUT_FILE = Place(dir_okay=False, allow_dash=True)
"""A file to write, or ``-``."""
FILE = Place(dir_okay=False)
"""A file that is read several times, so that ``-`` won't do."""
FOLDER = Place(file_okay=False)
"""A folder."""


class Share(click.FloatRange):
    """A number from 0 to 1; ``nan`` is none, which a plain range lets pass."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number. Fails if it is none, or lies outside."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class Terminal:
    """Where a command shows how far it is and what it did.

    Attributes:
        as_json: whether summaries are for machines.
        quiet: whether only errors are shown.
        progress: who watches the stages.

    Where records go to standard output (``--out -``), summaries go to standard error.
    """

    def __init__(self, as_json: bool, quiet: bool, out: object = None) -> None:
        self._err = out == STDIO
        self.as_json = as_json
        self.quiet = quiet
        self.progress: Progress = SILENT

    def show(self, summary: Summary, *, name: str | None = None, skipped: bool = False) -> None:
        """Print one line that says what a stage did."""
        if self.as_json:
            self.show_json(
                {**summary.to_json(), "stage": name or summary.stage, "skipped": skipped}
            )
        elif not self.quiet:
            click.echo(_line(summary, name or summary.stage, skipped), err=True)

    def show_funnel(self, summary: Summary) -> None:
        """Print how many there were of what on the way; with ``--json`` they are shown already."""
        if not self.as_json and not self.quiet:
            width = max(map(len, summary.funnel), default=0)
            for what, count in summary.funnel.items():
                click.echo(f"  {what.ljust(width)}  {count:>9,}", err=True)

    def show_json(self, value: Any) -> None:
        """Print one object, on one line."""
        sys.stdout.flush()
        click.echo(orjson.dumps(value).decode(), err=self._err)


def _line(summary: Summary, name: str, skipped: bool) -> str:
    time = "up to date" if skipped else f"{summary.seconds:.1f} s"
    parts = [
        f"{summary.read:,} in",
        f"{summary.out:,} out",
        f"{summary.removed:,} removed",
        f"{summary.quarantined:,} quarantined",
        time,
    ]
    lines = [f"{click.style(name, bold=True)}: {', '.join(parts)}"]
    if summary.written:
        lines.append("  wrote   " + ", ".join(f"{k} {n:,}" for k, n in summary.written.items()))
    if summary.rules:
        lines.append("  removed " + ", ".join(f"{k} {n:,}" for k, n in summary.rules.items()))
    lines += [f"  note: {note}" for note in summary.notes]
    return "\n".join(lines)


def cache_folder() -> Path:
    """Return the folder for what may be had again, but not for nothing."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "davinci-agency"


def common_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--json``, ``--quiet`` and ``--debug``, and hand it a `Terminal`."""

    @click.option("--json", "as_json", is_flag=True, help="Print summaries as JSON, one a line.")
    @click.option("--quiet", is_flag=True, help="Print nothing but errors.")
    @click.option("--debug", is_flag=True, help="Print the traceback of an error.")
    @wraps(function)
    def command(*, as_json: bool, quiet: bool, debug: bool, **options: Any) -> None:
        click.get_current_context().meta["debug"] = debug
        terminal = Terminal(as_json, quiet, options.get("out"))
        with ExitStack() as stack:
            if not quiet and sys.stderr.isatty():
                from davinci_agency.cli.bars import Bars

                terminal.progress = stack.enter_context(Bars())
            seen_by_all = click.get_current_context().meta.get("scratch", cache_folder())
            here = stack.enter_context(brought(options, seen_by_all / "remote", terminal.progress))
            function(terminal=terminal, **here)

    return command


def strict_option(function: Callable[P, None]) -> Callable[P, None]:
    """Give a command ``--strict``."""
    return click.option("--strict", is_flag=True, help="Fail if a record had to be quarantined.")(
        function
    )


def tokenizer_option(function: Callable[P, None]) -> Callable[P, None]:
    """Give a command ``--tokenizer``."""
    return click.option(
        "--tokenizer",
        default=DEFAULT_TOKENIZER,
        show_default=True,
        help="What counts the tokens: a tokenizer.json or its folder, or none.",
    )(function)


def workers_option(function: Callable[P, None]) -> Callable[P, None]:
    """Give a command ``--workers``."""
    return click.option(
        "--workers",
        type=click.IntRange(1, 1024),
        default=1,
        show_default=True,
        help="Processes to use; the output does not depend on it.",
    )(function)


def engine_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say who does its work, and hand it the engine."""

    @workers_option
    @click.option(
        "--executor",
        type=click.Choice(["local", "ray", "slurm"]),
        default="local",
        show_default=True,
        help="Who does the work: this machine, a Ray cluster, or Slurm.",
    )
    @click.option(
        "--scratch",
        type=click.Path(path_type=Path, file_okay=False),
        help="A folder that all machines see, for what lies between.",
    )
    @click.option(
        "--slurm",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="What Slurm is told of each job: partition, time, …; may be repeated.",
    )
    @wraps(function)
    def command(
        *,
        workers: int,
        executor: EngineName,
        scratch: Path | None,
        settings: tuple[str, ...],
        **options: Any,
    ) -> None:
        from davinci_agency.engines import open_engine

        wrong = [setting for setting in settings if "=" not in setting]
        if wrong:
            raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE.", param_hint="--slurm")
        slurm = dict(setting.split("=", 1) for setting in settings)
        with open_engine(executor, workers, scratch, slurm) as engine:
            if scratch is not None:
                click.get_current_context().meta["scratch"] = scratch
            function(engine=engine, **options)

    return command


def out_option(what: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Give a command ``--out`` for a file of records."""
    return click.option(
        "--out", type=OUT_FILE, required=True, help=f"The file of {what}; - is stdout."
    )
