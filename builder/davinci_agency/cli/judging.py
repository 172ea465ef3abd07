"""The options that say who judges and in which sandbox, as commands share them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from davinci_agency.cli.options import Share
from davinci_agency.errors import CommandError


def judge_options(prefix: str = "") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a judge, and hand it a ``JudgeOptions`` as ``judge``.

    ``prefix`` tells the judge's endpoint and model from those of somebody else.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @click.option(
            f"--{prefix}llm",
            "judge_llm",
            metavar="URL",
            required=not prefix,
            help="The judge's endpoint" + ("; else the agent's." if prefix else "."),
        )
        @click.option(
            f"--{prefix}model",
            "judge_model",
            required=not prefix,
            help="The judge's model, with a key in JUDGE_API_KEY.",
        )
        @click.option(
            "--rubric", default="default-1", show_default=True, help="What the judge is asked."
        )
        @click.option(
            "--votes",
            type=click.IntRange(1, 101),
            default=1,
            show_default=True,
            help="Votes for one verdict; the middle one counts.",
        )
        @click.option(
            "--threshold",
            type=Share(),
            default=0.8,
            show_default=True,
            help="The score to accept from.",
        )
        @click.option(
            "--test-command",
            metavar="WORDS",
            help="How its tests are run, in the sandbox; {tests} stands for the change's files.",
        )
        @click.option(
            "--test-seconds",
            type=click.IntRange(1),
            default=600,
            show_default=True,
            help="The most seconds of one run of the tests.",
        )
        @wraps(function)
        def command(
            *,
            judge_llm: str | None,
            judge_model: str | None,
            rubric: str,
            votes: int,
            threshold: float,
            test_command: str | None,
            test_seconds: int,
            **options: Any,
        ) -> None:
            from davinci_agency.evaluate import JudgeOptions

            judge = JudgeOptions(
                judge_llm, judge_model, rubric, votes, threshold, test_command, test_seconds
            )
            function(judge=judge, **options)

        return command

    return decorate


def sandbox_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a sandbox, and hand it a ``SandboxOptions`` as ``sandbox``."""

    @click.option(
        "--sandbox",
        "kind",
        type=click.Choice(["bubblewrap", "docker", "local"]),
        default="bubblewrap",
        show_default=True,
        help="What shuts programs in; local shuts nothing in.",
    )
    @click.option("--image", help="The image of a docker sandbox.")
    @click.option(
        "--mount",
        "mounts",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        help="A folder that is seen inside, read-only, where it is; may be given several times.",
    )
    @click.option(
        "--env", "variables", multiple=True, metavar="NAME=VALUE", help="A variable inside."
    )
    @click.option(
        "--max-memory",
        type=click.IntRange(64),
        default=4096,
        show_default=True,
        help="The most MiB that the processes inside hold.",
    )
    @wraps(function)
    def command(
        *,
        kind: Any,
        image: str | None,
        mounts: tuple[Path, ...],
        variables: tuple[str, ...],
        max_memory: int,
        **options: Any,
    ) -> None:
        from davinci_agency.sandbox import SandboxOptions

        sandbox = SandboxOptions(
            kind, image, tuple(map(str, mounts)), dict(map(_variable, variables)), max_memory
        )
        function(sandbox=sandbox, **options)

    return command


def _variable(text: str) -> tuple[str, str]:
    name, is_given, value = text.partition("=")
    if not is_given or not name:
        raise CommandError(f"--env {name}: write it as NAME=VALUE.")
    return name, value
