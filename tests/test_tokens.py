"""Tokens are counted as tiktoken counts them, and hostile texts don't end the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.errors import CommandError
from davinci_agency.tokens import _LONGEST_PIECE, _o200k, horizon, open_counter, texts_of

COUNTER = open_counter()


def count(*texts: str) -> int:
    assert COUNTER is not None
    return COUNTER.count(texts)


def test_known_texts_have_their_known_tokens() -> None:
    assert count("hello world") == 2
    assert count("hello", " world") == 2
    assert count("") == 0


PIECES = st.sampled_from(
    ["word ", "\n", "x = 1\n", "  ", "/", "é", "日本", "'ll", "\r\n", "<|end|>"]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6))
def test_a_long_text_has_as_many_tokens_in_pieces_as_in_one(pieces: list[str]) -> None:
    block = "".join(pieces) + "\nend of it"
    text = block * (2 * _LONGEST_PIECE // len(block) + 1)
    assert count(text) == len(_o200k().encode_ordinary(text))


@pytest.mark.parametrize("text", [" " * 400_000, "\n" * 400_000, "a" * 400_000, "é" * 200_000])
def test_runs_without_end_are_counted(text: str) -> None:
    assert 0 < count(text) <= len(text)


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
