"""Load every config of a release as a trainer would, and print its shape and one row."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from datasets import load_dataset
from datasets.utils.logging import disable_progress_bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

_SHOWN_CHARACTERS = 72


def configs(release: Path) -> list[str]:
    """Return the configs that a release's card names."""
    _, front_matter, _ = (release / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return [config["config_name"] for config in yaml.safe_load(front_matter)["configs"]]


def cut(value: Any) -> Text:
    """Return a value on one line, cut to fit."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    line = " ".join(text.split())
    return Text(line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…")


def show(release: Path, config: str, cache: str, console: Console) -> None:
    """Print a config's shape and its first row."""
    dataset = load_dataset(str(release), config, split="train", cache_dir=cache)
    rows, columns = dataset.shape
    title = Text(f'load_dataset("{release}", "{config}"): {rows} rows, {columns} columns')
    table = Table("column", "first row", title=title, title_justify="left")
    for column, value in dataset[0].items():
        table.add_row(column, cut(value))
    console.print(table)


def main() -> None:
    """Show the release that the command line names."""
    release = Path(sys.argv[1])
    disable_progress_bar()
    console = Console()
    with tempfile.TemporaryDirectory() as cache:
        for config in configs(release):
            show(release, config, cache, console)


if __name__ == "__main__":
    main()
