"""The figures of a card that are more than a count: the funnel, the horizon, the plots; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from davinci_agency.card.plots import Bars
from davinci_agency.card.stats import ConfigStats, Measure, ReleaseStats

SAMPLES = ("single-pr", "temporal-chain", "semantic-chain")
_MOST_BARS = 20
HORIZONS = (
    ("short, below 20", 0, 20),
    ("medium, 20 to 99", 20, 100),
    ("long, 100 or more", 100, 1e12),
)
"""Names and limits of horizons, in tool calls."""
Step = tuple[str, int]


def funnel(stats: ReleaseStats) -> list[Step]:
    """Return how many there were of what, from pull requests to samples."""
    configs = stats.configs
    rows = {name: config.rows for name, config in configs.items()}
    pulls = rows.get("pull-requests", 0)
    removals = configs.get("removals")
    receipts = removals.receipts if removals else Counter()
    left: Counter[str] = Counter()
    for (stage, record, _), count in receipts.items():
        if record == "pull-request":
            left[stage] += count
    steps = [
        ("pull requests seen", pulls + left["mine"] if pulls else 0),
        ("pull requests mined", pulls),
        ("that may stand in chains", pulls - left["chain"]),
        ("tasks", rows.get("tasks", 0)),
        ("attempts", rows.get("attempts", 0)),
        ("samples", sum(rows.get(kind, 0) for kind in SAMPLES)),
    ]
    return [step for step in steps if step[1] > 0]


def horizons(stats: ReleaseStats) -> list[tuple[str, dict[str, int]]]:
    """Return the samples of each kind by horizon."""
    calls = {
        kind: stats.configs[kind].measures["num_tool_calls"]
        for kind in SAMPLES
        if kind in stats.configs
    }
    return [
        (name, {kind: measure.between(low, high) for kind, measure in calls.items()})
        for name, low, high in HORIZONS
        if calls
    ]


def plots(stats: ReleaseStats) -> list[Bars]:
    """Return the plots of a release; none that would be empty."""
    return [bars for bars in _plots(stats) if bars.labels and bars.series]


def _plots(stats: ReleaseStats) -> Iterator[Bars]:
    configs = stats.configs
    steps = funnel(stats)
    yield Bars(
        "funnel",
        "From pull requests to samples",
        [name for name, _ in steps],
        {"number": [count for _, count in steps]},
    )
    origin = configs.get("pull-requests") or configs.get("tasks")
    if origin is not None:
        for column, what in (("repo", "repositories"), ("language", "languages")):
            yield _counted(what, f"Rows of {origin.config} by {column}", origin.counts[column])
    with_stages = {name: configs[name].stages for name in ("tasks", *SAMPLES) if name in configs}
    if "tasks" in with_stages:
        lengths = sorted(with_stages["tasks"])
        yield Bars(
            "chain-length",
            "Tasks by pull requests in a chain",
            [str(length) for length in lengths],
            {"tasks": [with_stages["tasks"][length] for length in lengths]},
        )
        yield _counted("ties", "Ties of tasks by type", configs["tasks"].edges)
    samples = [configs[kind] for kind in SAMPLES if kind in configs]
    for column, name, title in (
        ("num_tool_calls", "tool-calls", "Samples by tool calls"),
        ("num_tokens", "tokens", "Samples by tokens"),
    ):
        yield _classes(name, title, samples, column)
    if "attempts" in configs:
        yield _classes("scores", "Attempts by score", [configs["attempts"]], "score")


def _counted(name: str, title: str, counts: Counter[str]) -> Bars:
    """Return bars for the most frequent values, and one for all others."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown, others = ranked[:_MOST_BARS], ranked[_MOST_BARS:]
    if others:
        shown.append((f"{len(others):,} others", sum(count for _, count in others)))
    return Bars(name, title, [value for value, _ in shown], {"rows": [count for _, count in shown]})


def _classes(name: str, title: str, configs: list[ConfigStats], column: str) -> Bars:
    """Return a histogram of a column, in parts for each config."""
    measures = {config.config: config.measures[column] for config in configs}
    known = {config: measure for config, measure in measures.items() if measure.count}
    found = sorted({step for measure in known.values() for step in measure.classes})
    if not known:
        return Bars(name, title, [], {})
    steps = next(iter(known.values())).steps
    wanted = [step for step in steps if found[0] <= step <= found[-1]]
    return Bars(
        name,
        title,
        [_label(step, next(iter(known.values()))) for step in wanted],
        {config: [measure.classes[step] for step in wanted] for config, measure in known.items()},
    )


def _label(step: float, measure: Measure) -> str:
    """Return the words for a class of values, by its beginning."""
    later = next((other for other in measure.steps if other > step), None)
    if later is None:
        return f"{step:,}"
    if isinstance(step, int) and later - step == 1:
        return f"{step:,}"
    return f"{step:,} to below {later:,}"
