"""Places of records: one order whatever was added when, each identity once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sqlite3 import OperationalError
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.errors import OutputError
from davinci_agency.ledger import Key, Placed, open_ledger, ordered, packed, temporary_database
from davinci_agency.spooling import Location

TEXTS = st.text(st.characters(), max_size=4)
NUMBERS = st.lists(st.integers(0, 9), max_size=3).map(tuple)
KEYS = st.tuples(TEXTS, st.integers(-(2**62), 2**62), NUMBERS, TEXTS)


@given(KEYS, KEYS)
def test_bytes_sort_as_keys_do(one: Key, other: Key) -> None:
    assert (ordered(one) < ordered(other)) == (one < other)
    assert (ordered(one) == ordered(other)) == (one == other)


@given(st.text("a\0\x01\xff", max_size=5), st.text("a\0\x01\xff", max_size=5))
def test_texts_that_hold_what_ends_them_sort_too(one: str, other: str) -> None:
    assert (ordered((one, 1)) < ordered((other, 0))) == ((one, 1) < (other, 0))


FRACTIONS = st.tuples(st.floats(allow_nan=False), TEXTS)


@given(FRACTIONS, FRACTIONS)
def test_fractions_sort_too(one: Key, other: Key) -> None:
    assert (ordered(one) < ordered(other)) == (one < other)
    assert (ordered(one) == ordered(other)) == (one == other)


def placed(identity: str, line: int, content: int) -> Placed:
    """Return a place whose offset tells the content."""
    return Placed(
        identity, 0, line, Location(Path("in"), content, 1), Location(Path("kept"), line, 2)
    )


RECORDS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.integers(0, 1)))


@settings(deadline=None)
@given(RECORDS)
def test_one_of_each_identity_is_kept_if_all_say_the_same(
    records: list[tuple[str, int, int]],
) -> None:
    entries = [
        (placed(name, line, content), ordered((key, name)), packed((name, line)))
        for line, (name, key, content) in enumerate(records, start=1)
    ]
    with TemporaryDirectory() as folder, open_ledger(Path(folder)) as ledger:
        ledger.begin_file(Path("in"))
        for entry in entries:
            ledger.add([entry])
        gone = list(ledger.settle(lambda each: bytes([each.source.offset])))
        kept = list(ledger.placed())
        assert [ledger.at(place) for place in range(len(ledger))] == kept
        assert [ledger.find(each.identity) for each in kept] == list(range(len(kept)))
        assert list(ledger.seen()) == [(each.identity, each.line) for each in kept]
        assert [ledger.seen_at(place) for place in range(len(ledger))] == list(ledger.seen())
        assert ledger.find("z") is None
        copies = sorted(ledger.copies())
    in_order = [each for each, *_ in sorted(entries, key=lambda entry: (entry[1], entry[0].line))]
    assert copies == sorted(each.identity for each, is_ambiguous in gone if not is_ambiguous)
    said = {name: {c for n, _, c in records if n == name} for name, _, _ in records}
    counts = Counter(name for name, _, _ in records)
    firsts: dict[str, Placed] = {}
    for each in in_order:
        firsts.setdefault(each.identity, each)
    assert kept == [e for e in in_order if firsts[e.identity] == e and len(said[e.identity]) == 1]
    assert gone == [
        (e, len(said[e.identity]) > 1) for e in in_order if counts[e.identity] > 1 and e not in kept
    ]


def test_more_than_the_cache_holds_is_ordered_and_many_may_ask(tmp_path: Path) -> None:
    count = 40_000
    with open_ledger(tmp_path) as ledger:
        ledger.begin_file(Path("in"))
        numbers = [number * 7919 % count for number in range(count)]
        ledger.add(
            (placed(str(number), line, 0), ordered((number,)), packed(bytes(2_000)))
            for line, number in enumerate(numbers, start=1)
        )
        assert list(ledger.settle(lambda _: b"")) == []
        assert (tmp_path / "ledger.sqlite").stat().st_size > 10 << 20
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda place: ledger.at(place).identity, range(0, count, 97)))
        assert found == [str(place) for place in range(0, count, 97)]
        assert sum(1 for _ in ledger.seen()) == len(ledger) == count


def fill(path: Path) -> None:
    with temporary_database(path, "CREATE TABLE text (said BLOB)") as database:
        database.execute("PRAGMA max_page_count = 20")
        database.executemany("INSERT INTO text VALUES (?)", ((bytes(5_000),) for _ in range(100)))


def test_a_full_disk_is_told_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=rf"{tmp_path}: .* full; free some space there"):
        fill(tmp_path / "some.sqlite")


def test_no_other_fault_is_called_a_full_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(OperationalError, match="no such table"),
        temporary_database(tmp_path / "some.sqlite", "CREATE TABLE text (said BLOB)") as database,
    ):
        database.execute("SELECT * FROM absent")
