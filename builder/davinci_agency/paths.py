"""What a path says of a file: a test? generated? in which language?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

from davinci_agency.records import ChangedFile

_TEST_FOLDERS = {
    "__snapshots__",
    "__tests__",
    "androidtest",
    "e2e",
    "integration_tests",
    "integration-tests",
    "spec",
    "specs",
    "test",
    "test-data",
    "test_data",
    "testdata",
    "testing",
    "tests",
    "testsuite",
    "unittests",
}
_TEST_SUFFIXES = ("_test", "_tests", "_spec", ".test", ".spec", "-test")
_TEST_PREFIXES = ("test_", "test-")
_TEST_NAMES = {"conftest", "test", "tests"}

_LOCK_FILES = {
    "bun.lock",
    "bun.lockb",
    "cargo.lock",
    "composer.lock",
    "conda-lock.yml",
    "flake.lock",
    "gemfile.lock",
    "go.sum",
    "go.work.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "package.resolved",
    "packages.lock.json",
    "pdm.lock",
    "pipfile.lock",
    "pixi.lock",
    "pnpm-lock.yaml",
    "podfile.lock",
    "poetry.lock",
    "pubspec.lock",
    "uv.lock",
    "yarn.lock",
}
_VENDORED_FOLDERS = {
    "_vendor",
    "_vendored",
    "bower_components",
    "godeps",
    "node_modules",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
    "vendored",
}
_GENERATED_SUFFIXES = (
    ".ipynb",
    ".map",
    ".min.css",
    ".min.js",
    ".pb.go",
    ".pb.cc",
    ".pb.h",
    "_pb2.py",
    "_pb2.pyi",
    "_pb2_grpc.py",
    ".bundle.js",
)
"""A notebook is mostly the output of its last run, and JSON around the rest."""

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


@lru_cache(maxsize=1 << 16)
def is_generated(path: str) -> bool:
    """Tell whether nobody writes a file by hand here: a lock file, vendored or minified code.

    >>> is_generated("Cargo.lock"), is_generated("web/vendor/jquery.js"), is_generated("lock.py")
    (True, True, False)
    """
    *folders, name = path.lower().split("/")
    return (
        name in _LOCK_FILES
        or name.endswith(_GENERATED_SUFFIXES)
        or not _VENDORED_FOLDERS.isdisjoint(folders)
    )


@lru_cache(maxsize=1 << 16)
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
        or pure.suffix == ".snap"
        or pure.stem.startswith(_TEST_PREFIXES)
        or pure.stem.endswith(_TEST_SUFFIXES)
        or stem.endswith(("Test", "Tests", "TestCase", "Spec"))
    )


@lru_cache(maxsize=1 << 16)
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


def runnable_tests(files: Iterable[ChangedFile]) -> list[str]:
    """Return the tests among a change's files that can be run, as arguments that are no options."""
    return [
        f"./{file.path}"
        for file in files
        if file.is_test and file.status != "deleted" and language(file.path)
    ]


def paths_of_tests(files: Iterable[ChangedFile]) -> list[str]:
    """Return every path that the tests' part of a change touches."""
    pairs = [(file.path, file.old_path) for file in files if file.is_test]
    return sorted({path for pair in pairs for path in pair if path is not None})
