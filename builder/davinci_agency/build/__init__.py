"""Building: pull requests, tasks and attempts in, a release out.

In: the records of the earlier stages, and the receipts of what they removed. Out: a folder of
Parquet or Arrow shards with a manifest; a receipt for each attempt that is no sample.
Promises: the same bytes for the same records, whatever the order of files and the number of
workers; memory that does not grow with the corpus.
"""

from davinci_agency.build.building import BuildInputs, BuildOptions, made_with, write_release

__all__ = ["BuildInputs", "BuildOptions", "made_with", "write_release"]
