"""Licences by their texts, by manifests and in expressions: what is not certain is not told."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.spdx import (
    PERMISSIVE,
    Reading,
    canonical,
    choose_license,
    declared_license,
    is_allowed,
    license_of,
    read_text,
    role_of,
)
from davinci_agency.spdx.phrases import TEXTS, Pattern

LICENSES = sorted({pattern.license for pattern in TEXTS} - {""})
MIT, APACHE = Reading(("MIT",)), Reading(("Apache-2.0",))


def words(name: str) -> str:
    """Return the phrases of a licence, which stand for its text."""
    pattern: Pattern = next(pattern for pattern in TEXTS if pattern.license == name)
    return " ".join(pattern.phrases)


def installed(package: str, file: str) -> str:
    """Return a licence file of a package that is installed here."""
    try:
        found: Distribution = distribution(package)
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    paths = [path for path in found.files or () if str(path).endswith(f"licenses/{file}")]
    if not paths:
        pytest.skip(f"{package} has no {file}")
    return Path(str(found.locate_file(paths[0]))).read_text()


def nothing() -> frozenset[str]:
    return frozenset()


@pytest.mark.parametrize("name", LICENSES)
def test_each_licence_is_told_by_its_own_phrases_and_by_no_other_s(name: str) -> None:
    assert license_of(words(name)) == name


@pytest.mark.parametrize(
    ("package", "file", "expected"),
    [
        ("pytest", "LICENSE", "MIT"),
        ("jsonschema", "COPYING", "MIT"),
        ("click", "LICENSE.txt", "BSD-3-Clause"),
        ("pygments", "LICENSE", "BSD-2-Clause"),
        ("requests", "LICENSE", "Apache-2.0"),
        ("hypothesis", "LICENSE.txt", "MPL-2.0"),
        ("PyGithub", "COPYING", "GPL-3.0-only"),
        ("PyGithub", "COPYING.LESSER", "LGPL-3.0-only"),
        ("typing_extensions", "LICENSE", "Python-2.0"),
    ],
)
def test_licence_files_that_packages_ship_are_told(package: str, file: str, expected: str) -> None:
    assert license_of(installed(package, file)) == expected


@pytest.mark.parametrize(("package", "file", "expected"), [
    ("numpy", "LICENSE.txt", "BSD-3-Clause"),
    ("pyarrow", "LICENSE.txt", "Apache-2.0"),
])  # fmt: skip
def test_licences_of_what_is_bundled_are_not_the_project_s(
    package: str, file: str, expected: str
) -> None:
    text = installed(package, file)
    assert text.count("Redistribution and use") > 1
    assert license_of(text) == expected


def test_layout_quotes_and_holders_make_no_difference() -> None:
    text = words("MIT").replace(" the software ", "\n# * the “Software”, ")
    assert license_of(f"Copyright (c) 2020, Ada\n\n{text.upper()}") == "MIT"


def test_a_sentence_that_takes_something_away_makes_a_licence_unknown() -> None:
    mit = words("MIT")
    assert license_of(f"{mit}\n\nCommercial use is not permitted.") is None
    assert license_of(f"Commons Clause License Condition v1.0\n\n{mit}") is None
    inside = mit.replace("subject to the following conditions", "for research only, if: ")
    assert license_of(inside) is None
    assert license_of(f"{mit}\n\n{'We also ask you to do this. ' * 20}") is None


def test_different_licences_for_different_folders_are_no_licence() -> None:
    text = f"All content under the ee/ directory is licensed as ee/LICENSE says.\n{words('MIT')}"
    reading = read_text(text)
    assert reading.has_own_terms
    assert choose_license([("LICENSE", reading)], lambda: frozenset({"MIT"})) is None


def test_a_choice_is_told_where_the_file_offers_one() -> None:
    offer = "You may use this under your choice of the licenses below.\n"
    text = "\n".join(map(words, ("LicenseRef-RSALv2", "SSPL-1.0", "AGPL-3.0-only")))
    assert license_of(offer + text) == "LicenseRef-RSALv2 OR SSPL-1.0 OR AGPL-3.0-only"
    assert license_of(text) is None


def test_a_gnu_text_alone_promises_no_later_version() -> None:
    grant = (
        "You can redistribute it under the terms of the GNU General Public License as published by "
        "the Free Software Foundation, either version 3 of the License, or (at your option) any "
        "later version.\n"
    )
    text = words("GPL-3.0-only")
    assert license_of(text) == "GPL-3.0-only"
    assert license_of(grant) == license_of(grant + text) == "GPL-3.0-or-later"
    said = [("COPYING", Reading(("GPL-3.0-only",)))]
    assert choose_license(said, nothing) == "GPL-3.0-only"
    assert choose_license(said, lambda: frozenset({"GPL-3.0-or-later"})) == "GPL-3.0-or-later"
    assert choose_license(said, lambda: frozenset({"MIT"})) == "GPL-3.0-only"


def test_a_tag_of_its_own_line_is_the_file_s_word() -> None:
    assert license_of("// SPDX-License-Identifier: mit or apache-2.0\n") == "MIT OR Apache-2.0"
    assert license_of("Write SPDX-License-Identifier: MIT into each file.") is None


@pytest.mark.parametrize("text", ["", "All rights reserved.", "MIT", "Licensed under the GPL", "©"])
def test_what_holds_no_licence_is_none(text: str) -> None:
    assert license_of(text) is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([*LICENSES, "\n", "either", "bundled", "©", "("]), max_size=6))
def test_a_text_is_never_told_as_a_licence_that_it_does_not_hold(parts: list[str]) -> None:
    held = [part for part in parts if part in LICENSES]
    text = " ".join(words(part) if part in LICENSES else part for part in parts)
    assert set(read_text(text).licenses) <= set(held)


def test_files_come_before_the_manifest() -> None:
    shipped = frozenset({"BSD-3-Clause AND MIT AND Zlib"})
    assert choose_license([("LICENSE.txt", Reading(("BSD-3-Clause",)))], lambda: shipped) == (
        "BSD-3-Clause"
    )


def test_the_manifest_tells_how_several_files_go_together() -> None:
    files = [("LICENSE-APACHE", APACHE), ("LICENSE-MIT", MIT)]
    assert choose_license(files, lambda: frozenset({"MIT AND Apache-2.0"})) == "MIT AND Apache-2.0"
    assert choose_license(files, nothing) == "MIT OR Apache-2.0"
    assert choose_license(files, lambda: frozenset({"MIT", "Apache-2.0"})) is None


def test_without_a_word_on_it_several_files_are_no_choice() -> None:
    assert choose_license([("LICENSE", MIT), ("LICENSE-APACHE", APACHE)], nothing) is None
    gpl = [("LICENSE-GPL", Reading(("GPL-3.0-only",))), ("LICENSE-MIT", MIT)]
    assert choose_license(gpl, nothing) is None
    pointer = read_text("It is made available under the terms of either of these licenses.")
    assert choose_license([("COPYING", pointer), *gpl], nothing) == "MIT OR GPL-3.0-only"


def test_the_lgpl_lies_beside_the_gpl_that_it_adds_to() -> None:
    files = [("COPYING", Reading(("GPL-3.0-only",))), ("C.LESSER", Reading(("LGPL-3.0-only",)))]
    assert choose_license(files, nothing) == "LGPL-3.0-only"


def test_the_manifest_is_left_where_no_file_is_understood() -> None:
    assert choose_license([], lambda: frozenset({"MIT"})) == "MIT"
    assert choose_license([("LICENSE", Reading())], lambda: frozenset({"MIT"})) == "MIT"
    assert choose_license([("LICENSE", Reading())], nothing) is None


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"\n', "MIT OR Apache-2.0"),
        ("Cargo.toml", '[workspace.package]\nlicense = "MIT"\n', "MIT"),
        (
            "Cargo.toml",
            '[package]\nlicense.workspace = true\n[workspace.package]\nlicense = "MIT"\n',
            "MIT",
        ),
        ("pyproject.toml", '[project]\nlicense = "MIT OR ISC"\n', "MIT OR ISC"),
        ("pyproject.toml", '[project]\nlicense = {text = "Apache 2.0"}\n', "Apache-2.0"),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}\n', None),
        ("pyproject.toml", '[project]\nlicense = {text = "BSD"}\n', None),
        ("pyproject.toml", '[tool.poetry]\nlicense = "MIT License"\n', "MIT"),
        ("package.json", '{"license": {"type": "GPL-2.0+"}}', "GPL-2.0-or-later"),
        ("package.json", '{"license": "SEE LICENSE IN x"}', None),
        ("package.json", '{"license": "UNLICENSED"}', None),
        ("package.json", '{"license": ', None),
        ("package.json", "[" * 100_000, None),
        ("pyproject.toml", "<<<<<<< license", None),
    ],
)
def test_a_manifest_declares_an_expression_or_nothing(
    name: str, content: str, expected: str | None
) -> None:
    assert declared_license(name, content.encode()) == expected


def test_a_manifest_may_hold_a_whole_text() -> None:
    text = words("MIT").replace('"', "")
    content = f'[project]\nlicense = {{text = "{text}"}}\n'.encode()
    assert declared_license("pyproject.toml", content) == "MIT"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("LICENSE", "license"), ("license.md", "license"), ("LICENCE.txt", "license"),
        ("LICENSE-APACHE", "license"), ("COPYING.LESSER", "license"), ("UNLICENSE", "license"),
        ("MIT-LICENSE", "license"), ("COPYRIGHT", "copyright"), ("NOTICE.txt", "notice"),
        ("LICENSES_bundled.txt", "notice"), ("LICENSE.thirdparty", "notice"),
        ("THIRD-PARTY-NOTICES", "notice"), ("LICENSE-docs", "notice"), ("license.py", None),
        ("licenses.json", None), ("README.md", None), ("copyrights.go", None),
        ("licensed.md", None),
    ],
)  # fmt: skip
def test_a_file_s_name_tells_what_it_is_to_licences(name: str, role: str | None) -> None:
    assert role_of(name) == role


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True), ("GPL-3.0-only", False), ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False), ("MIT AND ISC OR GPL-3.0-only", True),
        ("MIT AND (ISC OR GPL-3.0-only)", True), ("GPL-3.0-only AND (ISC OR MIT)", False),
        ("Apache-2.0 WITH LLVM-exception", True), ("Apache-2.0 WITH Commons-Clause", False),
        ("Apache-2.0+", True), ("GPL-2.0-or-later", False), ("(MIT", False), ("MIT)", False),
        ("MIT AND", False), ("MIT ISC", False), ("", False), ("unknown", False), ("AND", False),
        ("(" * 90 + "MIT" + ")" * 90, True), ("(" * 10_000, False),
    ],
)  # fmt: skip
def test_an_expression_is_allowed_if_a_choice_of_it_is(expression: str, expected: bool) -> None:
    assert is_allowed(expression, PERMISSIVE) == expected


def test_what_is_allowed_by_name_is_allowed() -> None:
    name = "GPL-2.0-only WITH Classpath-exception-2.0"
    assert is_allowed(name, frozenset({name}))
    assert is_allowed("unknown", frozenset({"unknown"}))
    assert is_allowed("GPL-2.0-or-later", frozenset({"GPL-2.0-only"}))


NAMES = st.sampled_from(["MIT", "ISC", "GPL-3.0-only", "EUPL-1.2"])
EXPRESSIONS: st.SearchStrategy[str] = st.recursive(
    NAMES,
    lambda inner: st.tuples(inner, st.sampled_from([" OR ", " AND "]), inner).map(
        lambda parts: f"({''.join(parts)})"
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(EXPRESSIONS)
def test_an_expression_is_worth_what_logic_says(expression: str) -> None:
    logic = expression.replace(" OR ", " or ").replace(" AND ", " and ")
    for name in ("MIT", "ISC", "GPL-3.0-only", "EUPL-1.2"):
        logic = logic.replace(name, str(name in PERMISSIVE))
    assert is_allowed(expression, PERMISSIVE) == eval(logic)  # noqa: S307
    assert canonical(expression) is not None
