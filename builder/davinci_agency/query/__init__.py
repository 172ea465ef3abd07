"""Query writing: chains in, tasks out.

In: `Chain` records. Out: `Task` records, one query for each stage; a receipt for each chain whose
stages can't all be asked for without giving the change away.
Promises: no query names a path, a symbol, code, a commit or a number that the change touches.
"""

from davinci_agency.query.model_writer import ModelWriter
from davinci_agency.query.writer import Refused, Writer, Written
from davinci_agency.query.writing import write_queries

__all__ = ["ModelWriter", "Refused", "Writer", "Written", "write_queries"]
