"""One mapping from JSON Schema to Arrow, and columns that give back what they were filled with."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, Json, List, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.errors import SchemaError
from davinci_agency.schema import RECORDS, Schema, load_schema
from davinci_agency.schema.arrow import (
    arrow_schema,
    dataset_features,
    dataset_rows,
    leaf_columns,
    record_batch,
)
from tests.samples import example
from tests.schema.strategies import JsonSchema, moments, rows_of, values_of


def _schema(properties: JsonSchema, **more: Any) -> Schema:
    document = {
        "$id": "urn:x",
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
        **more,
    }
    return Schema("thing", "1.0.0", document, {"urn:x": document})


def _parquet(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch that was written to Parquet and read again."""
    file = io.BytesIO()
    pq.write_table(pa.Table.from_batches([batch]), file)
    table = pq.read_table(file)
    assert table.schema == batch.schema
    return pa.RecordBatch.from_arrays(
        [column.combine_chunks() for column in table.columns], schema=table.schema
    )


@pytest.mark.parametrize("record", RECORDS)
def test_every_released_schema_has_columns_in_the_order_of_its_properties(record: str) -> None:
    schema = load_schema(record)
    columns = arrow_schema(schema)
    assert columns.names == list(schema.document["properties"])
    for field in columns:
        kinds = schema.follow(schema.document["properties"][field.name])["type"]
        assert field.nullable == ("null" in kinds and not isinstance(kinds, str)), field


@pytest.mark.parametrize("record", RECORDS)
def test_rows_of_every_released_schema_survive_the_columns_and_parquet(record: str) -> None:
    columns = arrow_schema(load_schema(record))

    @settings(deadline=None, max_examples=8)
    @given(st.lists(rows_of(record), max_size=3))
    def check(rows: list[Any]) -> None:
        batch = record_batch(rows, columns)
        assert list(dataset_rows(batch)) == rows
        assert list(dataset_rows(_parquet(batch))) == rows

    check()


@st.composite
def nodes(draw: st.DrawFn, depth: int = 2) -> JsonSchema:
    """Return a schema within what Arrow can hold."""
    kinds = ["string", "date-time", "integer", "number", "boolean", "json"]
    kind = draw(st.sampled_from([*kinds, "array", "object"] if depth else kinds))
    node: JsonSchema = {"type": kind}
    match kind:
        case "date-time":
            node = {"type": "string", "format": "date-time"}
        case "json":
            node = {"type": draw(st.sampled_from(["object", "array"])), "x-arrow": "json"}
            if node["type"] == "array":
                node["items"] = {"type": ["string", "number", "boolean", "null"]}
        case "integer":
            bounds = draw(st.sampled_from([(), (-5, 5), (0, 2**31 - 1), (0, 2**31), (-(2**40), 1)]))
            node |= dict(zip(("minimum", "maximum"), bounds, strict=False))
        case "array":
            node["items"] = draw(nodes(depth - 1))
        case "object":
            node |= draw(objects(depth - 1))
    if draw(st.booleans()):
        node["type"] = [node["type"], "null"]
    return node


@st.composite
def objects(draw: st.DrawFn, depth: int = 2) -> JsonSchema:
    """Return a closed object."""
    names = st.sampled_from(["a", "b", "camelCase", "with space", "dot.ted", "é", "element"])
    properties = draw(st.dictionaries(names, nodes(depth), min_size=1, max_size=4))
    return {
        "type": "object",
        "additionalProperties": False,
        "required": draw(st.permutations(list(properties))),
        "properties": properties,
    }


@settings(deadline=None, max_examples=60)
@given(objects(), st.data())
def test_rows_of_any_supported_schema_survive_the_columns_and_parquet(
    document: JsonSchema, data: st.DataObject
) -> None:
    schema = Schema("thing", "1.0.0", document, {})
    rows = data.draw(st.lists(values_of(document, schema), max_size=4))
    batch = record_batch(rows, arrow_schema(schema))
    assert list(dataset_rows(batch)) == rows
    assert list(dataset_rows(_parquet(batch))) == rows


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(moments(since=1), min_size=1, max_size=3))
def test_every_time_of_the_calendar_survives(rows: list[str]) -> None:
    schema = arrow_schema(_schema({"when": {"type": "string", "format": "date-time"}}))
    values = [{"when": row} for row in rows]
    assert list(dataset_rows(record_batch(values, schema))) == values


