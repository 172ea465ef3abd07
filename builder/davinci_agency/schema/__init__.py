"""The released schemas, and everything that follows from them.

In: ``schemas/<version>/<record>.schema.json``, the single place where a column is declared.
Out: validators (`validator`), Arrow schemas (`arrow_schema`), `datasets.Features`
(`dataset_features`) and columns filled from records (`record_batch`).
"""

from davinci_agency.schema.arrow import (
    arrow_schema,
    dataset_features,
    dataset_rows,
    record_batch,
)
from davinci_agency.schema.registry import CURRENT_VERSION, RECORDS, Schema, load_schema, versions
from davinci_agency.schema.validate import Fault, Validator, cut_short, validator

__all__ = [
    "CURRENT_VERSION",
    "RECORDS",
    "Fault",
    "Schema",
    "Validator",
    "arrow_schema",
    "cut_short",
    "dataset_features",
    "dataset_rows",
    "load_schema",
    "record_batch",
    "validator",
    "versions",
]
