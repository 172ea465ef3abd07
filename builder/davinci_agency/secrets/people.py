"""Mail addresses and home directories, and which of them are somebody's; pure."""

from __future__ import annotations

import re

from davinci_agency.secrets.rule import Match, Rule

_NOBODY = re.compile(
    rb"(?:git|hg|svn|no-?_?reply|do-?not-?reply|notifications?|example|user(?:name)?|you|your"
    rb"[._-]?(?:e?mail|name)?|me|name|e?mail|foo|test|someone|somebody|bot)",
    re.IGNORECASE,
)
_NOWHERE = re.compile(
    rb"(?:example|your|noreply)[a-z-]{0,20}\.[a-z]{2,5}|noreply\.[a-z]{2,20}\.[a-z]{2,5}"
    rb"|(?:foo|bar|domain|email|test|company|host)\.com",
    re.IGNORECASE,
)
"""Domains, by their last two or three labels, that stand for any, or that no person writes from."""
_ENDS = frozenset(
    b"com org net edu gov mil int info biz io dev app ai cloud tech xyz online site name pro me "
    b"email systems software network digital agency studio solutions team social blog codes space "
    b"academy science institute foundation group company consulting engineering tools world "
    b"ac ad ae af ag al am ar at au az ba bd be bg bh bo br by bz ca cd ch ci cl cm cn co cr cu cy "
    b"cz de dk do dz ec ee eg es et eu fi fm fr ge gh gr gt hk hn hr hu id ie il im in iq ir is it "
    b"jm jo jp ke kg kh kr kw kz la lb li lk lt lu lv ly ma mc mg mk mm mn mo mt mu mx my mz na "
    b"ng ni nl no np nu nz om pa pe ph pk pl pr pt qa ro ru rw sa sd se sg si sk sn sr su "
    b"sv sy th tj tn tr tt tv tw tz ua ug uk us uy uz ve vn ws ye za zm zw".split()
)
"""Ends of the domains that people have mail at, but for the few that are oftener those of files."""
_PLACES = frozenset(
    b"root user users runner runneradmin ubuntu debian centos fedora app apps node vscode public "
    b"default defaultuser shared username user_name your_username yourname your_name you me name "
    b"my myuser foo bar admin administrator developer dev docker jovyan circleci travis vagrant "
    b"ec2-user git github jenkins linuxbrew coder gitpod codespace codespaces sandbox test tester "
    b"testuser agent agents workspace project projects nonroot openhands swe-bench build builder "
    b"buildkite ci guest oracle postgres www www-data web some someone somebody someuser anonymous "
    b"model bin lib src data all local home container runtime devcontainer azureuser opc pi conda "
    b"rust python ruby nobody service worker deploy ansible default_user xxx uname user1 user2 "
    b"hadoop index about page login path to file dir directory folder example".split()
)


def is_somebodys_address(local: bytes, domain: bytes) -> bool:
    """Tell whether ``local@domain`` may be a person's; not a program's, an example's, a file's.

    >>> is_somebodys_address(b"m.keller", b"uni-jena.de"), is_somebodys_address(b"logo", b"2x.png")
    (True, False)
    """
    labels = domain.split(b".")
    return (
        labels[-1].lower() in _ENDS
        and not _NOBODY.fullmatch(local)
        and not _NOWHERE.fullmatch(b".".join(labels[-2:]))
        and not _NOWHERE.fullmatch(b".".join(labels[-3:]))
    )


def is_somebodys_home(name: bytes) -> bool:
    """Tell whether the directory under ``/home`` is named after a person, as far as one can."""
    return name.lower() not in _PLACES


def _is_mail(match: Match) -> bool:
    if not is_somebodys_address(match["local"], match["domain"]):
        return False
    before = match.string[max(0, match.start(1) - _LINE) : match.start(1)]
    return not (_LOGIN.search(before) or _is_credit(match, before))


def _is_credit(match: Match, before: bytes) -> bool:
    """Tell whether an address stands in a copyright notice: licences ask that these stay whole."""
    after = match.string[match.end(1) : match.end(1) + _LINE]
    line = _LINE_END.split(before)[-1] + _LINE_END.split(after, 1)[0]
    return _COPYRIGHT.search(line) is not None


def _is_home(match: Match) -> bool:
    return is_somebodys_home(match[1].rstrip(b"."))


_LINE = 160
"""Bytes of a line that are looked at on both sides of an address."""
_LINE_END = re.compile(rb"\n|\\n|\x00")
_LOGIN = re.compile(rb"://[^\s/@]{0,80}:\Z")
"""What stands before the end of a login in an address of the web."""
_COPYRIGHT = re.compile(rb"copyright|\(c\)|\xc2\xa9", re.IGNORECASE)

_LOCAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+%-"
_NAME = rb"([0-9A-Za-z_][\w.-]{1,63})"

PEOPLE: tuple[Rule, ...] = (
    Rule(
        "email",
        "person",
        (b"@",),
        re.compile(
            # The n of an escaped line end is no part of the address.
            rb"(?<![\w.+%$-])(?:(?<=\\)[nrtbf])?((?P<local>[0-9A-Za-z_][\w.+%-]{0,63})@"
            rb"(?P<domain>(?:[0-9A-Za-z-]{1,63}\.){1,8}(?:[a-z]{2,24}|[A-Z]{2,24})))(?![\w(-])",
            re.ASCII,
        ),
        _is_mail,
        reach=_LOCAL,
        hint="domain",
    ),
    Rule(
        "home-directory",
        "person",
        (b"/home/", b"/Users/"),
        re.compile(
            # Behind the name of another home there is none, nor when that was replaced.
            rb"(?:(?<![\w.])(?<!\d>)|(?<=/[A-Za-z])|(?<=\\[nrt]))/(?:home|Users)/"
            + _NAME
            + rb"""(?=[/\\\s"'`:;,)\]\x00]|\Z)""",
            re.ASCII,
        ),
        _is_home,
        least=1,
    ),
    Rule(
        "home-directory",
        "person",
        (b"\\Users\\",),
        re.compile(rb"(?<=[:\\])\\Users\\{1,4}" + _NAME + rb"(?=[\\\"'\s])", re.ASCII),
        _is_home,
    ),
)