@pytest.mark.parametrize(
    ("node", "column"),
    [
        ({"type": "string"}, pa.string()),
        ({"type": "string", "format": "date-time"}, pa.timestamp("ms", "UTC")),
        ({"type": "integer"}, pa.int64()),
        ({"type": "integer", "minimum": 0}, pa.int64()),
        ({"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, pa.int32()),
        ({"type": "integer", "minimum": 0, "maximum": 2**31}, pa.int64()),
        ({"type": "number"}, pa.float64()),
        ({"type": "boolean"}, pa.bool_()),
        ({"type": "object", "x-arrow": "json"}, pa.json_()),
        ({"type": ["object", "string"], "x-arrow": "json"}, pa.json_()),
    ],
)
def test_each_type_has_one_column_type(node: JsonSchema, column: pa.DataType) -> None:
    field = arrow_schema(_schema({"it": node})).field("it")
    assert field == pa.field("it", column, nullable=False)


def test_a_type_with_null_is_a_nullable_column() -> None:
    node = {"type": ["array", "null"], "items": {"type": ["string", "null"]}}
    field = arrow_schema(_schema({"it": node})).field("it")
    assert field.nullable
    assert field.type.value_field.nullable


OPEN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("node", "word"),
    [
        (OPEN, "open object"),
        ({**OPEN, "additionalProperties": True}, "open object"),
        ({"type": "object", "additionalProperties": False}, "open object"),
        ({**OPEN, "additionalProperties": {"type": "string"}}, "keys are data"),
        ({"type": "object", "patternProperties": {"^x": {"type": "string"}}}, "keys are data"),
        ({"type": ["string", "integer"]}, r"mixed types \(string or integer\)"),
        ({}, r"mixed types \(nothing\)"),
        ({"type": "null"}, r"mixed types \(nothing\)"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "anyOf"),
        ({"type": "string", "oneOf": [{"minLength": 1}]}, "oneOf"),
        ({"type": "string", "allOf": [{"minLength": 1}]}, "allOf"),
        ({"type": "string", "if": {"minLength": 1}}, "if"),
        ({"type": "string", "not": {"minLength": 1}}, "not"),
        ({"type": "decimal"}, "the type 'decimal'"),
        ({"type": ["decimal", "null"]}, "the type 'decimal'"),
        ({"type": "array"}, "one type for all its items"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "one type for all its items"),
        (
            {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}},
            "one type for all its items",
        ),
        (
            {**OPEN, "additionalProperties": False, "required": []},
            "every property must be required",
        ),
    ],
)
def test_what_arrow_can_t_hold_is_refused_by_the_property_s_name(
    node: JsonSchema, word: str
) -> None:
    with pytest.raises(SchemaError, match=rf"thing@1\.0\.0: \$\.it: .*{word}"):
        arrow_schema(_schema({"good": {"type": "string"}, "it": node}))
    nested = {"type": "array", "items": {**_schema({"it": node}).document}}
    with pytest.raises(SchemaError, match=rf"\$\.outer\.element\.it: .*{word}"):
        arrow_schema(_schema({"outer": nested}))


def test_the_columns_that_are_json_are_those_that_say_so() -> None:
    columns = arrow_schema(load_schema("attempt"))
    assert columns.field("metadata").type == pa.json_()
    assert columns.field("messages").type.value_type == pa.json_()
    assert columns.field("tools").type.value_type == pa.json_()
    assert columns.field("model_patch").type == pa.string()


@pytest.mark.parametrize("record", RECORDS)
def test_columns_are_named_as_parquet_names_them(record: str) -> None:
    schema = load_schema(record)
    file = io.BytesIO()
    pq.ParquetWriter(file, arrow_schema(schema)).close()
    assert list(leaf_columns(schema)) == [column.path for column in pq.ParquetFile(file).schema]


def test_json_and_text_without_a_limit_are_long() -> None:
    found = leaf_columns(load_schema("task"))
    assert found["stages.list.element.patch"]
    assert found["problem_statement"]
    short = ("task_id", "split", "stages.list.element.base_commit", "stages.list.element.number")
    assert not any(found[name] for name in short)
    assert leaf_columns(load_schema("attempt"))["messages.list.element"]


def test_an_item_of_a_json_list_may_be_its_text() -> None:
    columns = arrow_schema(load_schema("attempt"))
    row = example("attempt", messages=[{"role": "user", "content": "é"}, {"role": "assistant"}])
    texts = msgspec.json.decode(orjson.dumps(row["messages"]), type=list[msgspec.Raw])
    assert record_batch([{**row, "messages": texts}], columns) == record_batch([row], columns)


def test_a_free_form_value_is_stored_as_json_s_text() -> None:
    row = example("attempt", metadata={"b": [1, None], "a": "é"})
    column = record_batch([row], arrow_schema(load_schema("attempt"))).column("metadata")
    assert orjson.loads(column.storage[0].as_py()) == {"b": [1, None], "a": "é"}


def test_datasets_reads_the_columns_as_lists_and_json() -> None:
    features = dataset_features(load_schema("attempt"))
    assert isinstance(features, Features)
    assert features["metadata"] == Json()
    assert features["messages"] == List(Json())
    assert features["stages"] == List(
        {
            "message_start": Value("int32"),
            "message_end": Value("int32"),
            "model_patch": Value("string"),
            "exit_status": Value("string"),
            "score": Value("float64"),
            "start_tree": Value("string"),
            "rounds": List(
                {
                    "mode": Value("string"),
                    "model_patch": Value("string"),
                    "exit_status": Value("string"),
                    "score": Value("float64"),
                    "rationale": Value("string"),
                    "feedback": Value("string"),
                    "execution": Value("string"),
                    "steps": Value("int32"),
                    "prompt_tokens": Value("int64"),
                    "completion_tokens": Value("int64"),
                    "cost": Value("float64"),
                    "seconds": Value("float64"),
                }
            ),
        }
    )


def test_datasets_hands_out_the_rows_that_went_in() -> None:
    messages = [{"role": "user", "content": "Do it."}, {"role": "assistant", "content": ["Done"]}]
    row = example("attempt", messages=messages, metadata={"cost": 0.5, "who": None})
    schema = load_schema("attempt")
    table = pa.Table.from_batches([record_batch([row], arrow_schema(schema))])
    read = Dataset(table, info=None)[0]
    assert read["messages"] == messages
    assert read["metadata"] == row["metadata"]
    assert read["stages"] == row["stages"]
