"""Work spread over threads comes back in turn, and ends in order."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from davinci_agency.parallel import in_turn, threaded_map


@pytest.mark.parametrize("count", [0, 1, 2, 5, 12, 13])
@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_what_was_dealt_out_comes_back_in_order(count: int, lanes: int) -> None:
    def lane(numbers: range) -> Generator[int]:
        # Nought is an item like any other.
        yield from numbers

    dealt = [lane(range(first, count, lanes)) for first in range(lanes)]
    assert list(in_turn(dealt)) == list(range(count))


def test_no_lanes_are_no_items() -> None:
    assert list(in_turn([])) == []


@pytest.mark.parametrize("lanes", [1, 3])
def test_every_lane_is_closed_when_nobody_wants_more(lanes: int) -> None:
    closed = []

    def lane(number: int) -> Generator[int]:
        try:
            while True:
                yield number
        finally:
            closed.append(number)

    turns = in_turn([lane(number) for number in range(lanes)])
    assert next(turns) == 0
    turns.close()
    assert sorted(closed) == list(range(lanes))


def test_a_lane_s_error_is_raised_and_the_others_are_closed() -> None:
    closed = threading.Event()

    def good() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def bad() -> Generator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(in_turn([good(), bad()]))
    assert closed.is_set()


def test_threads_give_results_in_order_and_are_told_to_stop() -> None:
    stopped = threading.Event()

    def slow(number: int) -> int:
        if number == 7:
            raise ValueError("seven")
        stopped.wait(0.05 if number % 2 else 0)
        return number

    assert list(threaded_map(slow, range(6), 3)) == list(range(6))
    assert list(threaded_map(slow, range(6), 1)) == list(range(6))
    stopped.clear()
    with pytest.raises(ValueError, match="seven"):
        list(threaded_map(slow, range(50), 3, stopped.set))
    assert stopped.is_set()
