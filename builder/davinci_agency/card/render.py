"""A release's figures as a dataset card and its plots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import yaml

from davinci_agency.card.excerpts import excerpt
from davinci_agency.card.figures import SAMPLES, funnel, horizons, plots
from davinci_agency.card.plots import svg
from davinci_agency.card.stats import ReleaseStats, measure_release
from davinci_agency.errors import ReleaseError
from davinci_agency.files import atomic_file
from davinci_agency.parallel import HERE, Engine
from davinci_agency.printable import printable
from davinci_agency.records import SPLITS
from davinci_agency.release import CARD, CONFIGS, PLOTS
from davinci_agency.schema import Schema, load_schema
from davinci_agency.shipped import shipped

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_LONGEST = 200
"""Characters of a value in a table."""
_HUB_LICENSES = frozenset(
    {
        *("0bsd", "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd-2-clause"),
        *("bsd-3-clause", "bsl-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc0-1.0", "ecl-2.0", "epl-1.0"),
        *("epl-2.0", "eupl-1.1", "eupl-1.2", "gpl-2.0", "gpl-3.0", "isc", "lgpl-2.1", "lgpl-3.0"),
        *("mit", "mpl-2.0", "ms-pl", "ncsa", "ofl-1.1", "osl-3.0", "postgresql", "unlicense"),
        *("wtfpl", "zlib"),
    }
)
"""Licences that the Hub knows by SPDX's names, in lower case."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def render_card(stats: ReleaseStats) -> str:
    """Return the card of a release: YAML that tells the Hub its configs, then text for people."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped("dataset_card")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML: what comes from data goes through the filter ``text``.
        autoescape=False,  # noqa: S701
    )
    environment.filters["text"] = _text
    environment.filters["size"] = _size
    template = environment.get_template("card.md.j2")
    return template.render(
        front_matter=yaml.safe_dump(_front_matter(stats), sort_keys=False, allow_unicode=True),
        manifest=stats.manifest,
        configs=stats.configs,
        samples=[stats.configs[kind] for kind in SAMPLES if kind in stats.configs],
        fields={record: _fields(load_schema(record)) for record in _records(stats)},
        records={record: load_schema(record).document for record in _records(stats)},
        excerpts={name: excerpt(config.first) for name, config in stats.configs.items()},
        funnel=funnel(stats),
        splits=[s for s in SPLITS if any(shard.split == s for shard in stats.manifest.shards)],
        horizons=horizons(stats),
        plots={bars.name: bars.title for bars in plots(stats)},
    )


def render_plots(stats: ReleaseStats) -> dict[str, bytes]:
    """Return the plots of a release, by their path in it."""
    return {f"{PLOTS}/{bars.name}.svg": svg(bars).encode() for bars in plots(stats)}


def write_card(release: Path, engine: Engine = HERE) -> str:
    """Write a release's card and its plots into it, and return the card."""
    for place in (release / PLOTS, release / CARD, *(release / PLOTS).glob("*")):
        if place.is_symlink() or (place.is_dir() and place.name != PLOTS):
            raise ReleaseError(f"{place} is no plain file, so nothing is written there; remove it.")
    stats = measure_release(release, engine)
    drawn = render_plots(stats)
    for path, content in drawn.items():
        (release / path).parent.mkdir(exist_ok=True)
        with atomic_file(release / path) as file:
            file.write(content)
    for path in _plots_in(release) - drawn.keys():
        (release / path).unlink()
    card = render_card(stats)
    with atomic_file(release / CARD) as file:
        file.write(card.encode())
    return card


def card_is_true(release: Path, engine: Engine = HERE) -> bool:
    """Tell whether a release's card and plots are those that its shards give."""
    stats = measure_release(release, engine)
    wanted = {CARD: render_card(stats).encode(), **render_plots(stats)}
    is_there = all(
        (release / path).is_file() and (release / path).read_bytes() == content
        for path, content in wanted.items()
    )
    return is_there and _plots_in(release) <= wanted.keys()


def _plots_in(release: Path) -> set[str]:
    return {path.relative_to(release).as_posix() for path in (release / PLOTS).glob("*")}


def _records(stats: ReleaseStats) -> list[str]:
    return list(dict.fromkeys(CONFIGS[config] for config in stats.configs))


def _front_matter(stats: ReleaseStats) -> dict[str, Any]:
    rows = sum(config.rows for config in stats.configs.values())
    return {
        "pretty_name": stats.manifest.name,
        "license": _license(stats),
        "language": ["en", "code"],
        "task_categories": ["text-generation"],
        "tags": [
            "agents",
            "agent-traces",
            "pull-requests",
            "long-horizon",
            "code",
            "davinci-agency",
        ],
        "size_categories": [next((name for limit, name in _SIZES if rows < limit), "n>10M")],
        # Never dataset_info: one Json column in it makes every config unreadable before 4.7.
        "configs": [
            {
                "config_name": config,
                "data_files": [
                    {"split": split, "path": [shard.path for shard in shards]}
                    for split, shards in stats.manifest.splits_of(config).items()
                ],
            }
            for config in stats.configs
        ],
    }


def _license(stats: ReleaseStats) -> str:
    """Return the one licence of all rows as the Hub spells it, else ``other``."""
    licenses = {
        name for config in stats.configs.values() for name in config.counts.get("license", {})
    }
    only = next(iter(licenses)).lower() if len(licenses) == 1 else ""
    return only if only in _HUB_LICENSES else "other"


def _fields(schema: Schema) -> list[tuple[str, str, str, str]]:
    """Return a row for each property, nested ones too: name, type, unit, description."""
    rows: list[tuple[str, str, str, str]] = []
    _add_fields(schema.document, "", schema, rows)
    return rows


def _add_fields(
    node: Mapping[str, Any], prefix: str, schema: Schema, rows: list[tuple[str, str, str, str]]
) -> None:
    for name, reference in node.get("properties", {}).items():
        child = schema.follow(reference)
        is_list = "items" in child
        path = f"{prefix}{name}{'[]' if is_list else ''}"
        inner = schema.follow(child["items"]) if is_list else child
        kind = "JSON" if "json" in (child.get("x-arrow"), inner.get("x-arrow")) else _type(child)
        rows.append((path, kind, child["x-unit"], child["description"]))
        if kind != "JSON" and "properties" in inner:
            _add_fields(inner, f"{path}.", schema, rows)


def _type(node: Mapping[str, Any]) -> str:
    kinds = [node["type"]] if isinstance(node["type"], str) else node["type"]
    return " or ".join(kinds)


def _text(value: object) -> str:
    """Return text from data so that Markdown shows it, cut short, and does nothing with it."""
    words = printable(str(value))
    shown = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
    return _MARKDOWN.sub(r"\\\1", shown)


def _size(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
