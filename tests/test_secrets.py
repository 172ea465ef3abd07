from __future__ import annotations

import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.secrets import RULES, Secret, find_secrets
from tests.benchmarks.planted import HOSTILE, LOOKALIKES, Sample, lookalikes, planted
from tests.benchmarks.secret_scan import find_secrets_slowly

SAMPLES = list(planted(7, 600))
NOTHINGS = list(lookalikes(7, 280))
GITHUB = "ghp" + "_" + "a1B2" * 9
HUGGING_FACE = "hf" + "_" + "aB" * 17


def values(text: str) -> list[tuple[str, str]]:
    data = text.encode()
    return [(s.rule, data[s.start : s.end].decode()) for s in find_secrets(data)]


def redacted(text: bytes) -> bytes:
    for number, secret in reversed(list(enumerate(find_secrets(text), start=1))):
        name = secret.rule.upper().replace("-", "_")
        text = text[: secret.start] + b"<%s_%d>" % (name.encode(), number) + text[secret.end :]
    return text


def is_covered(sample: Sample) -> bool:
    start, end = sample.span
    return any(s.start <= start and end <= s.end for s in find_secrets(sample.text.encode()))


FRAGMENTS = st.sampled_from(
    [
        *(sample.text for sample in SAMPLES[::5]),
        *(sample.text for sample in NOTHINGS[::4]),
        *(unit.decode() for unit in HOSTILE),
        *(literal.decode() for rule in RULES for literal in rule.literals[:3]),
        "\\n", "\n", "\0", '"', " = ", "é", "token", "%3D", "@", ".com", "/", "1", "-----END",
    ]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS | st.text(max_size=12), max_size=8).map(
    lambda parts: "".join(parts).encode("utf-8", "ignore")
)


def test_nearly_every_planted_secret_is_found_whole() -> None:
    missed = [sample.text for sample in SAMPLES if not is_covered(sample)]
    assert len(missed) <= len(SAMPLES) // 100, missed


def test_no_lookalike_is_found() -> None:
    assert {s.text for s in NOTHINGS if find_secrets(s.text.encode())} == set()
    assert {sample.kind for sample in NOTHINGS} == set(LOOKALIKES)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_the_search_finds_what_the_rules_find_one_by_one(text: bytes) -> None:
    assert find_secrets(text) == find_secrets_slowly(text)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_redacting_twice_changes_nothing(text: bytes) -> None:
    once = redacted(text)
    assert redacted(once) == once


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_findings_are_in_order_and_apart(text: bytes) -> None:
    found = find_secrets(text)
    assert all(0 <= secret.start < secret.end <= len(text) for secret in found)
    assert all(left.end <= right.start for left, right in pairwise(found))


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS.map(lambda text: text.replace(b"\0", b"")), max_size=4))
def test_nothing_reaches_from_one_text_into_the_next(texts: list[bytes]) -> None:
    apart: list[Secret] = []
    offset = 0
    for text in texts:
        apart += [
            Secret(s.rule, s.start + offset, s.end + offset, s.kind) for s in find_secrets(text)
        ]
        offset += len(text) + 1
    assert find_secrets(b"\0".join(texts)) == apart


def test_every_rule_finds_something_that_was_planted() -> None:
    planted_kinds = {sample.kind for sample in planted(1, 2000)} - {"assigned", "bearer", "option"}
    named = {"password", "secret-value", "bearer-token", "basic-login", "option-value"}
    found = {s.rule for sample in planted(1, 2000) for s in find_secrets(sample.text.encode())}
    assert planted_kinds | named <= found <= {rule.name for rule in RULES}


def test_a_secret_never_shows_in_its_repr() -> None:
    (secret,) = find_secrets(GITHUB.encode())
    assert "a1B2" not in repr(secret)


@pytest.mark.parametrize(
    ("before", "value", "after", "rule"),
    [
        ("", GITHUB, "", "github-token"),
        ('password = "', "r7#Kq2-xZ9!w", '"', "password"),
        ("postgres://app:", "kW8.q_x2", "@db.corp.io/main", "url-password"),
        ("https://", "", "example.com", ""),
        ("Authorization: Bearer ", "q8Zt4Kx0Lm2Vb7Rw", "\n", "bearer-token"),
        ("run --password ", "q8Zt4Kx0Lm2", " now", "option-value"),
        ('{\\"api_key\\": \\"', "q8Zt4Kx0Lm2Vb7Rw", '\\"}', "secret-value"),
        ("line one\\n", GITHUB, "\\nline", "github-token"),
        ("sent ", "jo.k@uni-ulm.de", ".", "email"),
        ("\\n", "nils@uni-ulm.de", "\\n", "email"),
        ("cd /home/", "nils", "/src", "home-directory"),
        ('"C:\\\\Users\\\\', "nils", '\\\\src"', "home-directory"),
    ],
)
def test_exactly_the_value_is_covered(before: str, value: str, after: str, rule: str) -> None:
    assert values(before + value + after) == ([(rule, value)] if value else [])


