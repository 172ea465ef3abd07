"""Keys and tokens that show by their form whose they are, as their makers publish it; pure."""

from __future__ import annotations

import base64
import binascii
import re

import orjson

from davinci_agency.secrets.rule import BEGIN, END, Match, Rule, value_of
from davinci_agency.secrets.values import is_no_stand_in


def _is_formed(match: Match) -> bool:
    return is_no_stand_in(value_of(match))


def _form(name: str, literals: str, rest: str, least: int) -> Rule:
    """Return the rule for what begins with one of some literals, in their case."""
    names = literals.split()
    heads = "|".join(re.escape(literal) for literal in names)
    expression = BEGIN + b"((?:" + heads.encode() + b")" + rest.encode() + b")" + END
    encoded = tuple(literal.encode() for literal in names)
    return Rule(name, "secret", encoded, re.compile(expression, re.ASCII), _is_formed, least=least)


_W = r"[0-9A-Za-z_-]"
_A = r"[0-9A-Za-z]"
_H = r"[0-9a-f]"

_PROVIDERS: tuple[Rule, ...] = (
    _form("aws-access-key", "AKIA ASIA ABIA ACCA", r"[0-9A-Z]{16}", 16),
    _form("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_A}{{36,255}}", 36),
    _form("github-token", "github_pat_", r"[0-9A-Za-z_]{82}", 82),
    _form("gitlab-token", "glpat- gldt- glrt- glptt- glft- glsoat- glcbt-", r"[\w.-]{20,300}", 20),
    _form("hugging-face-token", "hf_", rf"{_A}{{34,40}}", 34),
    _form("anthropic-key", "sk-ant-", rf"{_W}{{32,200}}", 32),
    _form("openrouter-key", "sk-or-v1-", rf"{_H}{{64}}", 64),
    _form("openai-key", "sk-proj- sk-svcacct- sk-admin-", rf"{_W}{{40,300}}", 40),
    _form("openai-key", "sk-", rf"(?:{_A}{{20}}T3BlbkFJ{_A}{{20}}|{_A}{{32,64}})", 32),
    _form("google-api-key", "AIza", rf"{_W}{{35}}", 35),
    _form("google-oauth-secret", "GOCSPX-", rf"{_W}{{28}}", 28),
    _form("google-oauth-token", "ya29.", rf"{_W}{{40,1000}}", 40),
    _form("slack-token", "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxp-", rf"{_W}{{20,250}}", 20),
    _form("slack-token", "xoxr- xoxs-", rf"{_W}{{20,250}}", 20),
    _form("slack-token", "xapp-", rf"[0-9]-[0-9A-Z]{{8,15}}-[0-9]{{10,15}}-{_A}{{32,80}}", 50),
    _form("stripe-key", "sk_live_ rk_live_ sk_test_ rk_test_", rf"{_A}{{24,247}}", 24),
    _form("stripe-webhook-secret", "whsec_", r"[0-9A-Za-z+/]{32,64}", 32),
    _form("npm-token", "npm_", rf"{_A}{{36}}", 36),
    _form("pypi-token", "pypi-AgEI", rf"{_W}{{50,500}}", 50),
    _form("docker-token", "dckr_pat_ dckr_oat_", rf"{_W}{{27,32}}", 27),
    _form("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", rf"{_H}{{64}}", 64),
    _form("sendgrid-key", "SG.", rf"{_W}{{22}}\.{_W}{{43}}", 66),
    _form("databricks-token", "dapi", rf"{_H}{{32}}(?:-[0-9])?", 32),
    _form("shopify-token", "shpat_ shpca_ shppa_ shpss_", r"[0-9A-Fa-f]{32}", 32),
    _form("mailgun-key", "key-", rf"{_H}{{32}}", 32),
    _form("linear-key", "lin_api_ lin_oauth_", rf"{_A}{{32,64}}", 32),
    _form("groq-key", "gsk_", rf"{_A}{{52}}", 52),
    _form("xai-key", "xai-", rf"{_A}{{80}}", 80),
    _form("replicate-token", "r8_", rf"{_A}{{37}}", 37),
    _form("perplexity-key", "pplx-", rf"{_A}{{48,56}}", 48),
    _form("nvidia-key", "nvapi-", rf"{_W}{{60,70}}", 60),
    _form("vault-token", "hvs. hvb. hvr.", rf"{_W}{{24,300}}", 24),
    _form("grafana-token", "glsa_", rf"{_A}{{32}}_[0-9A-Fa-f]{{8}}", 41),
    _form("grafana-token", "glc_", r"[0-9A-Za-z+/]{32,400}={0,2}", 32),
    _form("new-relic-key", "NRAK-", r"[0-9A-Z]{27}", 27),
    _form("postman-key", "PMAK-", rf"{_H}{{24}}-{_H}{{34}}", 59),
    _form("rubygems-key", "rubygems_", rf"{_H}{{48}}", 48),
    _form("crates-io-token", "cio", rf"{_A}{{32}}", 32),
    _form("supabase-token", "sbp_", rf"{_H}{{40}}", 40),
    _form("doppler-token", "dp.pt. dp.st. dp.ct. dp.sa.", rf"(?:{_W}{{2,35}}\.)?{_A}{{40,44}}", 40),
    _form("planetscale-token", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w.-]{32,64}", 32),
    _form("sentry-token", "sntrys_ sntryu_", r"[0-9A-Za-z+/=_]{60,400}", 60),
    _form("notion-token", "ntn_", rf"{_A}{{40,60}}", 40),
    _form("figma-token", "figd_ figu_", rf"{_W}{{38,50}}", 38),
    _form("atlassian-token", "ATATT3", r"[\w=-]{150,250}", 150),
    _form("square-token", "sq0atp- sq0csp-", rf"{_W}{{22,60}}", 22),
    _form("tailscale-key", "tskey-", r"[a-z]{3,8}-[0-9A-Za-z]{8,24}-[0-9A-Za-z]{24,48}", 36),
    _form("age-key", "AGE-SECRET-KEY-1", r"[0-9A-Z]{58}", 58),
    _form("langsmith-key", "lsv2_pt_ lsv2_sk_", rf"{_H}{{32}}_{_H}{{10}}", 43),
    _form("pinecone-key", "pcsk_", r"\w{40,80}", 40),
    _form("heroku-key", "HRKU-", rf"{_W}{{36,70}}", 36),
)  # fmt: skip


