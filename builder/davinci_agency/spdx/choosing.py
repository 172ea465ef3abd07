"""From what files and manifests say to one SPDX expression: the rule in one place; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from davinci_agency.spdx.expressions import MAX_LENGTH, PERMISSIVE
from davinci_agency.spdx.naming import names_its_license
from davinci_agency.spdx.texts import Reading

Declared = Callable[[], frozenset[str]]
"""Asks what the manifests declare, only where that is needed: it costs more than the files."""


def choose_license(readings: Sequence[tuple[str, Reading]], declared: Declared) -> str | None:
    """Return the SPDX expression of a project's own code; ``None`` rather than a guess.

    ``readings`` are the licence files by name with what they say. The rule:

    1. Licence files come first. What they all say alike holds, whatever a manifest says: that
       speaks of what is shipped, others' code included. A manifest may only add that later
       versions of a GNU licence hold as well, which the licence's text cannot say.
    2. Where files hold several licences, the manifest says how they go together. Without one it is
       a choice if a file says so, or if permissive licences lie in files named after them
       (``LICENSE-MIT`` beside ``LICENSE-APACHE``), by Rust's convention; else it is not known.
    3. Where a file is not understood, and where there is none, only the manifest is left.
    4. Where a file takes something away from its licence, or different licences hold for different
       folders, no expression says so.
    5. Manifests that contradict each other say nothing.
    """
    if any(reading.has_own_terms for _, reading in readings):
        return None
    names = _distinct(readings)
    is_understood = all(reading.licenses or reading.is_choice for _, reading in readings)
    if is_understood and len(names) == 1:
        return _with_later_versions(names[0], declared)
    said = declared()
    if len(said) == 1:
        return next(iter(said))
    if not said and is_understood and names and _is_choice(readings, names):
        choice = " OR ".join(names)
        return choice if len(choice) <= MAX_LENGTH else None
    return None


def _distinct(readings: Sequence[tuple[str, Reading]]) -> tuple[str, ...]:
    """Return the licences once each, MIT first, as Rust's projects write it.

    The LGPL 3 is an addition to the GPL's text, which therefore lies beside it.
    """
    distinct = dict.fromkeys(name for _, reading in readings for name in reading.licenses)
    if "LGPL-3.0-only" in distinct:
        distinct.pop("GPL-3.0-only", None)
    return tuple(sorted(distinct, key=lambda name: name != "MIT"))


def _with_later_versions(name: str, declared: Declared) -> str:
    if name.endswith("-only"):
        later = name.removesuffix("-only") + "-or-later"
        return later if declared() == {later} else name
    return name


def _is_choice(readings: Sequence[tuple[str, Reading]], names: Sequence[str]) -> bool:
    if any(reading.is_choice for _, reading in readings):
        return True
    return PERMISSIVE.issuperset(names) and all(names_its_license(name) for name, _ in readings)
