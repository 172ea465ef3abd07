"""The texts of a user's own benchmark: queries and patches, from Parquet or JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from davinci_agency.curate.tables import table_rows
from davinci_agency.errors import DataError

TEXTS = (
    "problem_statement", "query", "prompt", "question", "text", "title", "body", "issue",
    "patch", "test_patch", "fix_patch", "gold_patch",
)  # fmt: skip
"""The columns whose texts a record may hold no run of, as benchmarks call them."""


def read_benchmark_texts(path: Path) -> Iterator[bytes]:
    """Yield the texts of a benchmark.

    Raises `CommandError` if the file is not there, and `DataError` if it can't be read or has none
    of the columns.
    """
    found = False
    for number, row in enumerate(table_rows(path, TEXTS), start=1):
        if isinstance(row, str):
            raise DataError(f"{path}:{number}: {row}; mend the row, or leave it out.")
        for name in TEXTS:
            value = row.get(name)
            if isinstance(value, str):
                found = True
                yield value.encode("utf-8", "surrogatepass")
    if not found:
        raise DataError(f"{path} has no text in any of {', '.join(TEXTS)}; rename its columns.")
