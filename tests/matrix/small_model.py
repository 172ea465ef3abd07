"""Serves a small model over OpenAI's protocol, and prints its address; needs xllamacpp.

python small_model.py GGUF
"""

from __future__ import annotations

import sys
import time


def main(path: str) -> None:
    """Serve until standard input ends."""
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = path
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.port = 0
    server = Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    while sys.stdin.read(1):
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
