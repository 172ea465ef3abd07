"""Chaining: merged pull requests in, the pieces of work that they form out.

In: `PullRequest` records and, to prove states, the clones that they are from. Out: `Chain` records
of three kinds; a receipt for each pull request that no chain may hold and each chain that is not
kept. Promises: every member beyond the first is tied to an earlier one by an edge that quotes its
evidence; members stand in the order in which they were merged; no pull request is in two chains of
one kind.
"""

from davinci_agency.chain.chaining import find_chains
from davinci_agency.chain.judging import Judge, open_judge
from davinci_agency.chain.options import ChainOptions

__all__ = ["ChainOptions", "Judge", "find_chains", "open_judge"]
