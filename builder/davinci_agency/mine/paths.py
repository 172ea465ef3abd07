"""What a path says of a file: whether it is a test, and the language it is written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from davinci_agency.records import ChangedFile

_TEST_FOLDERS = {"test", "tests", "testing", "__tests__", "spec", "specs", "testdata", "test_data"}
_TEST_SUFFIXES = ("_test", "_tests", "_spec", ".test", ".spec", "-test")
_TEST_PREFIXES = ("test_", "test-")
_TEST_NAMES = {"conftest", "test", "tests"}

_LANGUAGES = {
    "C": (".c", ".h"),
    "C#": (".cs",),
    "C++": (".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx"),
    "Cython": (".pyx", ".pxd", ".pxi"),
    "Dart": (".dart",),
    "Elixir": (".ex", ".exs"),
    "Fortran": (".f", ".f90", ".f95"),
    "Go": (".go",),
    "Haskell": (".hs",),
    "Java": (".java",),
    "JavaScript": (".js", ".jsx", ".mjs", ".cjs"),
    "Julia": (".jl",),
    "Kotlin": (".kt", ".kts"),
    "Lua": (".lua",),
    "Objective-C": (".m",),
    "OCaml": (".ml", ".mli"),
    "Perl": (".pl", ".pm"),
    "PHP": (".php",),
    "Python": (".py", ".pyi"),
    "R": (".r",),
    "Ruby": (".rb",),
    "Rust": (".rs",),
    "Scala": (".scala",),
    "Shell": (".sh", ".bash"),
    "SQL": (".sql",),
    "Swift": (".swift",),
    "Tcl": (".tcl",),
    "TypeScript": (".ts", ".tsx", ".mts", ".cts"),
    "Zig": (".zig",),
}
_LANGUAGE_OF = {suffix: name for name, suffixes in _LANGUAGES.items() for suffix in suffixes}


def is_test(path: str) -> bool:
    """Tell whether a file is a test or data of a test, by the customs of the common languages.

    >>> is_test("numpy/core/tests/test_umath.py"), is_test("src/contest.py")
    (True, False)
    """
    pure = PurePosixPath(path.lower())
    if any(folder in _TEST_FOLDERS for folder in pure.parts[:-1]):
        return True
    # JavaTest.java and FooTests.cs carry the word in the case of their letters.
    stem = PurePosixPath(path).stem
    # test.yml configures tests, and test.py is one.
    return (
        (pure.stem in _TEST_NAMES and language(path) is not None)
        or pure.stem.startswith(_TEST_PREFIXES)
        or pure.stem.endswith(_TEST_SUFFIXES)
        or stem.endswith(("Test", "Tests", "TestCase", "Spec"))
    )


def language(path: str) -> str | None:
    """Return the programming language of a file by its suffix; ``None`` if it is no known code."""
    return _LANGUAGE_OF.get(PurePosixPath(path).suffix.lower())


def main_language(files: Iterable[ChangedFile]) -> str | None:
    """Return the language of most of the changed lines; the first by name if several tie."""
    lines: Counter[str] = Counter()
    for file in files:
        name = language(file.path)
        if name is not None:
            lines[name] += (file.additions or 0) + (file.deletions or 0)
    return min(lines, key=lambda name: (-lines[name], name), default=None)
