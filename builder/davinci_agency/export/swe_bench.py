"""Tasks of single pull requests as SWE-bench's instances; pure.

Which tests fail before and pass after nobody has run here, so those lists are empty, not invented;
nor is a version of the project known.
"""

from __future__ import annotations

from davinci_agency.export.forms import UnfitError
from davinci_agency.records import JsonObject


def instance_of(row: JsonObject) -> JsonObject:
    """Return a task as an instance. Raises `UnfitError` if it is one of several pull requests."""
    if row["instance_id"] is None:
        raise UnfitError("it is a chain, not one pull request")
    (stage,) = row["stages"]
    if stage["withheld"] is not None:
        raise UnfitError("its patches are withheld")
    return {
        "repo": row["repo"],
        "instance_id": row["instance_id"],
        "base_commit": row["base_commit"],
        "patch": row["patch"],
        "test_patch": row["test_patch"],
        "problem_statement": row["problem_statement"],
        "hints_text": "",
        "created_at": stage["merged_at"],
        "version": "",
        "FAIL_TO_PASS": "[]",
        "PASS_TO_PASS": "[]",
        "environment_setup_commit": row["base_commit"],
        "license": row["license"],
        "url": stage["url"],
    }
