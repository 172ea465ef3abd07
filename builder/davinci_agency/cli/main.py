"""The root command: a lazy table of commands, and errors turned into exit codes.

A command's module is imported when the command is called, so that ``--help`` stays quick.

Exit codes: 0 done, 1 the data is at fault, 2 the command is at fault, 3 a remote is at fault,
70 this program is at fault, 130 somebody stopped it.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from typing import Any

import click

from davinci_agency.errors import DavinciError
from davinci_agency.version import __version__

_COMMANDS = {
    "run": "Run every stage of a recipe, skipping what is up to date.",
    "mine": "Mine merged pull requests from a git repository.",
    "chain": "Tie pull requests into chains.",
    "explain": "Show why the pull requests of a chain belong together.",
    "query": "Write a query for each stage of each chain.",
    "collect": "Let agents attempt tasks, judge them, send them back.",
    "ingest": "Join trajectories to the tasks that they worked on.",
    "judge": "Judge attempts that were made elsewhere, or try a judge out.",
    "curate": "Take out what nobody should train on, each with a receipt.",
    "rehydrate": "Make patches again that were withheld, from your own clone.",
    "build": "Build a release: shards, manifest and card.",
    "card": "Write a release's dataset card, or check it.",
    "validate": "Check a file of records or a whole release.",
    "stats": "Show what is in a release.",
    "export": "Write a release in another form, for older clients and other trainers.",
    "publish": "Publish a release on the Hub: one commit, read back, one tag.",
    "verify": "Read a published release back, and hold it against its manifest.",
    "diff": "Show how two releases differ.",
    "yank": "Take a published release back; nothing is deleted.",
    "schema": "List, show, check, compare and migrate the schemas.",
    "pseudonym": "Show the pseudonyms of accounts, for a recipe's opted_out.",
    "doctor": "Check what this machine has, and say what to do.",
}

_INTERNAL_ERROR = 70
_INTERRUPTED = 130


def _failure(message: str, exit_code: int) -> click.ClickException:
    """Return an error as click shows it to a person, with its exit code."""
    failure = click.ClickException(message)
    failure.exit_code = exit_code  # type: ignore[misc]  # declared for classes, read on instances
    return failure


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of the way of the data."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; ``None`` if there is none of the name."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"davinci_agency.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes a message and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except DavinciError as error:
            _show_traceback(ctx)
            raise _failure(str(error), error.exit_code) from error
        except KeyboardInterrupt:
            click.echo("Stopped. Run it again to go on; nothing half-made was left.", err=True)
            raise click.exceptions.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read our output has enough.
            sys.stderr.close()
            ctx.exit(0)
        except OSError as error:
            _show_traceback(ctx)
            said = f"{error.filename or 'the system'}: {error.strerror or error}"
            raise _failure(said, 2) from error
        except Exception as error:
            _show_traceback(ctx)
            message = f"{type(error).__name__}: {error}\nThis should not happen; please report it."
            raise _failure(message, _INTERNAL_ERROR) from error


def _show_traceback(ctx: click.Context) -> None:
    if ctx.meta.get("debug"):
        traceback.print_exc()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="davinci-agency")
def cli() -> None:
    """Turn pull-request history and agent trajectories into a Hugging Face dataset.

    \b
    The way of the data:
      repository -mine-> pulls -chain-> chains -query-> tasks -+
                                                trajectories -ingest-> attempts
      pulls + tasks + attempts -curate-> the same -build-> release -publish-> Hub
    """


def main() -> None:
    """Run the command line."""
    # Asked to end, end like on Ctrl-C: with temporary files removed.
    for asked in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, signal.default_int_handler)
    _open_streams()
    cli()


def _open_streams() -> None:
    """Let every character be printed, and go on where a stream was closed.

    A closed descriptor would be given to the first file that is opened, and be written to.
    """
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, mode, closefd=False))  # noqa: SIM115
        elif mode == "w":
            stream.reconfigure(errors="backslashreplace")
