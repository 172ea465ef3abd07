"""Secrets that only their surroundings give away: a name, an option, a header, an address; pure."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from davinci_agency.secrets.rule import BEGIN, Match, Rule, value_of
from davinci_agency.secrets.values import is_mixed, is_no_stand_in, is_password, looks_random

_OWNERS = (
    "api", "access", "auth", "secret", "private", "signing", "sign", "encryption", "encrypt",
    "account", "master", "admin", "app", "client", "license", "storage", "shared", "session",
    "service", "deploy", "webhook", "hmac", "jwt", "ssh", "consumer",
)  # fmt: skip
"""Before ``key``: whose keys are secret."""
_OWNED = "(?:" + "|".join(f"(?<={owner})" for owner in _OWNERS) + ")"
_NO_QUOTE = r"""[^\s"'`\\<>\x00]"""
_BARE = r"""[^\s"'`\\<>\x00,;&(){}\[\]]"""
_QUOTE = r"""\\{0,3}["'`]"""
_VALUE = (
    rf"""(?:[bruf]{{0,2}}{_QUOTE}({_NO_QUOTE}{{8,1200}}+)(?=\\{{0,3}}["'`])"""
    rf"""|({_BARE}{{8,1200}}+)(?=[\s,;&"'`\\)\]}}\x00]|\Z))"""
)
"""Up to the quote, or up to where a bare word ends."""
_GIVES = (
    rf"""(?:{_QUOTE})?[\])]?[ \t]{{0,8}}"""
    rf"""(?::[ \t]{{0,4}}[A-Za-z][\w.|\[\]]{{0,30}}[ \t]{{1,4}}=[ \t]{{1,4}}"""
    rf"""|(?::=|=>|={{1,3}}|:)[ \t]{{0,8}}"""
    rf"""|(?:,[ \t]?|\()(?={_QUOTE}))"""
)
"""What stands between a name and its value: ``=``, ``": "``, ``: str = ``, ``("``."""
_NAME_REST = r"[\w.-]{0,40}+"
_DESCRIBES = re.compile(
    rb"type|ur[il]|path|file|name|len|size|count|field|header|hash|limit|version|expir|index"
    rb"|prefix|endpoint|regex|pattern|param|class|usage|rounds|izer|manager|ary|label|text|hint"
    rb"|placeholder|input|button|(?:^|[_.-])ids?(?![a-z])|Ids?\Z|less|length|format|policy|date"
    rb"|_at\b|ttl|module|algo|provider|store|arn",
    re.IGNORECASE,
)
"""Behind ``password`` or ``token``: the value tells about it and is not it."""
_SHORT_HEX = re.compile(rb"[0-9a-fA-F]{1,23}\Z")
"""Rather the fingerprint of something."""
_DASHES = re.compile(rb"--[\w-]{0,30}\Z")
_KEY_ID = re.compile(rb"(?:recv|send|export|import|refresh|delete|default|list|edit|sign)\Z")
"""Before ``-key``: GnuPG's options, which name public keys."""
_OPEN = re.compile(rb"(?:public|next|page|cache|sort|continuation)[_-]?\Z", re.IGNORECASE)


def _is_assigned(match: Match) -> bool:
    if _DESCRIBES.search(match["rest"]):
        return False
    if _OPEN.search(match.string[max(0, match.start() - 14) : match.start()]):
        return False
    value = value_of(match)
    if _SHORT_HEX.match(value):
        return False
    is_bare = match.lastindex == match.re.groups
    # A bare word may be a name of the program's own.
    return looks_random(value, 4 if is_bare else 3)


def _assigned(name: str, what: str, literals: tuple[bytes, ...], skip: int = 0) -> Rule:
    expression = rf"(?i:{what})(?P<rest>{_NAME_REST}){_GIVES}{_VALUE}"
    compiled = re.compile(expression.encode(), re.ASCII)
    return Rule(name, "secret", literals, compiled, _is_assigned, True, skip=skip, hint="value")


_ENDS = sorted({owner[-1:] for owner in _OWNERS})


def _is_option(match: Match) -> bool:
    before = match.string[max(0, match.start() - 32) : match.start()]
    if _DASHES.search(before) is None or _KEY_ID.search(before):
        return False
    return looks_random(value_of(match), 3)


def _option(what: str, literals: tuple[bytes, ...]) -> Rule:
    expression = (
        rf"""(?i:{what})[\w-]{{0,20}}+ {{1,2}}["']?({_BARE}{{8,1200}}+)(?=[\s,;&"'`\\)\x00]|\Z)"""
    )
    compiled = re.compile(expression.encode(), re.ASCII)
    return Rule("option-value", "secret", literals, compiled, _is_option, True, hint="value")


def _is_login(match: Match) -> bool:
    try:
        login = base64.b64decode(match[1] + b"=" * (-len(match[1]) % 4), validate=True)
    except binascii.Error:
        return False
    user, colon, password = login.partition(b":")
    is_text = re.fullmatch(rb"[!-~]{0,80}:[!-~]{3,200}", login) is not None
    return bool(colon) and is_text and is_password(password, user)


def _is_url_password(match: Match) -> bool:
    if _NOWHERE.match(match.string, match.end()):
        return False
    return is_password(unquote_to_bytes(value_of(match)), match["user"])


_NOWHERE = re.compile(
    rb"[@\w.-]{0,60}?(?:\b(?:example|test|invalid|foo|bar|domain|host|mydomain|proxy)"
    rb"(?:\.[a-z]{2,5})?|\.(?:example|test|invalid))(?![\w.-])",
    re.IGNORECASE,
)
"""Hosts that documents and tests name: nobody has a password there."""


NAMED: tuple[Rule, ...] = (
    Rule(
        "aws-secret-key",
        "secret",
        (b"secret",),
        re.compile(
            rf"(?i:secret_?-?access_?-?key|secret_?-?key){_GIVES}(?:{_QUOTE})?"
            r"([0-9A-Za-z+/]{40})(?![0-9A-Za-z+/=])".encode(),
            re.ASCII,
        ),
        lambda match: is_no_stand_in(match[1]) and is_mixed(match[1], 6),
        any_case=True,
        hint="value",
    ),
    Rule(
        "azure-storage-key",
        "secret",
        (b"AccountKey=", b"SharedAccessKey="),
        re.compile(rb"(?:Account|SharedAccess)Key=([0-9A-Za-z+/]{40,90}={0,2})", re.ASCII),
        lambda match: is_no_stand_in(match[1]),
        least=40,
    ),
    Rule(
        "url-password",
        "secret",
        (b"://",),
        re.compile(
            rb"""://(?P<user>[^\s"'`\\<>{}()$\x00:/@]{0,80}):"""
            rb"""([^\s"'`\\<>{}()$\x00/]{3,120})@(?=[0-9A-Za-z\[])""",
            re.ASCII,
        ),
        _is_url_password,
        hint="login",
    ),
    Rule(
        "bearer-token",
        "secret",
        (b"bearer ",),
        re.compile(BEGIN + rb"(?i:bearer) ([\w.+/~-]{16,4000}+={0,2})(?![(\[{<$])", re.ASCII),
        lambda match: looks_random(match[1], 3),
        any_case=True,
        least=16,
    ),
    Rule(
        "basic-login",
        "secret",
        (b"basic ",),
        re.compile(BEGIN + rb"(?i:basic) ([0-9A-Za-z+/]{8,400}+={0,2})", re.ASCII),
        _is_login,
        any_case=True,
        least=8,
    ),
    _assigned("password", "passw(?:or)?d|passphrase", (b"passw", b"passphrase")),
    _assigned("password", "pwd", (b"pwd",)),
    _assigned("secret-value", "secret|token|credential", (b"secret", b"token", b"credential")),
    _assigned("secret-value", _OWNED + "[_-]key", (b"_key", b"-key")),
    _assigned("secret-value", _OWNED + "key", tuple(f"{end}key".encode() for end in _ENDS), skip=1),
    _option("passw(?:or)?d|passphrase", (b"passw", b"passphrase")),
    _option("secret|token|credential", (b"secret", b"token", b"credential")),
    _option("-key", (b"-key",)),
)
