"""Content hashes: the same members in the same order give the same identifier, anywhere.

An identifier hashes *all* members, so two chains with the same ends and another middle differ.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

_HEX_DIGITS = 24
"""96 bits: among 10 million records, a chance of about 1 in 10^15 that any two collide."""


def canonical(value: Any) -> bytes:
    """Return the one JSON spelling of a value: sorted keys, no spaces, UTF-8.

    >>> canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def content_digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def content_id(prefix: str, *members: Any) -> str:
    """Return ``prefix-`` and 24 hexadecimal digits that depend on every member and their order.

    >>> content_id("chain", "a", ["b", 1])
    'chain-214a7b6e9fd135164b616fca'
    >>> content_id("chain", "a", ["b", 1]) == content_id("chain", ["b", 1], "a")
    False
    """
    return f"{prefix}-{content_digest(members)[:_HEX_DIGITS]}"


def author_id(email: bytes) -> str:
    """Return a stable pseudonym for an author: a hash of the e-mail address, never the address.

    Case and surrounding space don't matter, as mail systems ignore them.
    """
    return hashlib.sha256(b"author\0" + email.strip().lower()).hexdigest()[:16]


def login_id(login: str) -> str:
    """Return a stable pseudonym for an account: a hash of its login, never the login.

    >>> login_id("Octocat") == login_id("octocat")
    True
    """
    return hashlib.sha256(b"login\0" + login.strip().lower().encode()).hexdigest()[:16]
