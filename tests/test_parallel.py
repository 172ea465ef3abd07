"""Work spread over threads or processes comes back in turn, and ends in order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from functools import partial

import pytest

from davinci_agency.parallel import Pool, in_turn, threaded_map


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


def _with_process(add: int, number: int) -> tuple[int, int]:
    return number + add, os.getpid()


def test_one_pool_s_processes_do_one_piece_of_work_after_the_other_in_order() -> None:
    with Pool(2) as pool:
        first = list(pool.map(partial(_with_process, 0), range(20)))
        second = list(pool.map(partial(_with_process, 100), range(20)))
    assert [number for number, _ in first] == [*range(20)]
    assert [number for number, _ in second] == [*range(100, 120)]
    processes = {process for _, process in first + second}
    assert len(processes) <= 2
    assert os.getpid() not in processes


def test_a_single_item_starts_no_process() -> None:
    with Pool(2) as pool:
        assert list(pool.map(partial(_with_process, 1), [1])) == [(2, os.getpid())]


def _fail(number: int) -> int:
    raise ValueError(f"no {number}")


def test_an_error_in_a_process_is_raised_here_and_the_pool_goes_on() -> None:
    with Pool(2) as pool:
        with pytest.raises(ValueError, match="no 0"):
            list(pool.map(_fail, range(9)))
        assert [number for number, _ in pool.map(partial(_with_process, 0), [1, 2])] == [1, 2]


def test_arrow_alone_imports_no_pandas_which_others_still_can() -> None:
    script = (
        "import sys\n"
        "from davinci_agency.parallel import use_arrow_alone\n"
        "use_arrow_alone()\n"
        "import pyarrow\n"
        "table = pyarrow.table({'it': pyarrow.array([1])})\n"
        "before = 'pandas' in sys.modules\n"
        "print(before, len(table.to_pandas()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"False 1\n"
