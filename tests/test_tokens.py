"""Tokens are counted as tiktoken counts them, and hostile texts don't end the program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.errors import CommandError
from davinci_agency.tokens import _o200k, horizon, open_counter, texts_of

COUNTER = open_counter()


def count(*texts: str) -> int:
    assert COUNTER is not None
    return COUNTER.count(texts)


def test_known_texts_have_their_known_tokens() -> None:
    assert count("hello world") == 2
    assert count("hello", " world") == 2
    assert count("") == 0


def slowly(*texts: str) -> int:
    return sum(len(_o200k().encode_ordinary(text)) for text in texts)


HOSTILE = [
    " " * 3_000, " " * 200 + "x", "\n" * 500, "a" * 5_000, "A" * 127 + "b", "A" * 128 + "b",
    "é" * 1_000, "日本語のテキスト" * 50, "日本ABC日abcЯЖя",
    "👩‍👩‍👧‍👦🏳️‍🌈 🙂", "\u0301", "\u0301ABC",
    " \u0301ABC", "!!\u0301a", "e\u0301\u0302", "a\r\n\r\n b\r", "1234567 ١٢٣٤٥ ½²",
    "\u00a0x\u00a0\u00a0y",
    "ends in spaces   ", "ends in lines \n \n  ", "//\n/\r\n//x", " //\n\n/",
    "it's IT'S i'\u017f I'LL we'Re 'S''s '",
    "don't", "x'l", "x'r", "ǅungla ʰʰA ªº", "\x00\x1c\x1f\x85\u2028 \ufeff", "\x00" * 9, "a\x00",
    "\u0378 \U0001fae9 \U0010ffff",
    "<|endoftext|>", "\ud83d alone \ude00 \ud83d\ude00", "qZ9" * 40, "=" * 300, "-" * 129 + "\n",
    "0123456789abcdef" * 30, "Supercalifragilistic" * 10,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_text_has_the_tokens_that_tiktoken_finds(text: str) -> None:
    assert count(text) == slowly(text)
    assert count(text, text, "", text) == 3 * slowly(text)


CHARACTERS = st.one_of(
    st.sampled_from([*" \n\r\t/'\u00a0\u3000aAzZ1!sSlLdDtTmMrReEvV", "  ", "'ll", "\u0301", "日",
                     "ǅ", "\u017f"]),
    st.characters(),
    st.text(st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo", "M", "N", "Zs"]), max_size=9),
    st.sampled_from(["the", "Word", "naïve", "HTTPServer", "    ", "\r\n", "x" * 130, "🙂"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(CHARACTERS, max_size=20).map("".join), max_size=5))
def test_any_texts_have_the_tokens_that_tiktoken_finds(texts: list[str]) -> None:
    assert count(*texts) == slowly(*texts)


def test_every_character_has_the_tokens_that_tiktoken_finds() -> None:
    for first in range(0, 0x110000, 0x400):
        text = "".join(
            f"{chr(n)}a A{chr(n)} {chr(n)}{chr(n)}\n" for n in range(first, first + 0x400)
        )
        if first < 0x20000 or first >= 0xE0000:
            assert count(text) == slowly(text), hex(first)


@pytest.mark.parametrize(
    ("run", "tokens"),
    # What is known of a run that tiktoken gets through is also true of one that it dies on.
    [(" ", 1 / 128), ("\n", 1 / 16), ("a", 1 / 8), ("é", 1)],
)
def test_a_run_without_end_is_counted_as_one_piece(run: str, tokens: float) -> None:
    assert count(run * 200_000) == len(_o200k()._encode_single_piece(run * 200_000))
    assert count(run * 200_000) == pytest.approx(200_000 * tokens, rel=0.01)


def test_threads_count_beside_each_other() -> None:
    texts = [f"{n} is {n * n} {chr(0x400 + n)}word_{n} " * 300 for n in range(16)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(count, texts * 3)) == [slowly(text) for text in texts] * 3


def test_a_conversation_is_what_a_model_reads_and_writes() -> None:
    call = {"id": "unread", "function": {"name": "bash", "arguments": {"command": "ls"}}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Do it."},
        {"role": "assistant", "content": "", "reasoning_content": "Hm.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "unread", "content": [{"type": "text", "text": "x"}]},
    ]
    assert list(texts_of(messages, [{"name": "bash"}])) == [
        "Do it.", "", "Hm.", "bash", '{"command":"ls"}', '[{"type":"text","text":"x"}]',
        '{"name":"bash"}',
    ]  # fmt: skip


def test_a_model_s_own_tokenizer_counts(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    own = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "?": 1}, "?"))
    own.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    (tmp_path / "own").mkdir()
    own.save(str(tmp_path / "own" / "tokenizer.json"))
    counter = open_counter(str(tmp_path / "own"))
    assert counter is not None
    assert (counter.name, counter.count(["a b a", "c"])) == ("own", 4)


def test_what_is_no_tokenizer_is_told(tmp_path: Path) -> None:
    assert open_counter("none") is None
    with pytest.raises(CommandError, match="there is no such file"):
        open_counter("gpt-9")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(CommandError, match=r"is no tokenizer\.json"):
        open_counter(str(tmp_path))


def test_horizons_end_where_context_windows_do() -> None:
    assert [horizon(n) for n in (0, 32_767, 32_768, 131_072, 1_048_576)] == [
        "short", "short", "medium", "long", "very-long",
    ]  # fmt: skip
