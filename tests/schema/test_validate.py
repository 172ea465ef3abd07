"""Whether a value follows its schema, and what is said where it does not."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import jsonschema
import pytest
import referencing
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.schema import RECORDS, cut_short, load_schema, validator
from tests.samples import example
from tests.schema.strategies import JSON_VALUES, rows_of

Path = list[str | int]
FORMATS = jsonschema.FormatChecker(formats=())


def _is_time(value: object) -> bool:
    if isinstance(value, str):
        # Whole seconds in UTC are all that the schemas' pattern lets through.
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    return True


FORMATS.checks("date-time", raises=ValueError)(_is_time)

TIMES = st.builds(
    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format,
    st.sampled_from([1, 1900, 2023, 2024, 9999]),
    st.integers(0, 13),
    st.sampled_from([0, 1, 28, 29, 30, 31, 32]),
    st.sampled_from([0, 23, 24]),
    st.sampled_from([0, 59, 60]),
    st.sampled_from([0, 59]),
)
"""Times of which many are in no calendar, and none is a leap second."""


@cache
def _oracle(record: str) -> jsonschema.Draft202012Validator:
    schema = load_schema(record)
    registry: referencing.Registry[Any] = referencing.Registry().with_resources(
        (name, referencing.Resource.from_contents(document))
        for name, document in schema.siblings.items()
    )
    return jsonschema.Draft202012Validator(
        schema.document, registry=registry, format_checker=FORMATS
    )


def _places(value: Any, path: Path) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, [*path, key])
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _places(inner, [*path, place])


def _parent(value: Any, path: Path) -> Any:
    for key in path[:-1]:
        value = value[key]
    return value


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(RECORDS), st.data())
def test_a_changed_example_is_judged_as_the_reference_judges_it(
    record: str, data: st.DataObject
) -> None:
    value = example(record)
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(_places(value, []))))
        parent = _parent(value, path)
        match data.draw(st.sampled_from(["drop", "replace", "swap", "add"])):
            case "drop":
                del parent[path[-1]]
            case "replace":
                parent[path[-1]] = data.draw(JSON_VALUES)
            case "swap":
                other = data.draw(st.sampled_from(list(_places(value, []))))
                parent[path[-1]] = copy.deepcopy(_parent(value, other)[other[-1]])
            case _:
                if isinstance(parent, dict):
                    parent["surplus"] = None
    expected = _oracle(record).is_valid(value)
    assert (validator(record).faults(value) == []) == expected


@settings(deadline=None, max_examples=100)
@given(TIMES)
def test_a_time_is_judged_as_the_calendar_judges_it(time_text: str) -> None:
    value = example("pull-request", merged_at=time_text)
    expected = _oracle("pull-request").is_valid(value)
    assert (validator("pull-request").faults(value) == []) == expected


@pytest.mark.parametrize("record", RECORDS)
def test_rows_drawn_from_a_schema_follow_it(record: str) -> None:
    @settings(deadline=None, max_examples=10)
    @given(rows_of(record))
    def check(row: Any) -> None:
        assert validator(record).faults(row) == []
        assert _oracle(record).is_valid(row)

    check()


@pytest.mark.parametrize(
    ("changes", "path", "expected", "found"),
    [
        ({"number": "12"}, "$.number", "integer", '"12"'),
        ({"number": 0}, "$.number", "at least 1", "0"),
        ({"merge_style": "octopus"}, "$.merge_style", 'one of "merge", "squash"', '"octopus"'),
        ({"url": 1}, "$.url", "null or string", "1"),
        ({"author_id": "ada"}, "$.author_id", "text that matches ^[0-9a-f]{16}$", '"ada"'),
        ({"schema_version": "0.9"}, "$.schema_version", '"1.0.0"', '"0.9"'),
        ({"gaps": ["luck"]}, "$.gaps[0]", "one of", '"luck"'),
        ({"commits": [{}]}, "$.commits[0].sha", "a value", "missing"),
        ({"files": {}}, "$.files", "array", "{}"),
        ({"repo": "a/" + "b" * 200}, "$.repo", "at most 200 characters", '"a/bbb'),
    ],
)
def test_a_fault_says_where_what_is_there_and_what_should_be(
    changes: dict[str, Any], path: str, expected: str, found: str
) -> None:
    faults = validator("pull-request").faults(example("pull-request", **changes))
    fault = next(fault for fault in faults if fault.json_path == path)
    assert fault.expected.startswith(expected)
    assert fault.found.startswith(found)
    assert str(fault) == f"{path} is {fault.found}; expected {fault.expected}"


def test_a_missing_and_a_surplus_property_are_named() -> None:
    value = example("pull-request")
    del value["title"]
    value["titel"] = "Fix"
    faults = {fault.json_path: fault.found for fault in validator("pull-request").faults(value)}
    assert faults == {"$.title": "missing", "$.titel": "there"}


def test_an_impossible_date_is_a_fault() -> None:
    value = example("pull-request", merged_at="2024-02-30T00:00:00Z")
    faults = validator("pull-request").faults(value)
    assert [(fault.json_path, fault.expected) for fault in faults] == [
        ("$.merged_at", "a date-time")
    ]


@pytest.mark.parametrize(
    "huge",
    ["x" * 12_000_000, ["x" * 1000] * 12_000, {"k" * 100: ["v" * 12_000_000]}, [1] * 6_000_000],
    ids=["text", "list", "object", "numbers"],
)
def test_a_wrong_value_of_12_megabytes_makes_a_short_message_at_once(huge: Any) -> None:
    begin = time.monotonic()
    faults = validator("pull-request").faults(example("pull-request", number=huge))
    message = str(faults[0])
    assert time.monotonic() - begin < 3
    assert re.match(r"\$\.number is .*; expected integer$", message)
    assert len(message) < 200


def test_a_surplus_property_with_a_name_of_a_megabyte_makes_a_short_message() -> None:
    value = {**example("pull-request"), "x" * 1_000_000: None}
    (fault,) = validator("pull-request").faults(value)
    assert len(str(fault)) < 200


@settings(deadline=None)
@given(JSON_VALUES)
def test_a_value_is_shown_as_json_of_some_80_characters(value: Any) -> None:
    assert len(cut_short(value)) <= 81
