"""Whether a value was drawn by a machine or a careful person, or only stands in for one; pure."""

from __future__ import annotations

import re

_STANDS_IN = re.compile(
    rb"example|placeholder|your|change_?me|dummy|fake|sample|redacted|insert|replace|todo|test"
    rb"|x{4}|\*{3}|\.{3}|123456|abcdef|qwerty|a1b2c3|not-a|p[a@]ssw|\$\{|\{\{|%\(",
    re.IGNORECASE,
)
_EMPTY_FORM = re.compile(
    rb"example|x{5}|your[_-]|\*{3}|\.{3}|12345678|0{8}|abcdefgh", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    rb"/|\.{1,2}/|~/|\$[A-Za-z_{(]|%[A-Z_]{2,40}%|[{@]|[A-Za-z][A-Za-z0-9+.-]{1,15}://|arn:|sha(?:1|256|384|512)[-:]|data:"
    rb"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z",
    re.IGNORECASE,
)
"""What begins a path, an address, a variable or a digest; and a whole UUID."""
_TURN = re.compile(
    rb"[a-z](?=[A-Z0-9!#$%^&*?~|])|[A-Z](?=[0-9!#$%^&*?~|])"
    rb"|[0-9](?=[A-Za-z!#$%^&*?~|])|[!#$%^&*?~|](?=[A-Za-z0-9])"
)
_SHARE_OF_TURNS = 0.18
_DIGIT_SOON = re.compile(rb"[^0-9]{0,63}[0-9]")


def is_no_stand_in(value: bytes) -> bool:
    """Tell whether a value of a maker's form is more than its form.

    >>> is_no_stand_in(b"ghp" + b"_" + b"x" * 36)
    False
    """
    return len(set(value[-16:])) > 1 and not _EMPTY_FORM.search(value)


def looks_random(value: bytes, least_turns: int) -> bool:
    """Tell whether a value is as mixed as chance would have it, and is no path, variable or digest.

    >>> looks_random(b"created_at_2024", 3), looks_random(b"r4Xw0qTz81LmvB2k", 3)
    (False, True)
    """
    return (
        is_mixed(value, least_turns)
        and not _STANDS_IN.search(value)
        and not _ELSEWHERE.match(value)
    )


def is_mixed(value: bytes, least_turns: int) -> bool:
    """Tell whether a value turns from letters to digits, and from one case to the other, so often.

    Words do so where they meet; 20 characters at random do so nine times.
    """
    turns = len(_TURN.findall(value))
    return turns >= max(least_turns, _SHARE_OF_TURNS * len(value)) and bool(
        _DIGIT_SOON.match(value)
    )


_WRITTEN_OUT = re.compile(
    rb"[a-z]{1,5}|.{0,4}\*+|[:x*.]+|\[.*|.*[^!-~].*|.{0,20}(?:p(?:a|4|@)?s?s?w(?:or|0r)?d?|pass|secret"
    rb"|token|guest|root|admin|postgres|user|test|example|sample|dummy|change.?me|foo|bar).{0,20}"
    rb"|my[a-z_-]{0,20}|your[a-z_-]{0,40}|(?:abc|qwe)[a-z0-9@ %]{0,12}"
    rb"|x-oauth-basic",
    re.IGNORECASE | re.DOTALL,
)


def is_password(value: bytes, user: bytes) -> bool:
    """Tell whether somebody may log in with a password, or it only shows where one would stand.

    >>> is_password(b"password123", b"tom"), is_password(b"k7Rw-plume", b"tom")
    (False, True)
    """
    return (
        value.lower() != user.lower()
        and _WRITTEN_OUT.fullmatch(value) is None
        and is_no_stand_in(value)
    )
