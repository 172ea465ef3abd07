"""Pull-request chains and agent trajectories, turned into a Hugging Face dataset.

>>> from davinci_agency import Recipe, run
>>> for outcome in run(Recipe.read(Path("dataset.toml"))):  # doctest: +SKIP
...     print(outcome.name, outcome.summary.out)

Importing the package reads nothing and prints nothing; the names below are imported when asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from davinci_agency.version import __version__

if TYPE_CHECKING:
    from davinci_agency import errors, records
    from davinci_agency.pipeline import run
    from davinci_agency.recipe import Recipe

__all__ = ["Recipe", "__version__", "errors", "records", "run"]

_HOMES = {"Recipe": "recipe", "run": "pipeline"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"davinci_agency.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"davinci_agency.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
