"""JSON Schema → Arrow schema → `datasets.Features`: the one mapping, and columns filled by it.

| JSON Schema | Arrow |
|---|---|
| `string` | `string` |
| `string`, `format: date-time` | `timestamp[ms, UTC]` |
| `integer` with bounds inside 32 bits, else `integer` | `int32`, `int64` |
| `number` | `float64` |
| `boolean` | `bool` |
| `array` with `items` | `list` |
| `object` with `additionalProperties: false` | `struct` |
| anything with `x-arrow: json` | `arrow.json` |

A type of `[X, "null"]` is a nullable X. Everything else is refused by name: Arrow would have to
guess, pad or merge, and a guess is how published sets came to have columns that change type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
import orjson
import pyarrow as pa

from davinci_agency.errors import SchemaError
from davinci_agency.schema.registry import JsonSchema, Schema

if TYPE_CHECKING:
    import numpy.typing as npt
    from datasets import Features

T = TypeVar("T")

_INT32 = (-(2**31), 2**31 - 1)
_LIMITS = {"const", "enum", "format", "maxLength", "pattern"}
_MOST_BYTES = 2**31 - 1
_TIMESTAMP = pa.timestamp("ms", "UTC")
_SCALARS = {"string": pa.string(), "number": pa.float64(), "boolean": pa.bool_()}


def arrow_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of a record's table.

    Raises `SchemaError` naming the property, if the schema says something that Arrow can't hold.
    """
    root = _field("$", schema.document, schema)
    return pa.schema(list(root.type))


def dataset_features(schema: Schema) -> Features:
    """Return the features that `datasets` gives the table; `arrow.json` becomes `Json`."""
    from datasets import Features

    return Features.from_arrow_schema(arrow_schema(schema))


def is_json(kind: pa.DataType) -> bool:
    """Tell whether a column holds JSON values."""
    return isinstance(kind, pa.BaseExtensionType)


def is_json_list(kind: pa.DataType) -> bool:
    """Tell whether a column holds lists of JSON values."""
    return pa.types.is_list(kind) and is_json(kind.value_type)


def _field(name: str, node: JsonSchema, schema: Schema, path: str = "") -> pa.Field:
    path = f"{path}.{name}" if path else name
    node = schema.follow(node)
    kind, nullable = _kind(node, path, schema)
    return pa.field(name, _arrow_type(kind, node, path, schema), nullable)


def _kind(node: JsonSchema, path: str, schema: Schema) -> tuple[str, bool]:
    for keyword in ("anyOf", "oneOf", "allOf", "if", "not", "$dynamicRef"):
        if keyword in node:
            raise SchemaError(f"{schema.name}: {path}: Arrow can't hold {keyword}; give one type.")
    kinds = node.get("type")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds or [])
    plain = [kind for kind in kinds if kind != "null"]
    if node.get("x-arrow") == "json":
        return "json", "null" in kinds
    if len(plain) != 1:
        said = " or ".join(plain) or "nothing"
        raise SchemaError(
            f"{schema.name}: {path}: Arrow can't hold a column of mixed types ({said}); "
            'give one type, or say "x-arrow": "json".'
        )
    return plain[0], "null" in kinds


def _arrow_type(kind: str, node: JsonSchema, path: str, schema: Schema) -> pa.DataType:
    if kind == "json":
        return pa.json_()
    if kind == "string" and node.get("format") == "date-time":
        return _TIMESTAMP
    if kind == "integer":
        return pa.int32() if _fits_int32(node) else pa.int64()
    if kind == "array":
        if "items" not in node or "prefixItems" in node:
            raise SchemaError(f"{schema.name}: {path}: a list needs one type for all its items.")
        return pa.list_(_field("element", node["items"], schema, path))
    if kind == "object":
        _check_closed(node, path, schema)
        return pa.struct(
            [_field(name, child, schema, path) for name, child in node["properties"].items()]
        )
    if kind in _SCALARS:
        return _SCALARS[kind]
    raise SchemaError(f"{schema.name}: {path}: Arrow can't hold the type {kind!r}.")


def _fits_int32(node: JsonSchema) -> bool:
    low, high = _INT32
    return bool(node.get("minimum", low - 1) >= low and node.get("maximum", high + 1) <= high)


def _check_closed(node: JsonSchema, path: str, schema: Schema) -> None:
    if "patternProperties" in node or isinstance(node.get("additionalProperties"), Mapping):
        raise SchemaError(
            f"{schema.name}: {path}: Arrow can't hold an object whose keys are data; "
            'make it a list of records, or say "x-arrow": "json".'
        )
    if node.get("additionalProperties") is not False or not node.get("properties"):
        raise SchemaError(
            f"{schema.name}: {path}: Arrow can't hold an open object; "
            'say "additionalProperties": false and name its properties, or "x-arrow": "json".'
        )
    if set(node.get("required", ())) != set(node["properties"]):
        raise SchemaError(
            f"{schema.name}: {path}: every property must be required, for a column is always "
            "there; let its type include null instead."
        )


