"""Curating: records in, the same records out that somebody should train on.

In: pull requests, tasks and attempts. Out: a folder with those that stay, a receipt for each that a
rule took out, and the account of both.
Promises: curating twice changes nothing, the order of the input changes nothing, and which of two
records stays is decided by what is better, never by what came first.
"""

from davinci_agency.curate.curating import FILES, CurateInputs, select_samples
from davinci_agency.curate.deny_import import import_list
from davinci_agency.curate.deny_list import load_shipped, render_list
from davinci_agency.curate.options import CurateOptions
from davinci_agency.curate.reporting import CURATION, read_account
from davinci_agency.curate.rules import RULES

__all__ = [
    "CURATION",
    "FILES",
    "RULES",
    "CurateInputs",
    "CurateOptions",
    "import_list",
    "load_shipped",
    "read_account",
    "render_list",
    "select_samples",
]
