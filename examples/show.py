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

_MOST_CHARACTERS = 1_000


def configs(release: Path) -> list[str]:
    """Return the configs that a release's card names."""
    _, front_matter, _ = (release / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return [config["config_name"] for config in yaml.safe_load(front_matter)["configs"]]


def on_one_line(value: Any) -> Text:
    """Return a value on one line, long ones cut."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return Text(" ".join(text[:_MOST_CHARACTERS].split()))


def show(release: Path, config: str, cache: str, console: Console) -> None:
    """Print a config's shape and its first row."""
    dataset = load_dataset(str(release), config, split="train", cache_dir=cache)
    rows, columns = dataset.shape
    call = f'load_dataset("{release}", "{config}")'
    console.print(Text(f"{call}: {rows} rows, {columns} columns", style="bold"), soft_wrap=True)
    table = Table(expand=True)
    table.add_column("column", no_wrap=True, min_width=max(map(len, dataset.column_names)))
    table.add_column("first row", no_wrap=True, overflow="ellipsis", ratio=1)
    for column, value in dataset[0].items():
        table.add_row(column, on_one_line(value))
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
