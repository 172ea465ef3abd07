"""A release in other forms: rows in, the same for older clients, trainers and harnesses out.

In: a release's folder. Out: a folder of Parquet files, of JSON Lines, or of tasks.
Promises: nothing of a row is lost that the form has a place for, and a row that has none is told.
"""

from davinci_agency.export.exporting import FORMATS, ExportFormat, export_release
from davinci_agency.export.harbor import HarborOptions, checked

__all__ = ["FORMATS", "ExportFormat", "HarborOptions", "checked", "export_release"]
