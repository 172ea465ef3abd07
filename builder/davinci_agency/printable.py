"""Text from strangers on one line, without characters that steer a terminal or hide; pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text on one line, without characters that steer a terminal or hide themselves.

    >>> printable("a" + chr(27) + "[31mb") == "a" + chr(0xFFFD) + "[31mb"
    True
    """
    one_line = " ".join(text.split())
    return "".join(char if char.isprintable() else "\ufffd" for char in one_line)
