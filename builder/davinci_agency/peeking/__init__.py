"""Peeking: does an assistant look up what is hidden from it, such as its repository's future?

Pure. Judged are the commands of a conversation; hidden is what the stage at hand merges, and all
that came later.
"""

from davinci_agency.peeking.hidden import Hidden, hidden_by_stage
from davinci_agency.peeking.looking import looked_up

__all__ = ["Hidden", "hidden_by_stage", "looked_up"]
