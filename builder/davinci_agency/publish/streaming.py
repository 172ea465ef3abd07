"""The first row of every config, streamed as a user streams it, in a process of its own.

    python -m davinci_agency.publish.streaming ORG/NAME COMMIT FORMAT CONFIG:SPLIT...

prints the faults as a JSON list. A process of its own, because a stream that is left after its
first row leaves threads of Arrow behind, which hold memory and can bring down the interpreter at
its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import orjson

from davinci_agency.errors import RemoteError
from davinci_agency.records import Split
from davinci_agency.release import ShardFormat


def streaming_faults(
    name: str, commit: str, shard_format: ShardFormat, wanted: Sequence[tuple[str, Split]]
) -> list[str]:
    """Return what is wrong with streaming splits of configs of a dataset; empty if nothing is.

    Raises `RemoteError` if the process that streams ends without an answer.
    """
    splits = [f"{config}:{split}" for config, split in wanted]
    command = [sys.executable, "-m", __name__, name, commit, shard_format, *splits]
    done = subprocess.run(command, capture_output=True, check=False)
    try:
        faults: list[str] = orjson.loads(done.stdout.splitlines()[-1])
    except (IndexError, orjson.JSONDecodeError) as error:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise RemoteError(f"{name} could not be streamed ({said}); try again.") from error
    return faults


def _faults(name: str, commit: str, shard_format: str, wanted: Sequence[str]) -> list[str]:
    import datasets

    # One row is looked at; by default a whole row group is decoded, which takes 500 MB.
    at_once = {"batch_size": 1} if shard_format == "parquet" else {}
    faults = []
    for config, _, split in (each.partition(":") for each in wanted):
        try:
            rows = datasets.load_dataset(
                name, config, revision=commit, split=split, streaming=True, **at_once
            )
            if not next(iter(rows), None):
                faults.append(f"{config} streams no row of {split}")
        # Whatever goes wrong here would go wrong for a user.
        except Exception as error:
            faults.append(f"{config} does not stream: {type(error).__name__}: {error}")
    return faults


if __name__ == "__main__":
    dataset, revision, form, *wanted = sys.argv[1:]
    sys.stdout.buffer.write(orjson.dumps(_faults(dataset, revision, form, wanted)) + b"\n")
    sys.stdout.flush()
    # Without waiting for threads that nobody needs any more.
    os._exit(0)
