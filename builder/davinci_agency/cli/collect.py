"""``davinci-agency collect``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from davinci_agency.cli.options import (
    FOLDER,
    IN_FILE,
    Share,
    Terminal,
    cache_folder,
    common_options,
    out_option,
    strict_option,
    tokenizer_option,
    workers_option,
)
from davinci_agency.errors import CommandError
from davinci_agency.records import RoundMode

_MIB = 1 << 20


@click.command("collect")
@click.argument("tasks", nargs=-1, required=True, type=IN_FILE)
@out_option("attempts")
@click.option("--scaffold", default="mini-swe-agent", show_default=True, help="The agent program.")
@click.option("--llm", required=True, metavar="URL", help="The endpoint of the agent's model.")
@click.option("--model", required=True, help="The agent's model, its key in OPENAI_API_KEY.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="Of the agent's model.")
@click.option("--judge-llm", metavar="URL", help="The judge's endpoint; else the agent's.")
@click.option("--judge-model", help="The judge's model; a key for --judge-llm in JUDGE_API_KEY.")
@click.option("--rubric", default="default-1", show_default=True, help="What the judge is asked.")
@click.option(
    "--votes",
    type=click.IntRange(1, 101),
    default=1,
    show_default=True,
    help="Votes for one verdict; the middle one counts.",
)
@click.option(
    "--threshold", type=Share(), default=0.8, show_default=True, help="The score to accept from."
)
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
@click.option(
    "--sandbox",
    type=click.Choice(["bubblewrap", "docker", "local"]),
    default="bubblewrap",
    show_default=True,
    help="What shuts the agent in; local shuts nothing in.",
)
@click.option("--image", help="The image of a docker sandbox.")
@click.option(
    "--mount",
    "mounts",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="A folder that the agent sees, read-only, where it is; may be given several times.",
)
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="A variable for it.")
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
@click.option(
    "--max-memory",
    type=click.IntRange(64),
    default=4096,
    show_default=True,
    help="The most MiB that its processes hold.",
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
    judge_llm: str | None,
    judge_model: str | None,
    rubric: str,
    votes: int,
    threshold: float,
    refinements: int,
    refine: RoundMode,
    clones: tuple[str, ...],
    sandbox: str,
    image: str | None,
    mounts: tuple[Path, ...],
    variables: tuple[str, ...],
    attempts: int,
    max_steps: int | None,
    max_seconds: int,
    max_memory: int,
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
    from davinci_agency import collect
    from davinci_agency import sandbox as sandboxes
    from davinci_agency.evaluate import Acceptance, Judge, open_rubric
    from davinci_agency.llm import Endpoint, Model
    from davinci_agency.pipeline import open_clones
    from davinci_agency.tokens import open_counter

    if scaffold not in collect.SCAFFOLDS:
        known = ", ".join(collect.SCAFFOLDS)
        raise CommandError(f"there is no scaffold {scaffold}; choose one of {known}.")
    key = os.environ.get("OPENAI_API_KEY")
    upstream = collect.Upstream(
        llm.rstrip("/"),
        model,
        key,
        {} if temperature is None else {"temperature": temperature},
        collect.Prices(*price) if price else None,
    )
    # The agent's key is never sent to anybody else.
    judge_key = os.environ.get("JUDGE_API_KEY", None if judge_llm else key)
    endpoint = Endpoint((judge_llm or llm).rstrip("/"), judge_model or model, judge_key)
    judge = Judge(Model(endpoint, cache_folder() / "judgements"), open_rubric(rubric), votes)
    session = collect.Session(
        scaffold=collect.SCAFFOLDS[scaffold],
        sandbox=sandboxes.open_sandbox(sandbox, image),  # type: ignore[arg-type]
        upstream=upstream,
        budget=collect.Budget(max_cost),
        limits=sandboxes.Limits(seconds=max_seconds, memory=max_memory * _MIB),
        session_limits=collect.SessionLimits(steps=max_steps),
        mounts=tuple(sandboxes.Mount(path.resolve(), str(path.resolve())) for path in mounts),
        environment=dict(_variable(each) for each in variables),
    )
    crew = collect.Crew(
        session, Acceptance(judge, threshold), open_counter(tokenizer), refinements, refine
    )
    summary = collect.run_tasks(
        tasks,
        out,
        crew,
        open_clones(clones),
        runs or out.with_name(f"{out.name.partition('.')[0]}.runs"),
        attempts=attempts,
        workers=workers,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)


def _variable(text: str) -> tuple[str, str]:
    name, is_given, value = text.partition("=")
    if not is_given or not name:
        raise CommandError(f"--env {name}: write it as NAME=VALUE.")
    return name, value
