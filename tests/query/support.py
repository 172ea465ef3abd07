"""Chains for the tests of query writing."""

from __future__ import annotations

from typing import Any

from davinci_agency.leaks import Secrets
from davinci_agency.records import Chain, ChainStage, from_json
from tests.chain.support import changed_file
from tests.samples import example

PATCH = """\
diff --git a/src/rounding.py b/src/rounding.py
--- a/src/rounding.py
+++ b/src/rounding.py
@@ -1,2 +1,3 @@ def round_half(value):
 unchanged_name = 1
-old_value = roundTo(value)
+new_value = Decimal2(value)
+limit = Rounding.exact(value)
"""


def stage(
    title: str = "Make rounding exact",
    body: str = "",
    *,
    number: int = 12,
    paths: tuple[str, ...] = ("src/rounding.py", "tests/test_rounding.py"),
    patch: str = PATCH,
) -> dict[str, Any]:
    """Return a stage of a chain in JSON's types."""
    first: dict[str, Any] = example("pr-chain")["stages"][0]
    files = [changed_file(path) for path in paths]
    values = {"title": title, "body": body, "number": number, "files": files}
    return {**first, **values, "patch": patch, "test_patch": ""}


def chain(*stages: dict[str, Any], identity: str = "chain-1") -> dict[str, Any]:
    """Return a chain in JSON's types."""
    kind = "single-pr" if len(stages) == 1 else "semantic-chain"
    return example("pr-chain", chain_id=identity, kind=kind, stages=list(stages), edges=[])


def stages_of(*stages: dict[str, Any]) -> tuple[ChainStage, ...]:
    """Return stages as records."""
    return from_json(chain(*stages), Chain).stages


def secrets(**changes: Any) -> Secrets:
    """Return what a change of one stage touches."""
    return Secrets(stages_of(stage(**changes)))
