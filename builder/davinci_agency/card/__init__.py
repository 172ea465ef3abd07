"""The card: a release in, its README.md out.

In: a release's manifest and shards. Out: a dataset card whose YAML names the files of each config.
Promises: nothing in it is typed by hand that the shards could contradict.
"""

from davinci_agency.card.render import card_is_true, render_card, write_card
from davinci_agency.card.stats import ConfigStats, ReleaseStats, measure_release

__all__ = [
    "ConfigStats",
    "ReleaseStats",
    "card_is_true",
    "measure_release",
    "render_card",
    "write_card",
]
