"""Query writing: chains in, tasks out.

In: `Chain` records. Out: `Task` records, one query for each stage; a receipt for each chain whose
stages can't all be asked for without giving the change away.
Promises: no query names a path, a symbol, code, a commit or a number that the change touches.
"""

from davinci_agency.leaks import Leak, find_leaks
from davinci_agency.query.writing import Writer, write_queries

__all__ = ["Leak", "Writer", "find_leaks", "write_queries"]
