"""``davinci-agency query``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from davinci_agency.cli.options import (
    IN_FILE,
    Terminal,
    cache_folder,
    common_options,
    engine_options,
    out_option,
    strict_option,
)
from davinci_agency.parallel import Engine


@click.command("query")
@click.argument("chains", nargs=-1, required=True, type=IN_FILE)
@out_option("tasks")
@click.option("--llm", metavar="URL", help="Let a model write the queries.")
@click.option("--model", metavar="NAME", help="The model to ask, with the key in OPENAI_API_KEY.")
@click.option(
    "--temperature",
    type=click.FloatRange(0, 2),
    default=0.0,
    show_default=True,
    help="How freely the model chooses its words.",
)
@click.option("--max-tokens", type=click.IntRange(1), help="The most tokens of an answer.")
@click.option("--seed", type=int, help="A seed, for endpoints that take one.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    help="How many chains the model is asked about at once.",
)
@click.option(
    "--clone",
    "clones",
    multiple=True,
    metavar="[OWNER/NAME=]PATH",
    help="A repository whose documentation's words may be said; may be given several times.",
)
@engine_options
@strict_option
@common_options
def command(
    chains: tuple[Path, ...],
    out: Path,
    llm: str | None,
    model: str | None,
    temperature: float,
    max_tokens: int | None,
    seed: int | None,
    concurrency: int,
    clones: tuple[str, ...],
    engine: Engine,
    strict: bool,
    terminal: Terminal,
) -> None:
    """Write a query for each stage of the chains in the files CHAINS.

    Without --llm they are made of the authors' own sentences, offline. Either way no query gives
    away a path, symbol, message, code or number of the change; what a model gives away goes back to
    it, three times at most.

    \b
    Examples:
      davinci-agency query chains.jsonl --out tasks.jsonl
      davinci-agency query chains.jsonl --out tasks.jsonl --clone numpy.git \\
        --llm http://localhost:8000/v1 --model glm-4.6
    """
    from davinci_agency.llm import Sampling, open_model
    from davinci_agency.pipeline import open_clones
    from davinci_agency.query import ModelWriter, write_queries

    sampling = Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed)
    asked = open_model(llm, model, cache_folder() / "answers", sampling)
    summary = write_queries(
        chains,
        out,
        ModelWriter(asked) if asked else None,
        clones=open_clones(clones),
        concurrency=concurrency if asked else 1,
        engine=engine,
        strict=strict,
        progress=terminal.progress,
    )
    if asked:
        summary = replace(summary, notes=(*summary.notes, f"{asked.endpoint.model}: {asked.spent}"))
    terminal.show(summary)