def _shaped(
    name: str, literals: tuple[bytes, ...], expression: bytes, least: int, reach: bytes = b""
) -> Rule:
    compiled = re.compile(BEGIN + expression + END, re.ASCII)
    return Rule(name, "secret", literals, compiled, _is_formed, least=least, reach=reach)


_ADDRESSED = (
    _shaped(
        "slack-webhook",
        (b"hooks.slack.com/services/",),
        rb"hooks\.slack\.com/services/([0-9A-Z]{8,14}/[0-9A-Z]{8,14}/[0-9A-Za-z]{20,32})",
        40,
    ),
    _shaped(
        "discord-webhook",
        (b"discord.com/api/webhooks/", b"discordapp.com/api/webhooks/"),
        rb"discord(?:app)?\.com/api/webhooks/[0-9]{16,21}/([\w-]{60,80})",
        76,
    ),
    _shaped("telegram-token", (b":AA",), rb"([0-9]{8,10}:AA[\w-]{33})(?![\w-])", 33, b"0123456789"),
    _shaped(
        "twilio-key",
        tuple(b"SK%02x" % number for number in range(256)),
        rb"(SK[0-9a-f]{32})",
        30,
    ),
    _shaped(
        # A bot's token begins with its number, in base64.
        "discord-token",
        tuple(base64.b64encode(b"%d" % number) for number in range(100, 1000)),
        rb"([MNO][0-9A-Za-z]{22,27}\.[\w-]{6}\.[\w-]{27,40})(?![\w-])",
        55,
    ),
)


def _is_jwt(match: Match) -> bool:
    header = match[1].partition(b".")[0]
    try:
        document = orjson.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(document, dict) and "alg" in document


_JWT = Rule(
    "jwt",
    "secret",
    (b"eyJ",),
    re.compile(
        # Three parts where it is signed, five where it is encrypted.
        BEGIN + rb"(eyJ[\w-]{10,600}+\.[\w-]{4,8000}+\.[\w-]{16,1400}+(?:\.[\w-]{4,4000}+){0,2})"
        rb"(?![\w-])",
        re.ASCII,
    ),
    _is_jwt,
    least=32,
)


_LINE_END = rb"""(?:[\s"',>|\\]|(?<=\\)[nrt])"""
_BETWEEN_LINES = _LINE_END + rb"{1,60}+(?:-(?!-) {0,8}|\+{1,8})?"
"""Line ends, also escaped ones, with what quotes, strings and diffs put around them."""
_HEADER = rb"[A-Z][A-Za-z-]{3,20}: [^\x00\r\n\\<>]{1,100}"


def _lines(least: int) -> bytes:
    line = rb"(?>" + _HEADER + rb"|[0-9A-Za-z/=][0-9A-Za-z+/=]{%d,99})" % (least - 1)
    return line + rb"(?:" + _BETWEEN_LINES + line + rb"){0,400}+"


def _is_key_body(match: Match) -> bool:
    body = value_of(match)
    return re.search(rb"[0-9A-Za-z+/=]{24}", body) is not None and is_no_stand_in(body)


_WHOLE = rb"(" + _lines(1) + rb")(?=" + _LINE_END + rb"{0,60}+\+{0,8}-{5,6}END)"
_CUT_OFF = rb"(" + _lines(16) + rb")"
"""Without its end only long lines are a key's, so that no words are taken for one."""

_PRIVATE_KEY = Rule(
    "private-key",
    "secret",
    (b"-----BEGIN",),
    re.compile(
        rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
        + _BETWEEN_LINES
        + rb"(?:" + _WHOLE + rb"|" + _CUT_OFF + rb")",
        re.ASCII,
    ),
    _is_key_body,
)  # fmt: skip

FORMS: tuple[Rule, ...] = (_PRIVATE_KEY, *_PROVIDERS, *_ADDRESSED, _JWT)
