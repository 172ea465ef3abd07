"""Mining: a git repository in, its merged pull requests out.

In: a clone or bare repository, never changed, never asked for more than it has.
Out: `PullRequest` records by number; a receipt for each commit that only looked like one.
Promises: the same bytes for the same refs, whatever the number of workers.
"""

from davinci_agency.mine.mining import MineOptions, identify, mine_pulls
from davinci_agency.mine.repository import Source, hosted_at, read_source

__all__ = ["MineOptions", "Source", "hosted_at", "identify", "mine_pulls", "read_source"]
