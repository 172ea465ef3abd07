"""Licences: which one a text is, what a manifest declares, and what an expression allows.

Comes in: the texts of licence files, manifests, SPDX expressions. Goes out: SPDX expressions, and
whether code under one may be had under allowed licences. All of it is pure. What is not certain is
``None``: a row under no known licence is kept back, one under a wrong licence is published.
"""

from davinci_agency.spdx.choosing import choose_license
from davinci_agency.spdx.expressions import PERMISSIVE, canonical, is_allowed
from davinci_agency.spdx.manifests import MANIFESTS, declared_license
from davinci_agency.spdx.naming import LICENSES_FOLDER, role_of
from davinci_agency.spdx.texts import Reading, license_of, read_text

__all__ = [
    "LICENSES_FOLDER",
    "MANIFESTS",
    "PERMISSIVE",
    "Reading",
    "canonical",
    "choose_license",
    "declared_license",
    "is_allowed",
    "license_of",
    "read_text",
    "role_of",
]
