"""``davinci-agency collect``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.judging import judge_options, sandbox_options
from davinci_agency.cli.options import (
    FOLDER,
    IN_FILE,
    Terminal,
    cache_folder,
    common_options,
    out_option,
    strict_option,
    tokenizer_option,
    workers_option,
)
from davinci_agency.records import RoundMode

if TYPE_CHECKING:
    from davinci_agency.evaluate import JudgeOptions
    from davinci_agency.sandbox import SandboxOptions


@click.command("collect")
@click.argument("tasks", nargs=-1, required=True, type=IN_FILE)
@out_option("attempts")
@click.option("--scaffold", default="mini-swe-agent", show_default=True, help="The agent program.")
@click.option("--llm", required=True, metavar="URL", help="The endpoint of the agent's model.")
@click.option("--model", required=True, help="The agent's model, its key in OPENAI_API_KEY.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="Of the agent's model.")
@judge_options("judge-")
@click.option(
    "--refinements",
    type=click.IntRange(0, 20),
    default=3,
    show_default=True,
    help="How often an agent is sent back at a stage.",
)
@click.option(
    "--refine",
    type=click.Choice(["continue", "restart"]),
    default="continue",
    show_default=True,
    help="Whether it then goes on with its conversation, or starts over.",
)
@click.option(
    "--clone",
    "clones",
    multiple=True,
    required=True,
    metavar="[OWNER/NAME=]PATH",
    help="A repository of the tasks; may be given several times.",
)
@sandbox_options
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Attempts at each task.",
)
@click.option("--max-steps", type=click.IntRange(1), help="The most steps of one go at a stage.")
@click.option(
    "--max-seconds",
    type=click.IntRange(1),
    default=3600,
    show_default=True,
    help="The most seconds of one go.",
)
@click.option("--max-cost", type=click.FloatRange(0), help="USD that the whole run may cost.")
@click.option(
    "--price",
    type=(float, float),
    metavar="IN OUT",
    help="USD for a million tokens in and out, where the endpoint does not tell.",
)
@click.option("--runs", type=FOLDER, help="Where the work is kept; beside --out by default.")
@tokenizer_option
@workers_option
@strict_option
@common_options
def command(
    tasks: tuple[Path, ...],
    out: Path,
    scaffold: str,
    llm: str,
    model: str,
    temperature: float | None,
    judge: JudgeOptions,
    refinements: int,
    refine: RoundMode,
    clones: tuple[str, ...],
    sandbox: SandboxOptions,
    attempts: int,
    max_steps: int | None,
    max_seconds: int,
    max_cost: float | None,
    price: tuple[float, float] | None,
    runs: Path | None,
    tokenizer: str,
    workers: int,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Let agents attempt the tasks in the files TASKS, judge what they hand in, send them back.

    Every agent works in a sandbox, in a worktree without the future. Killed anywhere, the same
    command goes on where it was, and pays for nothing twice.

    \b
    Example:
      davinci-agency collect tasks.jsonl --out attempts.jsonl --clone numpy.git \\
        --llm http://localhost:8000/v1 --model glm-4.6 --workers 4
    """
    from davinci_agency.collect import CollectOptions, run_tasks
    from davinci_agency.crews import open_crew
    from davinci_agency.pipeline import open_clones
    from davinci_agency.tokens import open_counter

    options = CollectOptions(
        llm=llm,
        model=model,
        scaffold=scaffold,
        temperature=temperature,
        attempts=attempts,
        refinements=refinements,
        refine=refine,
        max_steps=max_steps,
        max_seconds=max_seconds,
        max_cost=max_cost,
        prices=price,
    )
    counter = open_counter(tokenizer)
    summary = run_tasks(
        tasks,
        out,
        open_crew(options, judge, sandbox, cache_folder(), os.environ, counter),
        open_clones(clones),
        runs or out.with_name(f"{out.name.partition('.')[0]}.runs"),
        attempts=attempts,
        workers=workers,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)
