"""An engine is opened or says what is missing; ranks leave whole results, however often they run.

The engines of several machines work in ``tests/matrix/test_engines.py``.
"""

from __future__ import annotations

import operator
import sys
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from davinci_agency.engines import open_engine
from davinci_agency.engines.ranks import Outcome, Ranks, Work
from davinci_agency.errors import CommandError, DataError

SLURM = {"partition": "any", "time": "1:00:00"}
double = partial(operator.mul, 2)
Cluster = Literal["ray", "slurm"]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package of a cluster."""
    for name in ("ray", "datatrove"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("ray_cluster", "slurm_cluster"):
        monkeypatch.delitem(sys.modules, f"davinci_agency.engines.{name}", raising=False)


def test_the_local_engine_needs_nothing() -> None:
    with open_engine("local", 2, None, {}) as engine:
        assert engine.workers == 2
        assert engine.scratch is None
        assert list(engine.map(double, range(5))) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("name", ["ray", "slurm"])
def test_several_machines_need_a_folder(name: Cluster) -> None:
    with pytest.raises(CommandError, match="folder that all of them see"):
        open_engine(name, 2, None, SLURM).__enter__()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("name", ["ray", "slurm"])
def test_a_missing_package_is_named(name: Cluster, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=rf"pip install 'davinci-agency\[{name}\]'"):
        open_engine(name, 2, tmp_path, SLURM).__enter__()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "partition and time"),
        ({"partition": "any"}, "told time"),
        ({"time": "1", "partition": ""}, "told partition"),
        ({**SLURM, "cpus_per_task": "many"}, "cpus_per_task is 'many'"),
        ({**SLURM, "mem_per_cpu_gb": "0"}, "mem_per_cpu_gb is '0'"),
    ],
)
def test_slurm_is_told_enough(given: dict[str, str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=complaint):
        open_engine("slurm", 2, tmp_path, given).__enter__()


def run(work: Work, ranks: int = 3) -> None:
    step = Ranks(work, tuple(range(work.count())))
    for rank in range(ranks):
        step(None, rank, ranks)


def outcomes(work: Work) -> list[Any]:
    return [work.outcome(number).value for number in range(work.count())]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_ranks_do_every_item_once(count: int, tmp_path: Path) -> None:
    work = Work.write(tmp_path, double, iter(range(count)))
    assert work.done() == set()
    run(work)
    assert work.done() == set(range(count))
    assert outcomes(work) == [2 * number for number in range(count)]


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    work = Work.write(tmp_path, double, range(4))
    work.keep(2, Outcome("done before"))
    run(work)
    assert outcomes(work) == [0, 2, "done before", 6]


def test_a_rank_does_what_it_was_given_only(tmp_path: Path) -> None:
    work = Work.write(tmp_path, double, range(6))
    Ranks(work, (1, 4, 5))(None, 1, 2)
    assert work.done() == {4}


def refuse_two(number: int) -> int:
    if number == 2:
        raise DataError("two is no good")
    return number


def test_an_error_is_an_outcome_and_others_go_on(tmp_path: Path) -> None:
    work = Work.write(tmp_path, refuse_two, range(4))
    run(work, ranks=1)
    assert [work.outcome(number).value for number in (0, 1, 3)] == [0, 1, 3]
    error = work.outcome(2).error
    assert isinstance(error, DataError)
    assert str(error) == "two is no good"
    assert "refuse_two" in error.__notes__[0]


class Unpicklable:
    def __reduce__(self) -> str:
        raise KeyboardInterrupt


def unpicklable(_: int) -> list[object]:
    return ["x" * 100_000, Unpicklable()]


def test_a_result_that_is_half_written_is_none(tmp_path: Path) -> None:
    work = Work.write(tmp_path, unpicklable, range(2))
    with pytest.raises(KeyboardInterrupt):
        run(work)
    assert list((tmp_path / "results").iterdir())
    assert work.done() == set()
    again = Work(tmp_path)
    again.keep(0, Outcome(1))
    assert again.done() == {0}
