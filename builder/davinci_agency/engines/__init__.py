"""Engines: a stage's work done by processes of this machine, by a Ray cluster, or by Slurm.

`open_engine` gives one. All keep the promises of `parallel.Engine`, so a stage leaves the same
bytes behind whichever it was given. Those of several machines lean on a folder that all of them
see, and import this package, and whatever a function is made of, from their own environment.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from davinci_agency.engines.slurm_options import read_options
from davinci_agency.errors import CommandError
from davinci_agency.parallel import Engine, Pool

__all__ = ["EngineName", "open_engine"]

EngineName = Literal["local", "ray", "slurm"]


class _Opener(Protocol):
    def __call__(self, workers: int, scratch: Path) -> AbstractContextManager[Engine]: ...


@contextmanager
def open_engine(
    name: EngineName, workers: int, scratch: Path | None, slurm: Mapping[str, str]
) -> Iterator[Engine]:
    """Give the engine of a name, for so many pieces of work at once.

    ``scratch`` is a folder that all machines see: the run makes one of its own in it, and removes
    it. ``slurm`` is what `slurm_options` reads. Raises `CommandError` if either says too little, a
    package is missing, or no cluster is to be found.
    """
    if name == "local":
        with Pool(workers) as pool:
            yield pool
        return
    if scratch is None:
        raise CommandError(
            f"The engine {name} works on several machines: name a folder that all of them see, "
            "with --scratch."
        )
    open_cluster = _opener(name, slurm)
    with _own_folder(scratch) as folder, open_cluster(workers, folder) as engine:
        yield engine


def _opener(name: Literal["ray", "slurm"], slurm: Mapping[str, str]) -> _Opener:
    try:
        if name == "ray":
            from davinci_agency.engines.ray_cluster import open_ray

            return open_ray
        options = read_options(slurm)
        from davinci_agency.engines.slurm_cluster import open_slurm

        return partial(open_slurm, options)
    except ImportError as error:
        raise CommandError(
            f"The engine {name} takes another package: pip install 'davinci-agency[{name}]'."
        ) from error


@contextmanager
def _own_folder(scratch: Path) -> Iterator[Path]:
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix="davinci-agency-", dir=scratch.absolute())
    except OSError as error:
        raise CommandError(
            f"{scratch}: {error.strerror or error}; name a folder to write to as scratch."
        ) from error
    with folder:
        yield Path(folder.name)
