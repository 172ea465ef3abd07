"""The released schemas, and everything that follows from them.

In: ``schemas/<version>/<record>.schema.json``, the single place where a column is declared.
Out: validators (`validator`) and, in `davinci_agency.schema.arrow`, which is slow to import, Arrow
schemas, `datasets.Features` and columns filled from records.
"""

from davinci_agency.schema.registry import (
    CURRENT_VERSION,
    RECORDS,
    Schema,
    load_schema,
    schema_files,
    versions,
)
from davinci_agency.schema.validate import Fault, Validator, cut_short, validator

__all__ = [
    "CURRENT_VERSION",
    "RECORDS",
    "Fault",
    "Schema",
    "Validator",
    "cut_short",
    "load_schema",
    "schema_files",
    "validator",
    "versions",
]
