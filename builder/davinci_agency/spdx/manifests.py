"""Which licence a package's manifest declares; pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from davinci_agency.spdx.expressions import MAX_LENGTH, canonical
from davinci_agency.spdx.texts import license_of

_USUAL = {
    "apache 2 0": "Apache-2.0",
    "apache license 2 0": "Apache-2.0",
    "apache license version 2 0": "Apache-2.0",
    "apache software license 2 0": "Apache-2.0",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 2 clause license": "BSD-2-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd 3 clause license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "mit license": "MIT",
    "the mit license": "MIT",
    "isc license": "ISC",
    "mozilla public license 2 0": "MPL-2.0",
}
"""Names that say which licence is meant, though SPDX writes them otherwise; "BSD" does not."""


def declared_license(name: str, content: bytes) -> str | None:
    """Return the SPDX expression that a manifest declares; ``None`` if it declares none.

    ``name`` is one of `MANIFESTS`. A manifest that cannot be parsed declares nothing.

    >>> declared_license("package.json", b'{"license": "MIT"}')
    'MIT'
    """
    try:
        said = MANIFESTS[name](content)
    except (ValueError, RecursionError):
        # A commit may hold a manifest that is half merged; nothing but its licence is lost.
        return None
    return _expression(said) if isinstance(said, str) else None


def _expression(said: str) -> str | None:
    said = said.strip()
    if len(said) > MAX_LENGTH:
        return license_of(said)
    usual = _USUAL.get(re.sub(r"[^a-z0-9]+", " ", said.lower()).strip())
    # Cargo's older manifests write "MIT/Apache-2.0" for a choice.
    return usual or canonical(re.sub(r" ?/ ?", " OR ", said))


def _at(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _toml(content: bytes) -> dict[str, Any]:
    return tomllib.loads(content.decode()) if b"license" in content else {}


def _cargo(content: bytes) -> Any:
    document = _toml(content)
    said = _at(document, "package", "license")
    return said if isinstance(said, str) else _at(document, "workspace", "package", "license")


def _pyproject(content: bytes) -> Any:
    """``license = "MIT"`` is PEP 639's, ``{text = …}`` PEP 621's, the other place Poetry's."""
    document = _toml(content)
    said = _at(document, "project", "license")
    return _at(said, "text") or said or _at(document, "tool", "poetry", "license")


def _package(content: bytes) -> Any:
    """``"license": {"type": "MIT"}`` is what npm took before it knew SPDX."""
    said = _at(orjson.loads(content), "license")
    return _at(said, "type") or said


MANIFESTS: Mapping[str, Callable[[bytes], Any]] = {
    "Cargo.toml": _cargo,
    "package.json": _package,
    "pyproject.toml": _pyproject,
}
"""How to read each manifest, by its name at the root."""