def test_a_key_is_covered_from_its_first_line_to_its_last() -> None:
    lines = ["MII" + "q8Zt4Kx0Lm2V" * 5, "a1" * 32, "Zz9="]
    for join in ("\n", "\\n", "\r\n", '\\n" \\\n    "', "\n+"):
        marks = [f"-----{word} RSA PRIVATE " + "KEY-----" for word in ("BEGIN", "END")]
        text = join.join([marks[0], *lines, marks[1]])
        assert values(text) == [("private-key", join.join(lines))]


def test_a_key_that_was_cut_off_takes_no_words_with_it() -> None:
    body = "MII" + "q8Zt4Kx0Lm2V" * 5
    text = "-----BEGIN PRIVATE " + f"KEY-----\n{body}\n[output was cut]\n and so on"
    assert values(text) == [("private-key", body)]


def test_a_jwt_says_its_algorithm_in_its_header() -> None:
    def token(header: object) -> str:
        parts = [json.dumps(header).encode(), b'{"sub": 1}', b"q" * 32]
        return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts)

    assert values(token({"alg": "HS256"})) == [("jwt", token({"alg": "HS256"}))]
    assert values(token({"algebra": "HS256"})) == []


def test_a_surer_rule_gives_what_two_find_its_name() -> None:
    assert values(f'token = "{GITHUB}"') == [("github-token", GITHUB)]


def test_a_secret_goes_before_a_person() -> None:
    assert values("amqp://app:x9!K.q2z@mq.corp.io") == [("url-password", "x9!K.q2z")]


def test_text_beyond_ascii_moves_no_bytes() -> None:
    text = f"é€😀 {HUGGING_FACE} é"
    (secret,) = find_secrets(text.encode())
    assert text.encode()[secret.start : secret.end] == HUGGING_FACE.encode()


@pytest.mark.parametrize(
    "text", [b"", b"@", b"sk-", b"://", b"a@b", b"pwd", b"\0" * 5, b"\xff@\xfe.aa"]
)
def test_short_and_broken_texts_hold_nothing(text: bytes) -> None:
    assert find_secrets(text) == []


def test_what_takes_part_in_no_rule_is_left_alone() -> None:
    amazon = "AKIA" + "Q7ZK" * 4
    assert values(f"x{amazon}") == values(f"{amazon}X") == []
    assert values("public_key = 'q8Zt4Kx0Lm2Vb7Rw'") == []
    assert values("token_type = 'q8Zt4Kx0Lm2Vb7Rw'") == []
    assert values("secret: 3f9a0b1c2d4e") == []


@pytest.mark.parametrize("unit", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_comes_to_an_end(unit: bytes) -> None:
    for text in ((unit + b"\n") * 10_000, unit * (100_000 // len(unit))):
        find_secrets(text)


@pytest.mark.parametrize("number", range(len(RULES)))
def test_a_literal_on_ten_thousand_lines_is_no_secret(number: int) -> None:
    literal = RULES[number].literals[0]
    assert find_secrets((literal + b"\n") * 10_000) == []


def test_one_line_of_a_megabyte_comes_to_an_end() -> None:
    for unit in (b"@a.aa", b"a1", b"eyJ0-", b"password: str = ", b"-----BEGIN PRIVATE KEY-----"):
        find_secrets(unit * (1_000_000 // len(unit)))


def test_a_copyright_notice_keeps_its_address() -> None:
    address = b"grace.hopper" + b"@" + b"navy.mil"
    assert find_secrets(b"/* Copyright (c) 1952 Grace Hopper <" + address + b"> */") == []
    (found,) = find_secrets(b"Copyright 1952\nmail " + address)
    assert found.rule == "email"


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        (b"https://tom:k7Rw-plume@db.acme.io/x", True),
        (b"https://tom:k7Rw-plume@example.org/x", False),
        (b"https://tom:k7Rw-plume@www.example.com", False),
        (b"https://tom:password123@db.acme.io/x", False),
        (b"https://tom:a%20secret@db.acme.io/x", False),
        (b"https://tom:[secure]@db.acme.io/x", False),
        (b"Authorization: Basic dG9tOms3UnctcGx1bWU=", True),
        (b"Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=", False),
        (b"gpg --recv-key 3B4FE6ACC0B21F32", False),
        (b"deploy --api-key 3B4FE6ACC0B21F32", True),
    ],
)
def test_a_password_is_told_from_what_only_shows_where_one_stands(
    text: bytes, is_found: bool
) -> None:
    assert bool(find_secrets(text)) == is_found


@pytest.mark.parametrize("secret", [GITHUB, HUGGING_FACE, "jane.roe@" + "uni-ulm.de"])
def test_a_secret_is_found_wherever_it_stands(secret: str) -> None:
    for before in range(20):
        for after in range(12):
            text = (" " * before + secret + " " * after).encode()
            assert [(s.start, s.end) for s in find_secrets(text)] == [
                (before, before + len(secret))
            ]
