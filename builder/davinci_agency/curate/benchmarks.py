"""The texts of a user's own benchmark: queries and patches, from Parquet or JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from davinci_agency.errors import CommandError, DataError
from davinci_agency.files import plain_file, read_lines
from davinci_agency.jsonl import MAX_LINE_BYTES

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
    for row in _rows(path):
        for name in TEXTS:
            value = row.get(name)
            if isinstance(value, str):
                found = True
                yield value.encode()
    if not found:
        raise DataError(f"{path} has no text in any of {', '.join(TEXTS)}; rename its columns.")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".parquet":
        if not path.is_file():
            raise CommandError(f"{path} is not there; name a file that exists.")
        try:
            with pq.ParquetFile(path) as file:
                columns = [name for name in file.schema_arrow.names if name in TEXTS]
                for batch in file.iter_batches(batch_size=256, columns=columns):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path} can't be read as Parquet ({error}).") from error
        return
    with plain_file(path) as plain, plain.open("rb") as file:
        for number, (_, raw) in enumerate(read_lines(file, MAX_LINE_BYTES), start=1):
            if raw is None or not raw.strip():
                continue
            try:
                row = orjson.loads(raw)
            except orjson.JSONDecodeError as error:
                raise DataError(f"{path}:{number}: the line is not JSON ({error}).") from error
            if not isinstance(row, dict):
                raise DataError(f"{path}:{number}: the line is no object; give one row a line.")
            yield row
