"""Mining: a repository in, its merged pull requests out.

In: a clone, a bare repository, or owner/name, of which a mirror is made; if asked for, GitHub.
Out: `PullRequest` records by number; a receipt for each commit that only looked like one, and for
each pull request that a filter left out.
Promises: the same bytes for the same refs and the same answers, whatever the number of workers and
however often it was killed; only what is new or changed is read again.
"""

from davinci_agency.mine.filters import Filters
from davinci_agency.mine.mining import mine_pulls
from davinci_agency.mine.rehydrating import rehydrate_records
from davinci_agency.mine.sources import GitHubAccess, MineOptions, github_access, identify, locate
from davinci_agency.repository.source import Source, hosted_at, read_source

__all__ = [
    "Filters",
    "GitHubAccess",
    "MineOptions",
    "Source",
    "github_access",
    "hosted_at",
    "identify",
    "locate",
    "mine_pulls",
    "read_source",
    "rehydrate_records",
]
