"""Work done by Slurm: an array of jobs, submitted by datatrove, and its results awaited here."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datatrove.executor.slurm import SlurmPipelineExecutor
from datatrove.utils.logging import logger

from davinci_agency.engines.ranks import Ranks, Work
from davinci_agency.engines.slurm_options import SlurmOptions
from davinci_agency.errors import CommandError, RemoteError
from davinci_agency.parallel import Item, Result

_SUBMISSIONS = 4
"""How often work is submitted whose ranks die."""
_MAX_RANKS = 1000
"""The most that an array may have on a Slurm that nobody has configured."""
_LOOK_SECONDS, _ASK_SECONDS = 0.5, 5.0
"""How often to look for results, and to ask Slurm whether the job is still there."""
_END_SECONDS = 60.0
"""How long to wait for ranks to end that were told to."""
_COMMANDS = ("sbatch", "squeue", "scancel")


@contextmanager
def open_slurm(options: SlurmOptions, workers: int, scratch: Path) -> Iterator[SlurmCluster]:
    """Give the engine that submits jobs with these options; raise `CommandError` without Slurm."""
    missing = [name for name in _COMMANDS if shutil.which(name) is None]
    if missing:
        raise CommandError(f"Slurm's {missing[0]} is not here; run this on a login node.")
    logger.disable("datatrove")
    try:
        yield SlurmCluster(options, workers, scratch)
    finally:
        logger.enable("datatrove")


class SlurmCluster:
    """The engine that submits a job for each piece of work; its ranks share the items out.

    All items are written before it is submitted, and all results after, to the folder ``scratch``.
    """

    def __init__(self, options: SlurmOptions, workers: int, scratch: Path) -> None:
        self.workers = workers
        self.scratch: Path | None = scratch
        self._options = options

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Generator[Result, None, None]:
        """Yield ``function(item)`` for every item, in order, computed by all workers at once.

        What ranks that died have left undone is submitted again. Raises `RemoteError`, which says
        where the logs are, if that doesn't help. A single item is done here: no queue is as quick.
        """
        items = list(items)
        if len(items) < 2:
            yield from map(function, items)
            return
        with tempfile.TemporaryDirectory(
            prefix="job-", dir=self.scratch, ignore_cleanup_errors=True
        ) as name:
            yield from self._results(Work.write(Path(name), function, items))

    def _results(self, work: Work) -> Iterator[Any]:
        submitted = _Submitted(work, self._options, self.workers)
        try:
            for number in range(work.count()):
                submitted.wait_for(number)
                outcome = work.outcome(number)
                if outcome.error is not None:
                    raise outcome.error
                yield outcome.value
        finally:
            submitted.end()


class _Submitted:
    """Work in Slurm's hands: what is undone when its job has ended is submitted again."""

    def __init__(self, work: Work, options: SlurmOptions, workers: int) -> None:
        self._work = work
        self._options = options
        self._ranks = min(workers, _MAX_RANKS)
        self._logs = work.folder / "logs"
        self._done: set[int] = set()
        self._job: str | None = None
        self._ask_at = 0.0
        self._times = 0

    def wait_for(self, number: int) -> None:
        """Return when an item has an outcome."""
        while number not in self._done:
            # In this order: what a job that has ended did not leave, it never will.
            ended = self._has_ended()
            self._done = self._work.done()
            if number in self._done:
                return
            if ended:
                self._submit()
            time.sleep(_LOOK_SECONDS)

    def end(self) -> None:
        """End what still runs, and wait for it: it may write to what is about to be removed."""
        if self._job is None:
            return
        subprocess.run(["scancel", self._job], check=False, capture_output=True)
        give_up_at = time.monotonic() + _END_SECONDS
        while _is_queued(self._job) and time.monotonic() < give_up_at:
            time.sleep(_LOOK_SECONDS)

    def _has_ended(self) -> bool:
        if self._job is None:
            return True
        if time.monotonic() < self._ask_at:
            return False
        self._ask_at = time.monotonic() + _ASK_SECONDS
        return not _is_queued(self._job)

    def _submit(self) -> None:
        if self._times == _SUBMISSIONS:
            # Beside the run's own folder, which is about to go.
            run = self._work.folder.parent
            kept = run.with_name(f"{run.name}-logs")
            shutil.copytree(self._logs, kept, dirs_exist_ok=True)
            raise RemoteError(
                f"Slurm's jobs ended {self._times} times with work undone; {kept} has what they "
                "said. Give them more time or memory, and run it again."
            )
        self._times += 1
        undone = [number for number in range(self._work.count()) if number not in self._done]
        executor = _Executor(
            [Ranks(self._work, tuple(undone))],
            tasks=min(self._ranks, len(undone)),
            time=self._options.time,
            partition=self._options.partition,
            cpus_per_task=self._options.cpus_per_task,
            mem_per_cpu_gb=self._options.mem_per_cpu_gb,
            qos=self._options.qos,
            job_name="davinci-agency",
            # Jobs work with this Python's packages, whether or not its environment is activated.
            env_command=f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"',
            sbatch_args=dict(self._options.others),
            logging_dir=str(self._logs / str(self._times)),
        )
        try:
            executor.launch_job()
        except subprocess.CalledProcessError as error:
            raise CommandError(
                "sbatch refused the job and said why; mend the options that Slurm is given."
            ) from error
        self._job = executor.job_id
        self._ask_at = time.monotonic() + _ASK_SECONDS


class _Executor(SlurmPipelineExecutor):  # type: ignore[misc]
    """datatrove's own, without the second job that gathers statistics: nobody reads them."""

    def launch_merge_stats(self) -> None:
        """Submit no second job."""


def _is_queued(job: str) -> bool:
    asked = subprocess.run(
        ["squeue", "--me", "--noheader", "--format=%F"], check=False, capture_output=True, text=True
    )
    # A controller that does not answer says nothing about the job.
    return asked.returncode != 0 or job in asked.stdout.split()
