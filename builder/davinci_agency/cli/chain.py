"""``davinci-agency chain``."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from davinci_agency.cli.options import (
    IN_FILE,
    Share,
    Terminal,
    cache_folder,
    common_options,
    engine_options,
    out_option,
    strict_option,
)
from davinci_agency.parallel import Engine
from davinci_agency.records import KINDS, ApplyStatus, Kind, StatePolicy


@click.command("chain")
@click.argument("pulls", nargs=-1, required=True, type=IN_FILE)
@out_option("chains")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    default=KINDS,
    show_default=True,
    help="A kind of chains to make; may be given several times.",
)
@click.option(
    "--max-length",
    type=click.IntRange(2, 100),
    default=5,
    show_default=True,
    help="The most pull requests in a chain.",
)
@click.option(
    "--min-score",
    type=Share(),
    default=0.0,
    show_default=True,
    help="The overall score that a semantic chain must have.",
)
@click.option(
    "--budget",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="The most chains of several pull requests of one kind from one repository.",
)
@click.option(
    "--clone",
    "clones",
    multiple=True,
    metavar="[OWNER/NAME=]PATH",
    help="A repository in which to prove that the patches apply; may be given several times.",
)
@click.option(
    "--policy",
    type=click.Choice(get_args(StatePolicy)),
    default="historical-base",
    show_default=True,
    help="Where each stage begins: at its own base, or at the chain's first with its patches.",
)
@click.option(
    "--state",
    "states",
    type=click.Choice(get_args(ApplyStatus)),
    multiple=True,
    default=("clean", "three-way", "unproven"),
    show_default=True,
    help="An outcome of the proof that stages may have; may be given several times.",
)
@click.option("--llm", metavar="URL", help="Ask a model what it thinks of each semantic chain.")
@click.option("--model", metavar="NAME", help="The model to ask, with the key in OPENAI_API_KEY.")
@click.option(
    "--min-verdict",
    type=Share(),
    default=0.0,
    show_default=True,
    help="The overall score that the model must give.",
)
@click.option("--report", is_flag=True, help="Show the way from pull requests to chains.")
@engine_options
@strict_option
@common_options
def command(
    pulls: tuple[Path, ...],
    out: Path,
    kinds: tuple[Kind, ...],
    max_length: int,
    min_score: float,
    budget: int,
    clones: tuple[str, ...],
    policy: StatePolicy,
    states: tuple[ApplyStatus, ...],
    llm: str | None,
    model: str | None,
    min_verdict: float,
    report: bool,
    engine: Engine,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Tie the pull requests in the files PULLS into chains.

    With --clone git applies every stage's patches in an index of its own, never in a work tree,
    and each stage says whether they applied.

    \b
    Examples:
      davinci-agency chain pulls.jsonl --out chains.jsonl --kind semantic-chain --report
      davinci-agency chain pulls.jsonl --out chains.jsonl --clone numpy.git --state clean
    """
    from davinci_agency.chain import ChainOptions, find_chains, open_judge
    from davinci_agency.pipeline import open_clones

    options = ChainOptions(kinds, max_length, min_score, min_verdict, budget, policy, states)
    summary = find_chains(
        pulls,
        out,
        options,
        clones=open_clones(clones),
        judge=open_judge(llm, model, cache_folder() / "verdicts"),
        engine=engine,
        strict=strict,
        progress=terminal.progress,
    )
    terminal.show(summary)
    if report:
        terminal.show_funnel(summary)
