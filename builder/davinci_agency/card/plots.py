"""Bars as SVG images that need nothing else, the same bytes for the same figures; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from xml.sax.saxutils import escape, quoteattr

from davinci_agency.printable import printable

_WIDTH = 760
_LEFT = 210
_RIGHT = 90
_TOP = 52
_LEGEND = 24
_BAR = 18
_STEP = 26
_LONGEST = 30
"""Pixels, and characters of a label."""
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44")
"""Told apart by people who see few colours (Paul Tol's bright scheme)."""
_STYLE = """\
  <style>
    text { font-family: system-ui, sans-serif; font-size: 13px; fill: #1f1f1f }
    .title { font-size: 15px; font-weight: 600 }
    .small { font-size: 12px; fill: #5f6368 }
  </style>
"""


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart: a bar for each label, in parts of one colour for each series.

    Attributes:
        name: the name of its file, without ``.svg``.
        title: what it shows, and in which unit.
        labels: what the bars stand for, from top to bottom.
        series: the lengths of the parts, in the order of the labels, by name.
    """

    name: str
    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[int]]


def svg(bars: Bars) -> str:
    """Return a bar chart as an SVG image; whatever the labels hold is escaped.

    >>> svg(Bars("x", "Rows", ["a<b"], {"rows": [2]})).count("a&lt;b")
    2
    """
    has_legend = len(bars.series) > 1
    top = _TOP + (_LEGEND if has_legend else 0)
    height = top + _STEP * len(bars.labels) + 12
    totals = [sum(parts) for parts in zip(*bars.series.values(), strict=True)]
    scale = (_WIDTH - _LEFT - _RIGHT) / max([1, *totals])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label={quoteattr(bars.title)}>\n',
        _STYLE,
        '  <rect width="100%" height="100%" fill="#ffffff"/>\n',
        f'  <text class="title" x="16" y="28">{escape(bars.title)}</text>\n',
        *(_legend(list(bars.series)) if has_legend else ()),
        *(
            _bar(label, top + place * _STEP, [each[place] for each in bars.series.values()], scale)
            for place, label in enumerate(bars.labels)
        ),
        "</svg>\n",
    ]
    return "".join(parts)


def _legend(names: Sequence[str]) -> list[str]:
    width = (_WIDTH - 32) // len(names)
    return [
        f'  <rect x="{16 + width * place}" y="44" width="12" height="12" '
        f'fill="{_COLOURS[place % len(_COLOURS)]}"/>\n'
        f'  <text class="small" x="{34 + width * place}" y="54">{escape(name)}</text>\n'
        for place, name in enumerate(names)
    ]


def _bar(label: str, top: int, parts: Sequence[int], scale: float) -> str:
    label = printable(label)
    shown = label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
    lines = [
        f'  <text x="{_LEFT - 10}" y="{top + 14}" text-anchor="end">'
        f"<title>{escape(label[:200])}</title>{escape(shown)}</text>\n"
    ]
    for place, (part, end) in enumerate(zip(parts, accumulate(parts), strict=True)):
        if part:
            lines.append(
                f'  <rect x="{_LEFT + (end - part) * scale:.1f}" y="{top}" '
                f'width="{part * scale:.1f}" height="{_BAR}" '
                f'fill="{_COLOURS[place % len(_COLOURS)]}"/>\n'
            )
    beside = _LEFT + sum(parts) * scale + 6
    lines.append(f'  <text class="small" x="{beside:.1f}" y="{top + 14}">{sum(parts):,}</text>\n')
    return "".join(lines)
