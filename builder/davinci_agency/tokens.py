"""How many tokens a conversation has, and how long that makes it.

Counted is the text that a model reads and writes: what is said and thought, the names of tools and
their arguments as JSON, and the schemas of the tools as JSON; not what a chat template puts between
them, which differs from model to model.

The default, ``o200k_base``, is OpenAI's vocabulary, which comes with a package, so no network is
needed. `open_counter` also takes a model's own ``tokenizer.json``.
"""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import orjson

from davinci_agency.errors import CommandError

DEFAULT_TOKENIZER = "o200k_base"
NO_TOKENIZER = "none"

_O200K = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""How o200k_base cuts a text into pieces, as tiktoken's own definition says it."""

_LIMITS = ((32_768, "short"), (131_072, "medium"), (1_048_576, "long"))
"""The context windows that models are commonly trained for: 32k, 128k and a million tokens."""

JsonObject = Mapping[str, Any]


class TokenCounter(Protocol):
    """Something that counts tokens."""

    @property
    def name(self) -> str:
        """What goes on the record."""

    def count(self, texts: Sequence[str]) -> int:
        """Return the tokens of some texts, each by itself."""

    def conversation(self, messages: Sequence[JsonObject], tools: Sequence[JsonObject]) -> int:
        """Return the tokens of a conversation and its tools."""
        return self.count(list(texts_of(messages, tools)))


class _Tiktoken(TokenCounter):
    name = DEFAULT_TOKENIZER

    def __init__(self) -> None:
        self._memo = _Memo()

    def count(self, texts: Sequence[str]) -> int:
        from davinci_agency.token_kernels import count_tokens, divided

        data = divided([_utf8(text) for text in texts])
        words = np.frombuffer(data, np.uint64)
        tokens, long = count_tokens(words, len(texts), self._memo.table, *_tables())
        # tiktoken joins the bytes of a long piece by a heap, in no time that grows by their square.
        return tokens + sum(
            len(_o200k()._encode_single_piece(data[start:end])) for start, end in long
        )


class _Memo(threading.local):
    """What each thread remembers of short pieces; a newer one takes the place of an older."""

    def __init__(self) -> None:
        from davinci_agency.token_kernels import MEMO_SHAPE

        self.table = np.zeros(MEMO_SHAPE, np.uint64)


class _Own(TokenCounter):
    """A model's own tokenizer; adds no special tokens."""

    name = ""

    def __init__(self, path: Path) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise CommandError(
                "--tokenizer needs another package: pip install 'davinci-agency[tokens]'."
            ) from error
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more precise
            raise CommandError(
                f"{path} is no tokenizer.json ({error}); name the one of your model."
            ) from error
        self.name = path.parent.name if path.name == "tokenizer.json" else path.name

    def count(self, texts: Sequence[str]) -> int:
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return sum(map(len, encoded))


def open_counter(tokenizer: str = DEFAULT_TOKENIZER) -> TokenCounter | None:
    """Return what counts tokens: by name, or from a ``tokenizer.json`` or its folder.

    ``none`` counts nothing. Raises `CommandError` if there is no such tokenizer.
    """
    if tokenizer == NO_TOKENIZER:
        return None
    if tokenizer == DEFAULT_TOKENIZER:
        return _Tiktoken()
    path = Path(tokenizer)
    path = path / "tokenizer.json" if path.is_dir() else path
    if not path.is_file():
        raise CommandError(
            f"--tokenizer {tokenizer}: there is no such file; name {DEFAULT_TOKENIZER}, "
            f"{NO_TOKENIZER}, or a tokenizer.json, such as that of a downloaded model."
        )
    return _Own(path)


def texts_of(messages: Sequence[JsonObject], tools: Sequence[JsonObject]) -> Iterator[str]:
    """Yield every text of a conversation that a model reads or writes."""
    for message in messages:
        content = message.get("content")
        yield content if isinstance(content, str) else _json(content)
        if isinstance(thought := message.get("reasoning_content"), str):
            yield thought
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {}
            yield str(function.get("name", ""))
            yield _json(function.get("arguments"))
    for tool in tools:
        yield _json(tool)


def horizon(tokens: int) -> Literal["short", "medium", "long", "very-long"]:
    """Return how long a conversation of so many tokens is.

    >>> horizon(84_800)
    'medium'
    """
    for limit, name in _LIMITS:
        if tokens < limit:
            return name  # type: ignore[return-value]
    return "very-long"


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character alone; tiktoken does the same
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


@cache
def _o200k() -> Any:
    import tiktoken

    # Only the package's data is wanted: to import it would load all its vocabularies.
    package = find_spec("bpe_openai")
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise CommandError("bpe-openai is not installed; install davinci-agency again.")
    packed = Path(folders[0], "data", "o200k_base.tiktoken.gz").read_bytes()
    lines = (line.split() for line in gzip.decompress(packed).splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return tiktoken.Encoding(
        DEFAULT_TOKENIZER, pat_str=_O200K, mergeable_ranks=ranks, special_tokens={}
    )


@cache
def _tables() -> tuple[Any, Any]:
    """Return what `count_tokens` looks up: the kinds of characters, and the vocabulary."""
    from davinci_agency.token_kernels import hashed

    ranks = _o200k()._mergeable_ranks
    return _kinds(), hashed(sorted(ranks, key=ranks.__getitem__))


def _kinds() -> Any:
    """Return what each character is to tiktoken, whose Unicode may be newer than Python's.

    An expression of one character makes pieces of the characters that it fits, and drops all
    others; with the bytes as its only tokens, tiktoken gives the pieces back.
    """
    import tiktoken

    from davinci_agency import token_kernels as kinds

    every = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    single = {bytes([byte]): byte for byte in range(256)}
    found = np.full(0x110000, kinds.OTHER, np.uint8)
    for kind, expression in (
        (kinds.UPPER, r"[\p{Lu}\p{Lt}]"),
        (kinds.LOWER, r"\p{Ll}"),
        (kinds.LETTER, r"[\p{Lm}\p{Lo}]"),
        (kinds.MARK, r"\p{M}"),
        (kinds.NUMBER, r"\p{N}"),
        (kinds.SPACE, r"\s"),
        (kinds.LINE, r"[\r\n]"),
    ):
        sieve = tiktoken.Encoding(
            DEFAULT_TOKENIZER, pat_str=expression, mergeable_ranks=single, special_tokens={}
        )
        found[[ord(each) for each in bytes(sieve.encode_ordinary(every)).decode()]] = kind
    return found
