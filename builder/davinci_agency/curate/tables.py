"""The rows of somebody else's table: Parquet or JSON Lines, told by its first bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from davinci_agency.errors import DataError
from davinci_agency.files import plain_file, read_lines

_BATCH_ROWS = 64
_MAX_LINE_BYTES = 256 << 20
_PARQUET_MARK = b"PAR1"


def table_rows(path: Path, columns: Sequence[str]) -> Iterator[Mapping[str, Any] | str]:
    """Yield every row in some columns, or why it is none.

    Raises `CommandError` if the file is not there, and `DataError` if it can't be read.
    """
    with plain_file(path) as plain:
        with plain.open("rb") as file:
            is_parquet = file.read(len(_PARQUET_MARK)) == _PARQUET_MARK
        yield from _parquet_rows(path, plain, columns) if is_parquet else _json_rows(plain)


def _parquet_rows(path: Path, plain: Path, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    try:
        with pq.ParquetFile(plain) as file:
            held = [column for column in columns if column in file.schema_arrow.names]
            for batch in file.iter_batches(_BATCH_ROWS, columns=held):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: it can't be read as Parquet ({error}); get it again.") from error


def _json_rows(plain: Path) -> Iterator[Mapping[str, Any] | str]:
    with plain.open("rb") as file:
        for _, line in read_lines(file, _MAX_LINE_BYTES):
            if line is None:
                yield f"the line is longer than {_MAX_LINE_BYTES >> 20} MiB"
            elif line.strip():
                yield _json_row(line)


def _json_row(line: bytes) -> Mapping[str, Any] | str:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"the line is not JSON ({error})"
    return row if isinstance(row, dict) else "the line is no JSON object"
