"""How the rows of a Parquet file are laid out: read with little memory, sent again seldom; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROW_GROUP_BYTES = 64 << 20
"""A row group's rows, before compression, at most: readers hold one at a time."""
_PAGE_BYTES = 256 << 10
_MESSAGES = "messages.list.element"
_PARQUET: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "write_page_index": True,
    # Chunks far below a large row's size: of a changed release little more is sent again than what
    # changed (tests/benchmarks/publish_again.py).
    "use_content_defined_chunking": {
        "min_chunk_size": 16 << 10,
        "max_chunk_size": 64 << 10,
        "norm_level": 0,
    },
}


def parquet_options(mean: float, columns: Mapping[str, bool] | None = None) -> dict[str, Any]:
    """Return how a file of rows is written that have so many bytes on average.

    Large rows are pages of their own, so that one more or less moves no other. Small ones share
    pages, a power of two each, so that a few new rows change nothing for the others: one a page
    made files twice as large, and more was sent again after any change. ``columns`` tells of each
    whether its values may be long; where nobody tells, all are written alike.

    >>> parquet_options(350_000)["max_rows_per_page"], parquet_options(14_000)["max_rows_per_page"]
    (1, 16)
    """
    rows = max(1, int(_PAGE_BYTES / max(1.0, mean)))
    options = {**_PARQUET, "max_rows_per_page": 1 << (rows.bit_length() - 1)}
    if columns is not None:
        # The least and the greatest of long texts tell nobody anything, and stand in the index of
        # pages, which readers fetch before any row.
        options["write_statistics"] = [name for name, is_long in columns.items() if not is_long]
    if options["max_rows_per_page"] > 1:
        return options
    # Pages are cut between rows, so there is nothing left to cut.
    del options["use_content_defined_chunking"]
    if columns is not None:
        # A page of one short value is larger when compressed, and takes several times as long.
        long = [name for name, is_long in columns.items() if is_long]
        options["compression"] = dict.fromkeys(long, _PARQUET["compression"])
        options["compression_level"] = dict.fromkeys(long, _PARQUET["compression_level"])
        # What never comes again only fills the dictionary, which differs as soon as rows move.
        options["use_dictionary"] = [name for name in columns if name != _MESSAGES]
    return options
