"""How functions over arrays become machine code: when they are first called, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Return a function that is compiled on its first call and runs beside other threads.

    It takes arrays and numbers only, and its arithmetic on unsigned integers wraps around. It may
    use constants and kernels of its own module alone: what is kept on disk is made again when the
    function's file changes, and no other file is looked at.
    """
    return cast(F, numba.njit(cache=True, nogil=True)(function))
