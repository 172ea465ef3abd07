"""The edge to GitHub, through PyGithub: one question, one answer, however often it takes.

Tokens are used in turn, the one with the most points left first. A token without points rests
until they are given again; GitHub's own waiting times are kept, and where it names none the waits
grow. PyGithub's own retries are off: they don't see a rate limit that comes with status 200, or
429 without ``Retry-After``, and can't change the token.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import github
import requests

from davinci_agency.errors import CommandError, RemoteError
from davinci_agency.mine.sources import GitHubAccess
from davinci_agency.progress import Progress

_ATTEMPTS = 8
"""Failures in a row after which GitHub is taken to be down."""
_FIRST_ATTEMPTS = 4
"""The same before it has answered at all: an address may be wrong, and nobody likes to wait."""
_LONGEST_WAIT = 3_700.0
"""Seconds; points are given again every hour."""
_TIMEOUT = 60

Json = Mapping[str, Any]
T = TypeVar("T")


class PageTooLargeError(Exception):
    """GitHub could not put an answer together; a smaller question may do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub answered: data, perhaps in part, and what it says went wrong."""

    data: Json
    errors: Sequence[Json]


@dataclass(slots=True)
class _Seat:
    """One token with what is known of its limits."""

    client: github.Github = field(repr=False)
    # As many as a token can have, so that each one is tried.
    points: int = 5_000
    # By the machine's own clock, in seconds since 1970.
    rests_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Pause:
    """How long to wait before the next attempt, and whether only this token has to.

    Attributes:
        seconds: the time to wait.
        token_only: whether other tokens may go on meanwhile.
        why: the reason, for a person.
    """

    seconds: float
    token_only: bool
    why: str


def pause_after(
    status: int,
    headers: Mapping[str, str],
    said: str,
    attempt: int,
    now: float,
    secondary_wait: float = 60.0,
) -> Pause | None:
    """Return how long to wait after a refusal; ``None`` if waiting does not help. Pure.

    ``headers`` have lower-case names, ``attempt`` counts failures in a row from 1, ``now`` is in
    seconds since 1970. After https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api

    >>> pause_after(429, {"retry-after": "7"}, "", 1, 0.0).seconds
    7.0
    """
    limited = status in (403, 429) and (
        status == 429 or "rate limit" in said.lower() or "abuse" in said.lower()
    )
    retry_after = headers.get("retry-after", "")
    if status in (403, 429, 503) and retry_after.isdigit():
        return Pause(float(retry_after), False, "GitHub asks to wait")
    if (limited or said == "RATE_LIMITED") and headers.get("x-ratelimit-remaining") == "0":
        reset = headers.get("x-ratelimit-reset", "")
        # A second more: nobody knows at which end of its second it is.
        wait = max(0.0, float(reset) - now) + 1 if reset.isdigit() else secondary_wait
        return Pause(min(wait, _LONGEST_WAIT), True, "no points are left")
    if limited or said == "RATE_LIMITED":
        wait = min(secondary_wait * 2 ** (attempt - 1), _LONGEST_WAIT)
        return Pause(wait, False, "a secondary limit was reached")
    if status >= 500 or status == 0:
        return Pause(min(60.0, 2.0 ** (attempt - 1)), False, "GitHub failed")
    return None


class Client:
    """Asks GitHub on behalf of one run."""

    def __init__(self, access: GitHubAccess, progress: Progress) -> None:
        self._seats = [
            _Seat(
                github.Github(
                    auth=github.Auth.Token(token),
                    base_url=access.base_url,
                    retry=None,
                    timeout=_TIMEOUT,
                    seconds_between_requests=None,
                    seconds_between_writes=None,
                    lazy=True,
                )
            )
            for token in access.tokens
        ]
        self._host = urlsplit(access.base_url).hostname
        self._progress = progress
        self._secondary_wait = access.secondary_wait
        self._has_answered = False
        self.calls = 0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self._seats:
            seat.client.close()

    def graphql(self, query: str, variables: dict[str, Any]) -> Answer:
        """Return the answer to a GraphQL question.

        Raises `PageTooLargeError` if GitHub can't put it together, and `RemoteError` if it does
        not answer at all.
        """

        def ask(client: github.Github) -> Answer:
            try:
                _, output = client.requester.graphql_query(query, variables)
            except github.GithubException as error:
                output = error.data
                if not isinstance(output, dict) or "errors" not in output:
                    raise
                if _is_limited(output["errors"]):
                    raise
            data = output.get("data") if isinstance(output, dict) else None
            errors = output.get("errors", ()) if isinstance(output, dict) else ()
            if not isinstance(data, dict):
                raise PageTooLargeError(_message(errors))
            return Answer(data, errors)

        answer = self._persist(ask, retry_5xx=1)
        limit = answer.data.get("rateLimit")
        if limit:
            self._progress.say(f"{limit['remaining']:,} points left")
        return answer

    def changed_since(self, path: str, etag: str | None) -> tuple[str | None, bool]:
        """Return the tag of a REST page, and whether it is another than before; free if not."""

        def ask(client: github.Github) -> tuple[str | None, bool]:
            headers = {"If-None-Match": etag} if etag else {}
            status, replied, output = client.requester.requestJson("GET", path, headers=headers)
            if status == 304:
                return etag, False
            if status != 200:
                raise github.GithubException(status, {"message": output[:500]}, replied)
            return replied.get("etag"), True

        return self._persist(ask, retry_5xx=_ATTEMPTS)

    def _persist(self, ask: Callable[[github.Github], T], *, retry_5xx: int) -> T:
        attempt = 0
        while True:
            seat = self._seat()
            self.calls += 1
            try:
                answer = ask(seat.client)
            except github.GithubException as error:
                attempt += 1
                self._has_answered = True
                status, said = _status(error)
                if status >= 500 and attempt > retry_5xx:
                    raise PageTooLargeError(f"GitHub answers {status}") from error
                if status == 401 and len(self._seats) > 1:
                    self._seats.remove(seat)
                    continue
                headers = {k.lower(): str(v) for k, v in (error.headers or {}).items()}
                pause = pause_after(
                    status, headers, said, attempt, time.time(), self._secondary_wait
                )
                if pause is None:
                    raise _refusal(status, said) from None
            except (requests.RequestException, ValueError) as error:
                attempt += 1
                said = type(error).__name__
                pause = pause_after(0, {}, said, attempt, time.time())
            else:
                self._has_answered = True
                # The client's own property would ask GitHub where no answer has said it, as with
                # an Enterprise server without limits.
                points = seat.client.requester.rate_limiting[0]
                seat.points = points if points >= 0 else seat.points
                return answer
            if attempt >= (_ATTEMPTS if self._has_answered else _FIRST_ATTEMPTS) or pause is None:
                raise RemoteError(
                    f"{self._host} did not answer {attempt} times in a row ({said}); is the "
                    "address right? Run it again later, it goes on where it was."
                )
            self._rest(seat, pause)

    def _rest(self, seat: _Seat, pause: Pause) -> None:
        if pause.token_only:
            seat.points = 0
            seat.rests_until = time.time() + pause.seconds
            return
        # Many that were refused together must not come back together.
        jitter = random.uniform(0, min(1.0, pause.seconds / 4))  # noqa: S311
        self._wait(pause.seconds + jitter, pause.why)

    def _seat(self) -> _Seat:
        """Return the token with the most points, as soon as one may be used."""
        while True:
            now = time.time()
            awake = [seat for seat in self._seats if seat.rests_until <= now]
            if awake:
                return max(awake, key=lambda seat: seat.points)
            soonest = min(seat.rests_until for seat in self._seats)
            self._wait(soonest - now, "no points are left")

    def _wait(self, seconds: float, why: str) -> None:
        until = time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
        self._progress.say(f"{why}; waiting till {until}")
        time.sleep(max(0.0, seconds))


def _status(error: github.GithubException) -> tuple[int, str]:
    """Return the status and what was said; a refusal that came with status 200 says its type."""
    data = error.data if isinstance(error.data, dict) else {}
    errors = data.get("errors")
    if _is_limited(errors):
        return 200, "RATE_LIMITED"
    return error.status, str(data.get("message") or "")


def _is_limited(errors: Any) -> bool:
    names = ("RATE_LIMITED", "RATE_LIMIT")
    return isinstance(errors, list) and any(error.get("type") in names for error in errors)


def _message(errors: Any) -> str:
    return "; ".join(str(e.get("message", ""))[:200] for e in errors if isinstance(e, dict))


def _refusal(status: int, said: str) -> Exception:
    if status == 401:
        return CommandError(
            "GitHub does not accept the token; make another one and put it into GITHUB_TOKEN."
        )
    return RemoteError(f"GitHub refuses with status {status}: {said[:200] or 'no reason given'}.")