def leaf_columns(schema: Schema) -> dict[str, bool]:
    """Return the columns of a record's table, as Parquet names them: may their values be long?

    That is JSON, and text for which the schema sets no limit.
    """
    return dict(_leaf_columns(schema.document, schema, ()))


def _leaf_columns(
    node: JsonSchema, schema: Schema, path: tuple[str, ...]
) -> Iterator[tuple[str, bool]]:
    node = schema.follow(node)
    is_json = node.get("x-arrow") == "json"
    if "properties" in node and not is_json:
        for name, child in node["properties"].items():
            yield from _leaf_columns(child, schema, (*path, name))
    elif "items" in node and not is_json:
        yield from _leaf_columns(node["items"], schema, (*path, "list", "element"))
    else:
        yield ".".join(path), is_json or ("string" in node["type"] and not _LIMITS & set(node))


# --- Columns from rows -------------------------------------------------------------------------
# pyarrow fills `arrow.json` only from its storage, so rows become storage values first.


def record_batch(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Return rows of JSON's types as Arrow columns of the schema's types.

    The rows must have been validated: a property that the schema does not name would be lost. In a
    list of JSON values an item may be given as its text, a `msgspec.Raw`.
    """
    held = list(rows)
    columns = [_column([row[field.name] for row in held], field) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(values: Sequence[Any], field: pa.Field) -> pa.Array:
    if is_json_list(field.type):
        return _json_lists(values, field.type)
    to_storage = _encoder(field.type)
    stored = pa.array([to_storage(value) for value in values], _storage(field.type))
    return stored if stored.type == field.type else stored.cast(field.type)


def _json_lists(values: Sequence[Sequence[Any] | None], kind: pa.ListType) -> pa.Array:
    """Return lists of JSON values: most of all bytes there are, so they are copied only once."""
    texts = [
        item if isinstance(item, msgspec.Raw) else orjson.dumps(item)
        for value in values
        for item in value or ()
    ]
    ends = _offsets([*map(len, texts)])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    stored = pa.Array.from_buffers(pa.string(), len(texts), buffers)
    items = pa.ExtensionArray.from_storage(kind.value_type, stored)
    places = pa.array(_offsets([len(value or ()) for value in values]))
    absent = [value is None for value in values]
    mask = pa.array(absent) if any(absent) else None
    return pa.ListArray.from_arrays(places, items, type=kind, mask=mask)


def _offsets(lengths: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return where parts begin and end that stand end to end. Raises `OverflowError` at 2 GB."""
    ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if ends[-1] > _MOST_BYTES:
        raise OverflowError("more than 2 GB in one batch")
    return ends.astype(np.int32)


def _storage(kind: pa.DataType) -> pa.DataType:
    if is_json(kind):
        return kind.storage_type
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_storage(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_storage(field.type)) for field in kind])
    return kind


def _encoder(kind: pa.DataType) -> Callable[[Any], Any]:
    """Return the function that turns a JSON value into what pyarrow takes for the type."""
    return _converter(kind, _json_text, datetime.fromisoformat)


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def dataset_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Yield a batch's rows in JSON's types again: the inverse of `record_batch`."""
    to_json = _converter(pa.struct(list(batch.schema)), _decode_json, _utc_text)
    for row in batch.to_pylist():
        yield to_json(row)


def _decode_json(value: Any) -> Any:
    return orjson.loads(value)


def _utc_text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _converter(
    kind: pa.DataType, json_value: Callable[[Any], Any], time: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    if is_json(kind):
        return _unless_none(json_value)
    if pa.types.is_timestamp(kind):
        return _unless_none(time)
    if pa.types.is_list(kind):
        return _unless_none(_each(_converter(kind.value_type, json_value, time)))
    if pa.types.is_struct(kind):
        fields = {field.name: _converter(field.type, json_value, time) for field in kind}
        if all(convert is _same for convert in fields.values()):
            return _same
        return _unless_none(_fields(fields))
    return _same


def _same(value: Any) -> Any:
    return value


def _each(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if convert is _same:
        return _same

    def convert_list(values: Sequence[Any]) -> list[Any]:
        return [convert(value) for value in values]

    return convert_list


def _fields(converters: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def convert_struct(value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: convert(value[name]) for name, convert in converters.items()}

    return convert_struct


def _unless_none(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if convert is _same:
        return _same
    return lambda value: None if value is None else convert(value)
