"""Every string of a record is in the buffer once, and each place tells which one it is in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.texts import DEEPEST, TooDeepError, is_plain, texts_of, with_strings
from tests.samples import example

values = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=20,
)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        names = [name for name in value if not is_plain(name)]
        return [*names, *(string for item in value.values() for string in _strings(item))]
    return (
        [string for item in value for string in _strings(item)] if isinstance(value, list) else []
    )


def _all_strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [*value, *(string for item in value.values() for string in _all_strings(item))]
    items = value if isinstance(value, list) else []
    return [string for item in items for string in _all_strings(item)]


@given(values)
def test_every_string_is_there(value: Any) -> None:
    texts = texts_of(value)
    held = [texts.string(number) for number in range(len(texts.parts))]
    assert sorted(held) == sorted(_strings(value))


@given(st.dictionaries(st.text(max_size=6), st.text(max_size=6)))
def test_the_order_of_keys_does_not_matter(value: dict[str, str]) -> None:
    turned = dict(reversed(list(value.items())))
    assert texts_of(turned).buffer == texts_of(value).buffer


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=8), st.data())
def test_a_place_in_the_buffer_tells_the_string(strings: list[str], data: st.DataObject) -> None:
    texts = texts_of(strings)
    number = data.draw(st.integers(0, len(strings) - 1))
    start = texts.starts[number]
    end = start + len(strings[number].encode())
    assert texts.buffer[start:end].decode() == strings[number]
    assert list(texts.places([(start, end)])) == [(number, 0, end - start)]
    assert list(texts.parts_at([start])) == [number]


def test_a_short_value_stands_behind_a_name_that_tells_what_it_is() -> None:
    texts = texts_of({"API_TOKEN": "x", "path": "y"})
    assert texts.buffer == b"API_TOKEN=x\0y"
    assert list(texts.places([(0, 9), (10, 11)])) == [(0, 0, 1)]


def test_a_long_name_may_hide_something_and_is_a_string_too() -> None:
    assert b"a_name_of_twenty_four_xx" in texts_of({"a_name_of_twenty_four_xx": 1}).buffer


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: Any = "x"
    for _ in range(DEEPEST):
        value = [value]
    assert texts_of(value).buffer == b"x"
    with pytest.raises(TooDeepError):
        texts_of([value])


@given(values)
def test_strings_are_changed_wherever_they_stand(value: Any) -> None:
    changed = with_strings(value, lambda text: f"{text}!")
    assert _all_strings(changed) == [f"{string}!" for string in _all_strings(value)]
    assert with_strings(value, lambda text: text) == value


def test_a_records_own_example_keeps_its_shape() -> None:
    value = example("attempt")
    assert with_strings(value, lambda text: text) == value
