"""Chaining: merged pull requests in, the pieces of work that they form out.

In: `PullRequest` records. Out: `Chain` records of three kinds; a receipt for each pull request
that no chain may hold. Promises: every member beyond the first is tied to an earlier one by an edge
that quotes its evidence; members stand in the order in which they were merged.
"""

from davinci_agency.chain.chaining import ChainOptions, find_chains

__all__ = ["ChainOptions", "find_chains"]
