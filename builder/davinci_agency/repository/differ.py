"""A git process that answers for diffs, one pair of commits after the other, through pipes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from davinci_agency.repository.overlay import DIFF, MARK, Overlay, Pair

MAX_PATCH_BYTES = 32 << 20
"""Of a larger change no patch is kept at all: a whole history's import, not work."""
_PIPE = 1 << 18
"""Bytes that a pipe may hold. With the largest that a user may have, both sides were slower."""
_WAIT = 0.003
"""Seconds to let git write before reading: it writes in small pieces, and to be woken up for each
of them costs both sides more than the reading."""


class DiffStoppedError(Exception):
    """``git diff-tree`` ended before it had answered; says what git said."""


class Differ:
    """One ``git diff-tree`` that answers in the order of asking; for one thread at a time.

    Git keeps what it unpacked for one pair and needs it for the next: a process for each hundred
    pairs takes half as much time again. Asked for more before it has answered all, it never waits.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._asked: deque[bytes] = deque()
        self._begin()

    def _begin(self) -> None:
        arguments = [*DIFF, "--patch-with-raw", "-U3", "-M"]
        self._process = self._overlay.start(arguments, subprocess.PIPE, {})
        self._held = bytearray(b"\n")
        self._room = memoryview(bytearray(_PIPE))
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            # A user may have so many large pipes; with a small one it works as well.
            with suppress(OSError):
                fcntl.fcntl(self._process.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)

    def restart(self, mend: Callable[[], None]) -> None:
        """End the process, mend what stopped it, begin another, and ask again what was open."""
        self.close()
        mend()
        self._begin()
        self._send(b"".join(self._asked))

    def ask(self, pairs: Sequence[Pair]) -> None:
        """Ask for pairs, of which at most some hundred may be open: that fits into any pipe."""
        lines = [b"%b %b\n%b\n" % (c.encode(), b.encode(), MARK) for c, b in pairs]
        self._asked.extend(lines)
        self._send(b"".join(lines))

    def _send(self, lines: bytes) -> None:
        # That git has ended is told by the reading.
        with suppress(BrokenPipeError):
            self._process.stdin.write(lines)
            self._process.stdin.flush()

    def answers(self, count: int) -> Iterator[tuple[bytes, bool]]:
        """Yield what git prints for the next pairs, and whether it is whole.

        That is a line with the commit's name, ``--raw`` lines, an empty line and the patch, or
        nothing where nothing differs. Only the beginning is kept of what is larger than
        `MAX_PATCH_BYTES`. Raises `DiffStoppedError` if git ends before that.
        """
        end_mark = b"\n" + MARK + b"\n"
        held, start, is_whole = self._held, 0, True
        output = self._process.stdout.fileno()
        while count:
            while count and (end := held.find(end_mark, start)) >= 0:
                with memoryview(held) as view:
                    printed = bytes(view[1 : end + 1])
                del held[: end + len(end_mark) - 1]
                self._asked.popleft()
                # Told by its size alone: how much was read at once is chance.
                yield printed, is_whole and end <= MAX_PATCH_BYTES
                start, is_whole, count = 0, True, count - 1
            if not count:
                return
            if len(held) > MAX_PATCH_BYTES:
                del held[MAX_PATCH_BYTES - len(end_mark) : -len(end_mark)]
                is_whole = False
            start = max(0, len(held) - len(end_mark) + 1)
            time.sleep(_WAIT)
            size = os.readv(output, [self._room])
            if not size:
                raise DiffStoppedError(self._last_words())
            held += self._room[:size]

    def _last_words(self) -> str:
        return str(self._process.stderr.read().decode(errors="replace")).strip()

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.stderr.close()
        self._process.proc.kill()
        self._process.proc.wait()
