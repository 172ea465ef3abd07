"""``davinci-agency explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from davinci_agency.cli.options import IN_FILE, Terminal, common_options
from davinci_agency.printable import printable

if TYPE_CHECKING:
    from rich.text import Text

    from davinci_agency.records import Chain, ChainStage, Edge

_FILES_SHOWN = 6
_NEIGHBOURS_SHOWN = 50


@click.command("explain")
@click.argument("chain_id")
@click.option("--chains", type=IN_FILE, required=True, help="The file that the chain is in.")
@click.option("--mermaid", is_flag=True, help="Print a Mermaid flowchart, for Markdown.")
@click.option("--svg", is_flag=True, help="Print a picture of it, as SVG.")
@common_options
def command(chain_id: str, chains: Path, mermaid: bool, svg: bool, terminal: Terminal) -> None:
    """Show why the pull requests of the chain CHAIN_ID belong together.

    The beginning of an id will do, or owner/name#number for the one chain that holds it.

    \b
    Examples:
      davinci-agency explain chain-9f86d081 --chains chains.jsonl
      davinci-agency explain numpy/numpy#9998 --chains chains.jsonl --svg > chain.svg
    """
    from davinci_agency.chain import drawing, explaining

    chain = explaining.find_chain(chains, chain_id)
    if terminal.as_json:
        terminal.show_json(explaining.explanation(chain))
    elif mermaid:
        click.echo(explaining.mermaid(chain), nl=False)
    elif svg:
        click.echo(drawing.svg(chain), nl=False)
    else:
        from rich.console import Console

        # The terminal wraps lines, however narrow it says it is.
        console = Console(highlight=False, width=10_000, soft_wrap=True)
        for line in _page(chain):
            console.print(line)


def _page(chain: Chain) -> list[Text]:
    """Return the lines of the page: each pull request, and what ties it to earlier ones."""
    from rich.text import Text

    heading = f"{chain.kind} of {chain.repo}, {len(chain.stages)} pull requests"
    lines = [Text(heading, "bold"), Text(printable(chain.chain_id), "dim"), *_scores(chain)]
    for stage in chain.stages:
        lines += [Text(), *_about(stage)]
        for edge in chain.edges:
            if edge.source == stage.number:
                lines += _tie(chain, edge)
    return lines + _left_out(chain)


def _scores(chain: Chain) -> list[Text]:
    """Return a line of the scores that it has, and one of a model's verdict if there is one."""
    from rich.text import Text

    scores, verdict = chain.scores, chain.verdict
    shares = {
        "score": scores.overall,
        "edge strength": scores.edge_strength,
        "topic": scores.topic_consistency,
        "files": scores.file_overlap,
        "symbols": scores.symbol_overlap,
    }
    parts = [f"{name} {share:.2f}" for name, share in shares.items() if share is not None]
    people = "1 author" if scores.authors == 1 else f"{scores.authors} authors"
    parts += [f"{scores.span_days:g} days", people, f"{scores.lines:,} lines"]
    lines = [Text(" · ".join(parts), "dim")]
    if verdict is not None:
        word = "valid" if verdict.is_valid_chain else "not valid"
        judged = f"{verdict.judge}: {word}, {verdict.overall_score:.2f}. {verdict.reasoning}"
        lines.append(Text(printable(judged), "dim"))
    return lines


def _left_out(chain: Chain) -> list[Text]:
    """Return the neighbours that are no members, each with what it was left out for."""
    from rich.text import Text

    if not chain.left_out:
        return []
    lines = [Text(), Text("Left out", "bold")]
    for one in chain.left_out[:_NEIGHBOURS_SHOWN]:
        tie = f"{one.type} {one.confidence:.2f} with #{one.member}"
        lines.append(Text.assemble("  ", (f"#{one.number}", "cyan"), f" {one.reason}: {tie}"))
        lines.append(Text(f"    {printable(one.quote)}", "green"))
    more = len(chain.left_out) - _NEIGHBOURS_SHOWN
    if more > 0:
        lines.append(Text(f"  and {more:,} more; --json names them all", "dim"))
    return lines


def _about(stage: ChainStage) -> list[Text]:
    from rich.text import Text

    files = "1 file" if len(stage.files) == 1 else f"{len(stage.files):,} files"
    size = f"+{stage.additions:,} -{stage.deletions:,} in {files}"
    facts = [
        f"merged {stage.merged_at:%Y-%m-%d}", f"by {stage.author_id[:8]}", size,
        f"{stage.state_policy} {stage.apply_status}", printable(stage.url or ""),
    ]  # fmt: skip
    return [
        Text.assemble((f"#{stage.number} ", "bold cyan"), printable(stage.title)),
        Text("  " + " · ".join(filter(None, facts)), "dim"),
    ]


def _tie(chain: Chain, edge: Edge) -> list[Text]:
    from rich.text import Text

    from davinci_agency.chain.explaining import shared_files

    sure = f", confidence {edge.confidence:.2f}" if edge.confidence else ""
    lines = [Text.assemble("  ↳ ", (edge.type, "bold"), f" #{edge.target}{sure}")]
    for said in edge.evidence:
        where = f"{said.origin} of #{said.speaker}"
        quote = printable(said.quote)
        if said.start is not None and said.end is not None:
            where += f", characters {said.start:,} to {said.end:,}"
            quote = f"“{quote}”"
        lines.append(Text.assemble("    ", (quote, "green"), f" ({where})"))
    shared = [printable(path) for path in shared_files(chain, edge)]
    more = f" and {len(shared) - _FILES_SHOWN:,} more" if len(shared) > _FILES_SHOWN else ""
    if shared:
        lines.append(Text(f"    both change {', '.join(shared[:_FILES_SHOWN])}{more}"))
    return lines
