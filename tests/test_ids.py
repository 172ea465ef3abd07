"""Identifiers: every member counts, and so does its place."""

from __future__ import annotations

import doctest
import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from davinci_agency import ids
from davinci_agency.ids import author_id, canonical, content_digest, content_id
from davinci_agency.records import chain_id

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MEMBER = st.one_of(TEXT, st.integers(-(2**53), 2**53), st.none(), st.lists(TEXT, max_size=3))
MEMBERS = st.lists(MEMBER, min_size=1, max_size=5)
VALUE: st.SearchStrategy[Any] = st.recursive(
    MEMBER,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=40)
@given(MEMBERS, MEMBERS)
def test_two_lists_of_members_have_one_id_only_if_they_are_equal(
    first: list[Any], second: list[Any]
) -> None:
    same = json.dumps(first) == json.dumps(second)
    assert (content_id("x", *first) == content_id("x", *second)) == same


@settings(deadline=None, max_examples=40)
@given(MEMBERS, st.data())
def test_an_id_changes_when_any_one_member_does(members: list[Any], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(members) - 1))
    other = data.draw(MEMBER)
    assume(other != members[place])
    changed = [*members[:place], other, *members[place + 1 :]]
    assert content_id("x", *changed) != content_id("x", *members)


@settings(deadline=None, max_examples=40)
@given(st.lists(TEXT, min_size=2, max_size=5, unique=True), st.data())
def test_an_id_changes_when_its_members_change_places(
    members: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(members))
    assert (content_id("x", *shuffled) == content_id("x", *members)) == (shuffled == members)


def test_members_do_not_run_into_one_another() -> None:
    found = [
        content_id("x", *members) for members in (("ab",), ("a", "b"), (["a", "b"],), ("", "ab"))
    ]
    assert len(set(found)) == len(found)


def test_the_examples_in_the_docstrings_are_true() -> None:
    assert doctest.testmod(ids).failed == 0


def test_an_id_is_the_same_on_every_machine_and_in_every_release() -> None:
    assert content_id("chain", "a", ["b", 1]) == "chain-214a7b6e9fd135164b616fca"


@settings(deadline=None, max_examples=40)
@given(VALUE)
def test_the_canonical_spelling_says_the_same_whatever_the_order_of_keys(value: Any) -> None:
    assert json.loads(canonical(value)) == value
    assert content_digest(_turned(value)) == content_digest(value)


def _turned(value: Any) -> Any:
    """Return a value with the keys of every object in the other order."""
    if isinstance(value, dict):
        return {key: _turned(inner) for key, inner in reversed(value.items())}
    if isinstance(value, list):
        return [_turned(inner) for inner in value]
    return value


def test_two_chains_with_the_same_ends_and_another_middle_have_two_ids() -> None:
    found = {
        chain_id("semantic-chain", "a/b", [(1, "aa"), (middle, "bb"), (9, "cc")])
        for middle in range(2, 9)
    }
    assert len(found) == 7


@settings(deadline=None, max_examples=40)
@given(st.emails())
def test_an_author_id_hides_the_address(email: str) -> None:
    hidden = author_id(email.encode())
    assert len(hidden) == 16
    assert set(hidden) <= set("0123456789abcdef")
    assert email.lower() not in hidden


@settings(deadline=None, max_examples=40)
@given(st.emails(), st.emails())
def test_two_addresses_share_an_author_id_only_if_they_are_the_same_to_a_mail_system(
    first: str, second: str
) -> None:
    same = first.lower() == second.lower()
    assert (author_id(first.encode()) == author_id(second.encode())) == same


def test_case_and_space_around_an_address_make_no_other_author() -> None:
    assert author_id(b" Ada@Example.org\n") == author_id(b"ada@example.org")


def test_an_address_that_is_no_utf_8_has_an_author_id_too() -> None:
    assert author_id(b"andr\xe9@example.org") != author_id(b"andre@example.org")
