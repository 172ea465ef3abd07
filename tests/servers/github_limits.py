"""Points of the loopback GitHub: one budget for each token and resource, renewed by the hour."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Resource = Literal["core", "graphql"]
RESOURCES: tuple[Resource, ...] = ("core", "graphql")

HOUR = 3600
ANONYMOUS_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of a budget, and the whole second at which it is renewed."""

    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def headers(self, resource: Resource) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Resource": resource,
        }

    def as_json(self, resource: Resource) -> dict[str, int | str]:
        return {
            "limit": self.limit,
            "used": self.used,
            "remaining": self.remaining,
            "reset": self.reset,
            "resource": resource,
        }


class Ledger:
    """All budgets of a server; safe to use from many threads."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[tuple[str | None, Resource], Window] = {}

    def window(self, token: str | None, resource: Resource) -> Window:
        """Return a budget as it is now; no token is everybody without one."""
        return self.charge(token, resource, 0)

    def charge(self, token: str | None, resource: Resource, cost: int) -> Window:
        """Take points, more than are left if need be, as GitHub does; return what is left."""
        with self._lock:
            window = self._current(token, resource)
            window = replace(window, used=window.used + cost)
            self._windows[token, resource] = window
            return window

    def change(
        self,
        token: str | None,
        resource: Resource,
        *,
        limit: int | None,
        remaining: int | None,
        resets_in: float | None,
    ) -> None:
        """Set parts of a budget; a reset falls on the whole second, because its header does."""
        with self._lock:
            window = self._current(token, resource)
            if limit is not None:
                window = replace(window, limit=limit)
            if remaining is not None:
                window = replace(window, used=window.limit - remaining)
            if resets_in is not None:
                window = replace(window, reset=math.ceil(self._clock() + resets_in))
            self._windows[token, resource] = window

    def _current(self, token: str | None, resource: Resource) -> Window:
        now = self._clock()
        window = self._windows.get((token, resource))
        if window is None:
            limit = self._limit if token is not None else ANONYMOUS_LIMIT
            return Window(limit=limit, used=0, reset=math.ceil(now) + HOUR)
        if now >= window.reset:
            return replace(window, used=0, reset=math.ceil(now) + HOUR)
        return window
