"""Rows without JSON values, for clients that know none (`datasets` before 4.7); pure.

Messages become structures with a string for each tool call's arguments, and what a structure has no
field for stands beside it as JSON, in ``extra``. Every other JSON value becomes its text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pyarrow as pa

from davinci_agency.schema.arrow import is_json

MESSAGES = "messages"
_CALL = pa.struct(
    [
        ("id", pa.string()),
        ("type", pa.string()),
        ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())])),
    ]
)
_TEXTS = ("role", "content", "reasoning_content", "name", "tool_call_id")
_MESSAGE = pa.struct(
    [
        *((name, pa.string()) for name in _TEXTS),
        ("tool_calls", pa.list_(_CALL)),
        ("extra", pa.string()),
    ]
)
_FUNCTION = {"name", "arguments"}


def portable_schema(schema: pa.Schema) -> pa.Schema:
    """Return the columns that the columns of a release become."""
    return pa.schema([field.with_type(_portable_type(field)) for field in schema])


def portable_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows of a release as portable rows."""
    schema = portable_schema(batch.schema)
    columns = [
        _converted(column, _converter(field), target.type) if _holds_json(field) else column
        for column, field, target in zip(batch.columns, batch.schema, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def portable_message(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as a structure.

    >>> portable_message({"role": "user", "content": "Do it.", "cache": True})["extra"]
    '{"cache":true}'
    """
    texts = {name: message[name] for name in _TEXTS if isinstance(message.get(name), str)}
    extra = {name: value for name, value in message.items() if name not in texts}
    calls = extra.get("tool_calls")
    if isinstance(calls, list) and all(map(_is_plain_call, calls)):
        texts["tool_calls"] = [_portable_call(call) for call in extra.pop("tool_calls")]
    return {**texts, "extra": _text(extra) if extra else None}


def whole_message(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message that a structure was made of: the inverse of `portable_message`."""
    known = {name: message[name] for name in _TEXTS if message.get(name) is not None}
    if message.get("tool_calls") is not None:
        known["tool_calls"] = [
            {
                **call,
                "function": {
                    "name": call["function"]["name"],
                    "arguments": orjson.loads(call["function"]["arguments"]),
                },
            }
            for call in message["tool_calls"]
        ]
    return {**known, **(orjson.loads(message["extra"]) if message.get("extra") else {})}


def _is_plain_call(call: Any) -> bool:
    """Tell whether a tool call has nothing that its structure has no field for."""
    function = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(function, dict)
        and call.keys() == {"id", "type", "function"}
        and function.keys() == _FUNCTION
        and all(isinstance(text, str) for text in (call["id"], call["type"], function["name"]))
    )


def _portable_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = _text(function["arguments"])
    return {**call, "function": {"name": function["name"], "arguments": arguments}}


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _holds_json(field: pa.Field) -> bool:
    inner = field.type.value_type if pa.types.is_list(field.type) else field.type
    return is_json(inner)


def _portable_type(field: pa.Field) -> pa.DataType:
    if not _holds_json(field):
        return field.type
    return pa.list_(_MESSAGE) if field.name == MESSAGES else pa.string()


def _converter(field: pa.Field) -> Callable[[Any], Any]:
    """Return what turns a value, whose JSON comes as text, into a portable one."""
    if field.name == MESSAGES:
        return lambda texts: [portable_message(orjson.loads(text)) for text in texts]
    if pa.types.is_list(field.type):
        return lambda texts: f"[{','.join(texts)}]"
    return str


def _converted(column: pa.Array, convert: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    values = column.to_pylist()
    return pa.array([None if value is None else convert(value) for value in values], kind)
