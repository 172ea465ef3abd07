"""A chain as a picture: pull requests from top to bottom, their ties as arcs beside them; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from davinci_agency.printable import printable
from davinci_agency.records import Chain, ChainStage, Edge

_WIDTH = 860
_LEFT = 20
_BOX_WIDTH = 520
_BOX_HEIGHT = 52
_STEP = 84
_ARC = 40
"""Pixels; an arc reaches further out for each member that it passes."""
_TITLE_LENGTH = 58
_COLOURS = {
    "fixes": "#b3261e",
    "follows-up": "#1b6e3c",
    "depends-on": "#1f5fa8",
    "supersedes": "#8a4b08",
    "shares-issue": "#6b4fa0",
    "touches-lines-of": "#5f6368",
}
_OTHER_COLOUR = "#5f6368"
_STYLE = """\
  <style>
    text { font-family: system-ui, sans-serif; font-size: 14px; fill: #1f1f1f }
    .small { font-size: 12px; fill: #5f6368 }
    .box { fill: #ffffff; stroke: #9aa0a6 }
  </style>
"""


def svg(chain: Chain) -> str:
    """Return a chain as an SVG image that needs nothing else; whatever people wrote is escaped."""
    height = _STEP * len(chain.stages) + 2 * _LEFT
    name = f"{chain.kind} of {chain.repo}"
    places = {stage.number: place for place, stage in enumerate(chain.stages)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label={quoteattr(name)}>\n',
        _STYLE,
        '  <rect width="100%" height="100%" fill="#ffffff"/>\n',
        *(_box(stage, place) for place, stage in enumerate(chain.stages)),
        *_arcs(chain, places),
        "</svg>\n",
    ]
    return "".join(parts)


def _box(stage: ChainStage, place: int) -> str:
    top = _LEFT + place * _STEP
    title = printable(stage.title)
    shown = title if len(title) <= _TITLE_LENGTH else title[: _TITLE_LENGTH - 1] + "…"
    facts = f"merged {stage.merged_at:%Y-%m-%d}, +{stage.additions:,} -{stage.deletions:,}"
    return (
        f'  <rect class="box" x="{_LEFT}" y="{top}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" '
        'rx="8"/>\n'
        f'  <text x="{_LEFT + 14}" y="{top + 22}"><title>{escape(title)}</title>'
        f"#{stage.number} {escape(shown)}</text>\n"
        f'  <text class="small" x="{_LEFT + 14}" y="{top + 41}">{facts}</text>\n'
    )


def _arcs(chain: Chain, places: dict[int, int]) -> Iterator[str]:
    """Yield an arc with an arrow from every later member to the earlier one that it is tied to."""
    right = _LEFT + _BOX_WIDTH
    said: Counter[int] = Counter()
    for edge in chain.edges:
        source, target = places[edge.source], places[edge.target]
        # What ends at a box ends above its middle, and what begins there begins below.
        start = _LEFT + source * _STEP + _BOX_HEIGHT // 2 + 8
        end = _LEFT + target * _STEP + _BOX_HEIGHT // 2 - 8
        out = right + 150 + _ARC * min(source - target, 4)
        colour = _COLOURS.get(edge.type, _OTHER_COLOUR)
        yield (
            f'  <path d="M {right} {start} C {out} {start}, {out} {end}, {right + 7} {end}" '
            f'fill="none" stroke="{colour}" stroke-width="1.5"/>\n'
            f'  <path d="M {right} {end} l 8 -4 v 8 z" fill="{colour}"/>\n'
            f'  <text class="small" x="{right + 6}" y="{start + 16 + 14 * said[source]}" '
            f'style="fill: {colour}">{_label(edge)}</text>\n'
        )
        said[source] += 1


def _label(edge: Edge) -> str:
    sure = f" {edge.confidence:.2f}" if edge.confidence else ""
    return f"{escape(edge.type)} #{edge.target}{sure}"
