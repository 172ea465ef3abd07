"""A release in other forms: rows in, the same rows for older clients and other trainers out.

In: a release's folder. Out: a folder of Parquet files with a card, which `load_dataset` reads.
Promises: nothing of a row is lost; what a form has no place for stands in it as JSON.
"""

from davinci_agency.export.exporting import export_release

__all__ = ["export_release"]
