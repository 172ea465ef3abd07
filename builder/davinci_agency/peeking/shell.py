"""A script of the shell as the simple commands in it; pure.

This is no parser: it knows quotes, comments, substitutions, redirections and here-documents well
enough to tell a command from text that a command is given. It reads every character once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r]+|\\\r?\n)
  | (?P<comment>\#[^\n]*)
  | <<(?!<)(?P<dash>-?)[ \t]*(?P<mark>'[^'\n]{1,60}'|"[^"\n]{1,60}"|\\?[\w.+-]{1,60})
  | (?P<into>>>|>\||>&|>)
  | (?P<from><<<|<&|<(?!\())
  | (?P<newline>\n)
  | (?P<end>[;&|()`]|\$\(|<\()
  | '(?P<single>[^']*)'
  | "(?P<double>(?:[^"\\]|\\.)*+)"
  | \\(?P<escaped>.)
  | (?P<plain>[^\s;&|()<>'"\\`$]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SUBSTITUTION = re.compile(r"\$\(([^()]*)")
_UNESCAPED = re.compile(r'\\(["\\$`\n])')
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w{0,80}\+?=")
_KEYWORDS = frozenset({"{", "}", "!", "if", "then", "else", "elif", "while", "until", "do", "time"})
_WRAPPERS = frozenset(
    {"sudo", "env", "timeout", "nohup", "xargs", "nice", "stdbuf", "exec", "command", "builtin",
     "watch", "unbuffer", "setsid"}
)  # fmt: skip
_WRAPPER_S = re.compile(r"-.*|[\d.]{1,12}[smhd]?|[A-Za-z_]\w{0,80}=.*", re.DOTALL)
"""What belongs to a wrapper and not yet to the command: options, a duration, an assignment."""

_WITH_VALUE = frozenset({"-u", "-g", "-I", "-s", "-k", "-d"})


@dataclass(slots=True)
class Command:
    """One simple command.

    Attributes:
        words: its name and arguments, without their quotes.
        document: the text of its here-document or here-string, which it reads as its input.
    """

    words: list[str] = field(default_factory=list)
    document: str = ""

    def program(self) -> list[str]:
        """Return the words from the name of the program on, without what only wraps it."""
        words = self.words
        place = 0
        while place < len(words):
            if words[place] in _KEYWORDS or _ASSIGNMENT.match(words[place]):
                place += 1
            elif words[place] in _WRAPPERS:
                place += 1
                while place < len(words) and _WRAPPER_S.fullmatch(words[place]):
                    place += 2 if words[place] in _WITH_VALUE else 1
            else:
                break
        return words[place:]


class _Reader:
    """Where in a script one stands."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.commands = [Command()]
        self.inner: list[str] = []
        self._word: list[str] | None = None
        self._target = ""
        self._documents: list[tuple[Command, str, bool]] = []

    def read(self) -> None:
        place, end = 0, len(self.script)
        while place < end:
            match = _TOKEN.match(self.script, place)
            if match is None:  # Every character is a token.
                return
            place = self._take(match)
        self._end_word()

    def _take(self, match: re.Match[str]) -> int:
        """Take in one token, and return where the next one begins."""
        kind = match.lastgroup
        text = match[kind] if kind else ""
        if kind in ("single", "escaped", "plain") or (kind == "comment" and self._word):
            self._add(text)
        elif kind == "double":
            self._add(_UNESCAPED.sub(r"\1", text))
            self.inner += _SUBSTITUTION.findall(text)
        elif kind == "mark":
            self._end_word()
            self._documents.append((self.commands[-1], text.strip("'\"\\"), bool(match["dash"])))
        elif kind in ("into", "from"):
            self._end_word()
            self._target = text
        elif kind in ("newline", "end"):
            self._end_word()
            self._target = ""
            if self.commands[-1].words:
                self.commands.append(Command())
            if kind == "newline":
                return self._documents_from(match.end())
        else:
            self._end_word()
        return match.end()

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is None:
            return
        word, self._word = "".join(self._word), None
        if self._target == "<<<":
            self.commands[-1].document = word
        elif not self._target.startswith(">"):
            self.commands[-1].words.append(word)
        self._target = ""

    def _documents_from(self, place: int) -> int:
        """Read the here-documents that begin at a line, and return where the last one ends."""
        for command, mark, is_indented in self._documents:
            start = place
            while place < len(self.script):
                end = self.script.find("\n", place)
                end = len(self.script) if end < 0 else end
                line, at = self.script[place:end].rstrip("\r"), place
                place = end + 1
                if (line.lstrip("\t") if is_indented else line) == mark:
                    command.document = self.script[start:at]
                    break
            else:
                command.document = self.script[start:]
        self._documents.clear()
        return place


def simple_commands(script: str) -> Iterator[Command]:
    """Yield the simple commands of a script; those inside double quotes last.

    >>> [command.words for command in simple_commands("cd a && git log -n 1 'b c' > d # e")]
    [['cd', 'a'], ['git', 'log', '-n', '1', 'b c']]
    """
    reader = _Reader(script)
    reader.read()
    yield from (command for command in reader.commands if command.words)
    for inner in reader.inner:
        nested = _Reader(inner)
        nested.read()
        yield from (command for command in nested.commands if command.words)
