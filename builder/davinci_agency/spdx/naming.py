"""Which files of a repository's root speak of licences, by their names; pure."""

from __future__ import annotations

import re
from typing import Literal

Role = Literal["license", "copyright", "notice"]
"""``license``: the project's own terms; ``copyright``: may hold them where nothing else does;
``notice``: goes with the code, but does not say what the project's own terms are."""

LICENSES_FOLDER = "LICENSES"
"""Where REUSE keeps one text for each licence, named ``<SPDX identifier>.txt``."""

_TERMS = re.compile(r"(?:[a-z0-9.]{1,12}[-_])?(?:unlicen[cs]e|licen[cs]es?|copying)(?![a-z])")
_FORMAT = re.compile(r"\.(?:txt|md|markdown|rst|adoc|text|html?)$")
_PROGRAM = re.compile(
    r"\.(?:py|js|mjs|cjs|ts|tsx|go|rs|c|h|cc|cpp|hpp|java|kt|sh|rb|php|pl|json|ya?ml|toml|xml|ini"
    r"|cfg|csv|cff|svg|png|jpe?g|pdf|docx?|tmpl|tpl|in|lock|sum|patch|diff|spdx|sig|asc)$"
)
_OTHERS = re.compile(
    r"licen[cs]es(?![a-z])|third|3rd|bundl|vendor|depend|header|template|notice|other"
    r"|(?:^|[-_.])(?:docs?|documentation|data|fonts?|images?|media|assets|content|logo|art|icons?)"
    r"(?:$|[-_.])"
)
"""In the name of a file whose licences are not those of the project's code."""


def role_of(name: str) -> Role | None:
    """Return what a file at the root is by its name; ``None`` if it has to do with no licence.

    >>> role_of("LICENSE-MIT"), role_of("LICENSES_bundled.txt"), role_of("license.py")
    ('license', 'notice', None)
    """
    lower = name.lower()
    if _PROGRAM.search(lower):
        return None
    stem = _FORMAT.sub("", lower)
    if _TERMS.match(stem):
        return "notice" if _OTHERS.search(stem) else "license"
    if re.match(r"copyright(?![a-z])", stem):
        return "copyright"
    if re.match(r"(?:third[-_ ]?party[-_ ]?)?(?:notices?|licenses?)(?![a-z])", stem):
        return "notice"
    return None


def names_its_license(name: str) -> bool:
    """Tell whether a file's name says which of several licences it holds, as ``LICENSE-MIT``."""
    stem = _FORMAT.sub("", name.lower())
    return bool(re.fullmatch(r"licen[cs]e[-_.][a-z0-9][a-z0-9._-]*", stem)) or stem == "unlicense"
